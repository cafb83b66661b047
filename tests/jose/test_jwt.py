import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from oauth.jose import jwt as tokens
from oauth.jose.jwt import Expected, decode

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
AT = int(NOW.timestamp())
SERVER = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "two", "use": "sig", "alg": "RS256"})
CLAIMS: dict[str, Any] = {
    "iss": "https://as.example",
    "sub": "7",
    "aud": "app",
    "exp": AT + 598,
    "iat": AT - 2,
    "nonce": "the-nonce",
}
EXPECTED = Expected("app", "https://as.example", "the-nonce", "the-access-token")


def public(*keys: Key) -> list[dict[str, Any]]:
    return [dict(key.as_dict(private=False)) for key in keys]


def signed(claims: dict[str, Any] | None = None, key: Key = SERVER, **header: str) -> str:
    header = {"alg": "RS256", "kid": "one"} | header
    return jwt.encode(header, CLAIMS if claims is None else claims, key, algorithms=[header["alg"]])


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def checked(claims: dict[str, Any], expected: Expected = EXPECTED) -> dict[str, tuple[object, str]]:
    """The result and the text of each check of an id_token, by its name."""
    token = decode(signed(claims))
    assert token is not None
    return {check.name: (check.holds, check.text) for check in tokens.check_id_token(token, expected, NOW)}


def test_header_and_claims_are_decoded_unverified() -> None:
    token = decode(signed())
    assert token is not None
    assert (token.algorithm, token.kid) == ("RS256", "one")
    assert token.claims == CLAIMS


@pytest.mark.parametrize(
    "token",
    [
        "",
        "0123456789abcdef0123456789abcdef01234567",
        "a.b.c",
        "ya29.a0AfH6SMBx-1.x",
        f"{part({'no': 'alg'})}.{part({})}.sig",
        f"{part({'alg': 'RS256'})}.{part([1])}.sig",
        f"{part({'alg': 'RS256'})}.{part({})}",
        f"{part({'alg': 'RS256'})}.{part({})}.s g",
        f"{part({'alg': 'RS256'})}.{'e30' * 60_000}.sig",
    ],
)
def test_token_that_is_not_a_jwt_is_opaque(token: str) -> None:
    assert decode(token) is None


def test_encrypted_token_has_a_readable_header_only() -> None:
    encrypted = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b"{}", OctKey.generate_key(256))
    token = decode(encrypted)
    assert token is not None
    assert token.encrypted
    assert (token.algorithm, token.claims) == ("dir", {})
    assert tokens.check_signature(encrypted, public(SERVER)).holds is None


def test_times_are_described_in_words() -> None:
    token = decode(signed({"exp": AT + 598, "iat": AT - 2, "auth_time": AT - 3700, "nbf": "soon", "sub": "7"}))
    assert token is not None
    assert tokens.describe_times(token, NOW) == [
        "exp: expires 2026-03-01 10:12:05 UTC, in 9 min 58 s",
        "iat: issued 2026-03-01 10:02:05 UTC, 2 s ago",
        "auth_time: user logged in 2026-03-01 09:00:27 UTC, 1 h 1 min ago",
    ]


def test_times_are_in_the_readers_time_zone() -> None:
    token = decode(signed({"exp": AT + 60}))
    assert token is not None
    assert tokens.describe_times(token, NOW, ZoneInfo("Europe/Warsaw")) == [
        "exp: expires 2026-03-01 11:03:07, in 1 min"
    ]


@pytest.mark.parametrize("at", [True, 1e300, float("nan"), float("inf"), -1e20, None, [], {}])
def test_invalid_time_is_omitted_and_fails_its_check(at: object) -> None:
    token = decode(f"{part({'alg': 'RS256'})}.{part({'exp': at, 'iat': at})}.sig")
    assert token is not None
    assert tokens.describe_times(token, NOW) == []
    assert {check.holds for check in tokens.check_id_token(token, EXPECTED, NOW) if check.name == "exp"} == {False}


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048), "RS256"),
        (RSAKey.generate_key(2048), "PS384"),
        (ECKey.generate_key("P-256"), "ES256"),
        (ECKey.generate_key("P-521"), "ES512"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
)
def test_valid_signature_is_accepted(key: Key, algorithm: str) -> None:
    token = jwt.encode({"alg": algorithm}, CLAIMS, key, algorithms=[algorithm])
    check = tokens.check_signature(token, public(OTHER, key))
    assert check.holds is True
    assert algorithm in check.text


def test_key_is_chosen_by_its_kid() -> None:
    check = tokens.check_signature(signed(), public(OTHER, SERVER))
    assert (check.holds, check.text) == (True, "The RS256 signature is valid (the server's key one).")


def test_forged_token_is_refused() -> None:
    header, _, signature = signed().split(".")
    forged = f"{header}.{part(CLAIMS | {'sub': 'admin'})}.{signature}"
    check = tokens.check_signature(forged, public(SERVER))
    assert (check.holds, check.text) == (False, "The RS256 signature is not valid with the server's key one.")


def test_signature_of_another_key_under_a_known_kid_is_refused() -> None:
    assert tokens.check_signature(signed(key=OTHER), public(SERVER)).holds is False


def test_unknown_kid_is_refused_with_the_known_ones() -> None:
    check = tokens.check_signature(signed(kid="three"), public(SERVER, OTHER))
    assert (check.holds, check.text) == (False, "The server has no key with the kid three. It has 2: one, two.")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_alg_none_is_refused(algorithm: str) -> None:
    check = tokens.check_signature(f"{part({'alg': algorithm})}.{part(CLAIMS)}.", public(SERVER))
    assert check.holds is False
    assert "not signed" in check.text


