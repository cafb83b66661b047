import json
from datetime import UTC, datetime

from joserfc import jwt
from joserfc.jwk import RSAKey

from oauth.jose.assertion import Statement, assertion
from oauth.jose.keys import read_private_key

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
KEY = read_private_key(json.dumps(RSAKey.generate_key(2048).as_dict(private=True)))


def test_assertion_has_its_issuer_audience_and_lifetime() -> None:
    """The required claims of RFC 7523 §3."""
    token = jwt.decode(
        assertion(KEY, "app", Statement("https://as.example", 90, "key-1"), at=NOW, unique="one"),
        RSAKey.import_key(KEY.public),
    )
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert token.claims == {
        "iss": "app",
        "sub": "app",
        "aud": "https://as.example",
        "jti": "one",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 90,
    }


def test_key_without_a_kid_is_not_named() -> None:
    token = assertion(KEY, "app", Statement("https://as.example"), at=NOW, unique="one")
    assert "kid" not in jwt.decode(token, RSAKey.import_key(KEY.public)).header
