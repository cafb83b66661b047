import json
from datetime import UTC, datetime

from joserfc import jwt
from joserfc.jwk import RSAKey

from oauth.jose.assertion import Statement, assertion
from oauth.jose.keys import read_private_key

NOW = datetime(2026, 3, 1, 10, 2, 7, tzinfo=UTC)
KEY = read_private_key(json.dumps(RSAKey.generate_key(2048).as_dict(private=True)))


def test_an_assertion_says_who_for_whom_and_for_how_long() -> None:
    """RFC 7523 §3."""
    made = assertion(KEY, "app", Statement("https://as.example", 90, "key-1"), at=NOW, unique="one")
    read = jwt.decode(made, RSAKey.import_key(KEY.public))
    assert read.header == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
    assert read.claims == {
        "iss": "app",
        "sub": "app",
        "aud": "https://as.example",
        "jti": "one",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 90,
    }


def test_a_key_without_a_name_is_not_named() -> None:
    made = assertion(KEY, "app", Statement("https://as.example"), at=NOW, unique="one")
    assert "kid" not in jwt.decode(made, RSAKey.import_key(KEY.public)).header