def test_public_key_is_never_used_as_a_shared_secret() -> None:
    pem = SERVER.as_pem(private=False).decode()
    content = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(CLAIMS)}"
    mac = hmac.digest(pem.encode(), content.encode(), "sha256")
    confused = f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert tokens.check_signature(confused, public(SERVER)).holds is None
    assert tokens.check_signature(confused, public(SERVER), "the-client-secret").holds is False
    assert tokens.check_signature(confused, public(SERVER), pem).holds is None


def test_hmac_is_verified_with_the_client_secret() -> None:
    token = jwt.encode({"alg": "HS256"}, CLAIMS, OctKey.import_key("short"), algorithms=["HS256"])
    assert tokens.check_signature(token, [], "short").holds is True
    assert tokens.check_signature(token, [], "other").holds is False


@pytest.mark.parametrize(
    ("keys", "holds", "reason"),
    [
        ([], None, "is empty"),
        ([{"kty": "RSA", "kid": "one"}], None, "cannot be read"),
        ([{"kty": "EC", "kid": "one"}], False, "(EC) cannot be used for the token's alg, RS256"),
        ([{**public(SERVER)[0], "use": "enc"}], False, "(RSA enc RS256) cannot be used"),
        ([{**public(SERVER)[0], "alg": "RS512"}], False, "(RSA sig RS512) cannot be used"),
        ([{"kty": "AKP", "kid": "new"}, public(SERVER)[0]], True, "is valid"),
    ],
)
def test_key_for_another_purpose_is_not_used(keys: list[dict[str, Any]], holds: bool | None, reason: str) -> None:
    check = tokens.check_signature(signed(), keys)
    assert check.holds is holds
    assert reason in check.text


def test_unknown_algorithm_is_refused() -> None:
    check = tokens.check_signature(f"{part({'alg': 'XX999'})}.{part(CLAIMS)}.sig", public(SERVER))
    assert check.holds is False
    assert "XX999" not in check.text


def test_valid_id_token_passes_every_check() -> None:
    checks = checked(CLAIMS | {"at_hash": tokens.half_hash("the-access-token", "RS256")})
    assert {name: holds for name, (holds, _) in checks.items()} == dict.fromkeys(
        ("iss", "aud", "exp", "iat", "nonce", "at_hash"), True
    )


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({"iss": "https://evil.example"}, "iss", "the profile's issuer is https://as.example"),
        ({"iss": None}, "iss", "issuer is missing"),
        ({"aud": "another"}, "aud", "Issued for another, not this client, app"),
        ({"aud": ["a", "b"]}, "aud", "Issued for a, b"),
        ({"aud": 5}, "aud", "Issued for nobody"),
        ({"aud": ["app", "b"], "azp": "b"}, "azp", "Authorized for b"),
        ({"aud": ["app", "b"]}, "azp", "Missing, although the token has several audiences"),
        ({"nbf": AT + 61}, "nbf", "Not valid yet: valid in 1 min 1 s"),
        ({"nbf": "soon"}, "nbf", "is not a time"),
        ({"exp": AT - 61}, "exp", "Expired 1 min 1 s ago"),
        ({"exp": None}, "exp", "expiry time is missing"),
        ({"iat": AT + 61}, "iat", "one of the two clocks is wrong"),
        ({"iat": "today"}, "iat", "time of issue is missing"),
        ({"nonce": "another"}, "nonce", "belongs to another request"),
        ({"nonce": None}, "nonce", "Missing"),
        ({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "at_hash", "Does not match"),
    ],
)
def test_invalid_claim_fails_its_check_with_a_reason(changes: dict[str, Any], name: str, reason: str) -> None:
    checks = checked({key: value for key, value in (CLAIMS | changes).items() if value is not None})
    holds, text = checks[name]
    assert holds is False
    assert reason in text


def test_nbf_and_azp_are_checked_where_they_are_present() -> None:
    checks = checked(CLAIMS | {"aud": ["app", "b"], "azp": "app", "nbf": AT + 30})
    assert checks["azp"] == (True, "Authorized for this client.")
    assert checks["nbf"][0] is True
    assert checked(CLAIMS | {"nbf": AT - 600})["nbf"] == (True, "Valid since 10 min.")


def test_check_without_a_value_to_compare_is_undecided() -> None:
    checks = checked(CLAIMS, Expected("app"))
    assert {name: holds for name, (holds, _) in checks.items() if holds is None} == dict.fromkeys(
        ("iss", "nonce", "at_hash")
    )
    assert checked(CLAIMS | {"at_hash": "x"}, replace(EXPECTED, access_token=""))["at_hash"][0] is None


def test_token_hash_matches_the_specification() -> None:
    """The example of OpenID Connect Core, appendix A.3."""
    token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    assert tokens.half_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert {len(tokens.half_hash(token, alg) or "") for alg in ("RS512", "EdDSA", "Ed25519")} == {43}
    assert tokens.half_hash(token, "ES256K") == tokens.half_hash(token, "RS256")
    assert tokens.half_hash(token, "Ed448") is None


@settings(deadline=None)  # the machine may be busy
@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ"]), st.text() | st.none() | st.integers()),
    claims=st.dictionaries(
        st.sampled_from([*tokens.TIMES, "iss", "aud", "azp", "nonce", "at_hash"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
    ),
)
def test_no_content_of_a_token_raises(header: dict[str, object], claims: dict[str, object]) -> None:
    token = f"{part(header)}.{part(claims)}.c2ln"
    decoded = decode(token)
    if decoded is not None:
        tokens.describe_times(decoded, NOW)
        tokens.check_id_token(decoded, EXPECTED, NOW)
        assert tokens.check_signature(token, public(SERVER), "secret").holds is not True
