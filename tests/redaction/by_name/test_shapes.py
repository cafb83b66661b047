import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.redaction import Vault
from tests.redaction.samples import ENCODINGS, KEY, PLACES, PRIVATE_KEYS, check_text, everything, spellings


def test_jwt_is_redacted_without_a_name(vault: Vault) -> None:
    token = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"
    check_text(vault, f"the jwt {token} here", f"the jwt {vault.placeholder('jwt', token)} here")


@pytest.mark.parametrize("place", [place for place in PLACES if place not in ("header name", "reason", "case")])
@given(
    key=PRIVATE_KEYS, encoding=st.sampled_from([name for name in ENCODINGS if not name.startswith(("base64", "hex"))])
)
@settings(max_examples=40, deadline=None)
def test_private_key_is_redacted_in_every_place_and_encoding(place: str, key: str, encoding: str) -> None:
    body = key.splitlines()[1]
    text = everything(Vault(KEY).redact(PLACES[place](ENCODINGS[encoding](key))))
    assert "«private_key #" in text
    assert not [spelled for spelled in spellings(body) if spelled in text]
    assert "-----" not in text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("a -----BEGIN PRIVATE KEY-----\nMIIE", "a «private_key 32ch»"),
        ('{"a": "-----BEGIN PRIVATE KEY-----\\nMIIE", "b": 1}', '{"a": "«private_key 32ch»", "b": 1}'),
        (
            "-----BEGIN EC PRIVATE KEY-----\nMII\n-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
            "«private_key 35ch»-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        ),
        ("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----",) * 2,
    ],
)
def test_truncated_private_key_ends_where_something_else_begins(vault: Vault, text: str, redacted: str) -> None:
    assert re.sub(r" #[0-9a-f]{10}", "", vault.redact_text(text)) == redacted
