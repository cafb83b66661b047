import base64
import hashlib
import re
import tomllib
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.redaction import Vault, by_value
from oauth.redaction.by_name.prefixes import PREFIXES
from oauth.redaction.occurrences import SHORTEST
from tests.redaction.samples import ENCODINGS, KEY, PLACES, SECRETS, everything, exchange, spellings


@pytest.mark.parametrize("place", PLACES)
@given(secret=SECRETS, encoding=st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=40, deadline=None)
def test_known_secret_is_redacted_in_every_place_and_encoding(place: str, secret: str, encoding: str) -> None:
    vault = Vault(KEY)
    vault.add("client_secret", secret)
    text = everything(vault.redact(PLACES[place](ENCODINGS[encoding](secret))))
    assert vault.placeholder("client_secret", secret) in text
    assert not [spelled for spelled in spellings(secret) if spelled in text]


@given(secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7))
@settings(max_examples=100, deadline=None)
def test_secret_inside_a_longer_base64_text_is_redacted(secret: str, before: bytes, after: bytes) -> None:
    vault = Vault(KEY)
    placeholder = vault.add("client_secret", secret)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(before + secret.encode() + after).decode()
        redacted = vault.redact_text(f"it is {whole} there")
        assert placeholder in redacted
        assert redacted.startswith("it is ")
        assert redacted.endswith(" there")


def test_longest_of_overlapping_secrets_is_redacted_and_nothing_of_the_others_is_left(vault: Vault) -> None:
    vault.add("code", "abcdefgh")
    vault.add("token", "abcdefgh-ijklmnop")
    vault.add("secret", "ijklmnop-qrstuvwx")
    redacted = vault.redact_text("say abcdefgh-ijklmnop-qrstuvwx and abcdefgh.")
    assert not [part for part in ("abcdefgh", "ijklmnop", "qrstuvwx") if part in redacted]
    assert redacted.startswith("say «token #")
    assert redacted.endswith(" and «code 8ch».")


def test_short_secret_is_not_searched_for_in_plain_words(vault: Vault) -> None:
    vault.add("password", "invalid")
    assert vault.redact_text("the grant is invalid") == "the grant is invalid"


@given(secret=SECRETS, encoding=st.sampled_from(sorted(ENCODINGS)), place=st.sampled_from(sorted(PLACES)))
@settings(max_examples=200, deadline=None)
def test_known_secret_is_found_among_many(secret: str, encoding: str, place: str) -> None:
    vault = Vault(KEY)
    for number in range(100):
        vault.add("access_token", hashlib.sha256(f"{number}".encode()).hexdigest())
    vault.add("client_secret", secret)
    text = everything(vault.redact(PLACES[place](ENCODINGS[encoding](secret))))
    assert vault.placeholder("client_secret", secret) in text
    assert not [spelled for spelled in spellings(secret) if spelled in text]


def test_secret_that_is_short_without_its_quotes_is_found_among_many(vault: Vault) -> None:
    for number in range(100):
        vault.add("access_token", hashlib.sha256(f"{number}".encode()).hexdigest())
    vault.add("client_secret", " 'abc123' ")
    assert "abc123" not in vault.redact_text("it said 'abc123' there")


@pytest.mark.parametrize("secret", ["a-very-long-secret-value", "demo-secret", "sec ret+with/signs"])
def test_secret_used_as_client_id_is_redacted_in_basic_credentials(vault: Vault, secret: str) -> None:
    vault.add("client_secret", secret)
    for user in (secret, quote_plus(secret)):
        credentials = base64.b64encode(f"{user}:demo-app".encode()).decode()
        headers = (("Authorization", f"Basic {credentials}"),)
        redacted = vault.redact(exchange(headers=headers))
        assert secret not in everything(redacted)
        assert user not in everything(redacted)


@pytest.mark.parametrize("character", ["\ufdd0", "\x01", "\x7f", "\U0001ffff"])
def test_secret_with_a_character_that_html_forbids_is_found_in_html(vault: Vault, character: str) -> None:
    secret = f"0000123{character}"
    vault.add("client_secret", secret)
    for form in ("&#{};", "&#x{:x};"):
        written = "".join(form.format(ord(letter)) for letter in secret)
        assert written not in everything(vault.redact(exchange(response_body=f"<p>said {written}</p>")))


@given(
    secrets=st.lists(SECRETS | st.text(min_size=1, max_size=30), max_size=20),
    text=st.text(max_size=300),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_the_index_names_the_secrets_whose_last_characters_a_text_has(
    secrets: list[str], text: str, data: st.DataObject
) -> None:
    """Words without a sign of a secret's end are left out of the search, and no secret is missed by that."""
    index = by_value.Index()
    for secret in secrets:
        index.add(secret)
    for secret in data.draw(st.lists(st.sampled_from(secrets), max_size=5)) if secrets else ():
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.sampled_from(by_value.encodings(secret))) + text[at:]
    for searched in (text, text * 100):  # the second one is longer than the index
        ends = [{encoded[-SHORTEST:] for encoded in by_value.encodings(secret)} for secret in secrets]
        expected = {number for number, of_one in enumerate(ends) if any(end in searched for end in of_one)}
        assert index.numbers(searched) == expected


def test_the_index_finds_a_secret_in_every_place_of_the_lists() -> None:
    lists = tomllib.loads((Path(__file__).parents[1] / "hostile" / "hidden.toml").read_text())
    names = (*lists["names"], *PREFIXES)
    texts = [re.sub(r"\{name\}", name, place) for place in lists["places"].values() for name in names]
    secret = "8f0e1d2c3b4a59687786"
    index = by_value.Index()
    index.add(secret)
    for number in range(500):  # an index that is searched by the pieces of a text
        index.add(f"other-secret-{number:05}")
    filled = [text.replace("SECRET", secret) for text in texts if "SECRET" in text]
    assert filled
    assert [text for text in filled if 0 not in index.numbers(text)] == []
