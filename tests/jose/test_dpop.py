from datetime import UTC, datetime

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from oauth.exchange import Exchange, Headers, Request, Response, Step
from oauth.jose import dpop
from oauth.jose.keys import SigningKey, new_key

NOW = datetime(2019, 1, 1, 8, 0, tzinfo=UTC)
PUBLISHED = SigningKey(
    ECKey.import_key(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        }
    ),
    "ES256",
)
"""The key of the examples in RFC 9449 §4.1."""
FRESH = new_key()


def exchange(url: str, headers: Headers) -> Exchange:
    return Exchange(Step.TOKEN, Request("POST", url), NOW, response=Response(400, headers=headers))


def test_thumbprint_matches_the_specification() -> None:
    """The example of RFC 9449 §6.1."""
    assert PUBLISHED.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_proof_names_the_request_and_carries_the_public_key() -> None:
    proof = dpop.proof(FRESH, "POST", "https://u:p@as.example/token?a=1#f", at=NOW, unique="-BwC3ESc6acc2lTc")
    token = jwt.decode(proof, ECKey.import_key(FRESH.public))
    assert token.header == {"alg": "ES256", "typ": "dpop+jwt", "jwk": FRESH.public}
    assert set(FRESH.public) == {"kty", "crv", "x", "y"}
    assert token.claims == {
        "jti": "-BwC3ESc6acc2lTc",
        "htm": "POST",
        "htu": "https://as.example/token",
        "iat": int(NOW.timestamp()),
    }


def test_proof_for_an_api_call_has_the_hash_of_the_token_and_the_nonce() -> None:
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    proof = dpop.proof(FRESH, "GET", "https://api.example/r", at=NOW, unique="e1j3V", nonce="n-1", access_token=token)
    claims = jwt.decode(proof, ECKey.import_key(FRESH.public)).claims
    assert claims["ath"] == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"  # RFC 9449 §7.1
    assert claims["nonce"] == "n-1"


def test_newest_nonce_is_kept_for_each_server() -> None:
    nonces = dpop.with_nonce((), exchange("https://as.example/token", (("DPoP-Nonce", "one"),)))
    nonces = dpop.with_nonce(nonces, exchange("https://api.example/me", (("dpop-nonce", "two"),)))
    nonces = dpop.with_nonce(nonces, exchange("https://as.example/par", (("DPoP-Nonce", "three"),)))
    nonces = dpop.with_nonce(nonces, exchange("https://as.example/par", ()))
    assert dpop.nonce_for(nonces, "https://AS.example/token") == "three"
    assert dpop.nonce_for(nonces, "https://api.example/other") == "two"
    assert dpop.nonce_for(nonces, "https://api.example:8443/other") == ""


@pytest.mark.parametrize(
    ("error", "headers", "expected"),
    [
        ("use_dpop_nonce", (("DPoP-Nonce", "n"),), True),
        ("use_dpop_nonce", (), False),
        ("invalid_dpop_proof", (("DPoP-Nonce", "n"),), False),
    ],
)
def test_server_wants_a_nonce_when_it_says_so_and_sends_one(error: str, headers: Headers, expected: bool) -> None:
    assert dpop.wants_nonce(error, exchange("https://as.example/token", headers)) is expected


def test_unbound_token_is_reported_with_the_reason() -> None:
    assert "token_type is Bearer, not DPoP" in dpop.binding_problem("Bearer", None, FRESH)
    assert "bound to another key" in dpop.binding_problem("DPoP", "other", FRESH)
    assert dpop.binding_problem("dpop", FRESH.thumbprint, FRESH) == ""
    assert dpop.binding_problem("dpop", None, FRESH) == ""
