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
    named = {"alg": "RS256", "kid": "one"} | header
    return jwt.encode(named, CLAIMS if claims is None else claims, key, algorithms=[named["alg"]])


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def told(claims: dict[str, Any], expected: Expected = EXPECTED, now: datetime = NOW) -> dict[str, tuple[object, str]]:
    seen = decode(signed(claims))
    assert seen is not None
    return {check.name: (check.holds, check.text) for check in tokens.check_id_token(seen, expected, now)}


def test_header_and_claims_are_read_without_any_check() -> None:
    seen = decode(signed())
    assert seen is not None
    assert (seen.algorithm, seen.kid) == ("RS256", "one")
    assert seen.claims == CLAIMS


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
def test_what_is_no_jwt_is_opaque(token: str) -> None:
    assert decode(token) is None


def test_an_encrypted_token_shows_its_header_only() -> None:
    made = jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, b"{}", OctKey.generate_key(256))
    seen = decode(made)
    assert seen is not None
    assert seen.encrypted
    assert (seen.algorithm, seen.claims) == ("dir", {})
    assert tokens.check_signature(made, public(SERVER)).holds is None


def test_times_are_told_in_words() -> None:
    seen = decode(signed({"exp": AT + 598, "iat": AT - 2, "auth_time": AT - 3700, "nbf": "soon", "sub": "7"}))
    assert seen is not None
    assert tokens.describe_times(seen, NOW) == [
        "exp: ends 2026-03-01 10:12:05 UTC, in 9 min 58 s",
        "iat: issued 2026-03-01 10:02:05 UTC, 2 s ago",
        "auth_time: the user logged in 2026-03-01 09:00:27 UTC, 1 h 1 min ago",
    ]


def test_times_are_told_in_the_reader_s_zone() -> None:
    seen = decode(signed({"exp": AT + 60}))
    assert seen is not None
    assert tokens.describe_times(seen, NOW, ZoneInfo("Europe/Warsaw")) == ["exp: ends 2026-03-01 11:03:07, in 1 min"]


@pytest.mark.parametrize("at", [True, 1e300, float("nan"), float("inf"), -1e20, None, [], {}])
def test_a_time_that_is_none_is_left_alone(at: object) -> None:
    seen = decode(f"{part({'alg': 'RS256'})}.{part({'exp': at, 'iat': at})}.sig")
    assert seen is not None
    assert tokens.describe_times(seen, NOW) == []
    assert {check.holds for check in tokens.check_id_token(seen, EXPECTED, NOW) if check.name == "exp"} == {False}


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
def test_a_signature_that_holds_is_said_to(key: Key, algorithm: str) -> None:
    made = jwt.encode({"alg": algorithm}, CLAIMS, key, algorithms=[algorithm])
    check = tokens.check_signature(made, public(OTHER, key))
    assert check.holds is True
    assert algorithm in check.text


def test_the_named_key_is_the_one_that_counts() -> None:
    check = tokens.check_signature(signed(), public(OTHER, SERVER))
    assert (check.holds, check.text) == (True, "The RS256 signature holds with the key one of the server's key set.")


def test_a_forged_token_is_refused() -> None:
    header, _, signature = signed().split(".")
    forged = f"{header}.{part(CLAIMS | {'sub': 'admin'})}.{signature}"
    check = tokens.check_signature(forged, public(SERVER))
    assert (check.holds, check.text) == (False, "The RS256 signature does not hold with the server's key one.")


def test_a_token_signed_by_another_key_under_a_known_name_is_refused() -> None:
    assert tokens.check_signature(signed(key=OTHER), public(SERVER)).holds is False


def test_an_unknown_kid_is_refused_and_the_known_ones_are_named() -> None:
    check = tokens.check_signature(signed(kid="three"), public(SERVER, OTHER))
    assert (check.holds, check.text) == (False, "No key of the server is called three. It has 2: one, two.")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_alg_none_is_refused(algorithm: str) -> None:
    check = tokens.check_signature(f"{part({'alg': algorithm})}.{part(CLAIMS)}.", public(SERVER))
    assert check.holds is False
    assert "not signed at all" in check.text


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    pem = SERVER.as_pem(private=False).decode()
    content = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(CLAIMS)}"
    mac = hmac.digest(pem.encode(), content.encode(), "sha256")
    confused = f"{content}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert tokens.check_signature(confused, public(SERVER)).holds is None
    assert tokens.check_signature(confused, public(SERVER), "the-client-secret").holds is False
    assert tokens.check_signature(confused, public(SERVER), pem).holds is None


def test_an_hmac_is_checked_with_the_client_secret() -> None:
    made = jwt.encode({"alg": "HS256"}, CLAIMS, OctKey.import_key("short"), algorithms=["HS256"])
    assert tokens.check_signature(made, [], "short").holds is True
    assert tokens.check_signature(made, [], "other").holds is False


@pytest.mark.parametrize(
    ("keys", "holds", "reason"),
    [
        ([], None, "no key in it"),
        ([{"kty": "RSA", "kid": "one"}], None, "cannot be read"),
        ([{"kty": "EC", "kid": "one"}], False, "for something else (EC)"),
        ([{**public(SERVER)[0], "use": "enc"}], False, "for something else (RSA enc RS256)"),
        ([{**public(SERVER)[0], "alg": "RS512"}], False, "for something else (RSA sig RS512)"),
        ([{"kty": "AKP", "kid": "new"}, public(SERVER)[0]], True, "holds"),
    ],
)
def test_a_key_that_is_for_something_else_is_not_used(
    keys: list[dict[str, Any]], holds: bool | None, reason: str
) -> None:
    check = tokens.check_signature(signed(), keys)
    assert check.holds is holds
    assert reason in check.text


def test_an_algorithm_that_nobody_knows_is_refused() -> None:
    check = tokens.check_signature(f"{part({'alg': 'XX999'})}.{part(CLAIMS)}.sig", public(SERVER))
    assert check.holds is False
    assert "XX999" not in check.text


def test_a_good_id_token_has_nothing_against_it() -> None:
    found = told(CLAIMS | {"at_hash": tokens.half_hash("the-access-token", "RS256")})
    assert {name: holds for name, (holds, _) in found.items()} == dict.fromkeys(
        ("iss", "aud", "exp", "iat", "nonce", "at_hash"), True
    )


@pytest.mark.parametrize(
    ("changes", "name", "reason"),
    [
        ({"iss": "https://evil.example"}, "iss", "the profile's issuer is https://as.example"),
        ({"iss": None}, "iss", "no issuer"),
        ({"aud": "another"}, "aud", "Made for another, and not for this client, app"),
        ({"aud": ["a", "b"]}, "aud", "Made for a, b"),
        ({"aud": 5}, "aud", "Made for nobody"),
        ({"aud": ["app", "b"], "azp": "b"}, "azp", "Handed to b"),
        ({"exp": AT - 61}, "exp", "It ended 1 min 1 s ago"),
        ({"exp": None}, "exp", "does not say when it ends"),
        ({"iat": AT + 61}, "iat", "one of the two clocks is wrong"),
        ({"iat": "today"}, "iat", "does not say when it was issued"),
        ({"nonce": "another"}, "nonce", "answers another request"),
        ({"nonce": None}, "nonce", "has none"),
        ({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "at_hash", "not the hash"),
    ],
)
def test_what_speaks_against_an_id_token_is_said(changes: dict[str, Any], name: str, reason: str) -> None:
    found = told({key: value for key, value in (CLAIMS | changes).items() if value is not None})
    holds, text = found[name]
    assert holds is False
    assert reason in text


def test_what_cannot_be_told_is_not_called_wrong() -> None:
    found = told(CLAIMS, Expected("app"))
    assert {name: holds for name, (holds, _) in found.items() if holds is None} == dict.fromkeys(
        ("iss", "nonce", "at_hash")
    )
    assert told(CLAIMS | {"at_hash": "x"}, replace(EXPECTED, access_token=""))["at_hash"][0] is None


def test_the_hash_of_a_token_is_that_of_the_specification() -> None:
    """OpenID Connect Core, appendix A.3."""
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
def test_nothing_that_a_token_says_raises(header: dict[str, object], claims: dict[str, object]) -> None:
    token = f"{part(header)}.{part(claims)}.c2ln"
    seen = decode(token)
    if seen is not None:
        tokens.describe_times(seen, NOW)
        tokens.check_id_token(seen, EXPECTED, NOW)
        assert tokens.check_signature(token, public(SERVER), "secret").holds is not True
