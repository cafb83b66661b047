"""Properties of redaction that hold for any input."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth.exchange import Failure
from oauth.redaction import Vault
from tests.redaction.samples import KEY, NAMED_PLACES, PLACES, everything, exchange

ANY_TEXT = st.text(st.characters(), max_size=60)
SCRAPS = [
    '"', "'", "{", "}", "[", "]", ":", ",", "=", "&", "?", "#", "<", ">", ";", " ", "\n", "\\", "%", "%22", "%3D",
    "+", "\\u0022", '\\"', "&quot;", "code", '"code":', "state=", "token", "name=", "value=", "Authorization: ",
    "Bearer ", "Basic ", "bWU6cHc=", "abc", "12", "null", "//", "@", "<code>", "<input ", "«", "»", "«code 3ch»",
    "eyJhbGciOiJub25lIn0", ".", "Cookie: ", "\0", "\ud800", "é", "demo-secret",
]  # fmt: skip
ANY_SCRAPS = st.lists(st.sampled_from(SCRAPS), max_size=25).map("".join)
NAMES = st.sampled_from(
    ["code", "client_secret", "refresh_token", "state", "Authorization", "error", "scope", "a b", "é"]
)
# Without quotes: a secret of seven characters and a quote is redacted with a quote of the JSON behind the same seven.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\"'\\"), max_size=20) | st.sampled_from(
    [
        "Bearer abc12345",
        "Basic bWU6cHc=",
        "https://u:p@a.test/cb?code=1&x=2#token=3",
        "a=b; c=d",
        "demo-secret",
        "12",
        "",
    ]
)
DOCUMENTS = st.recursive(
    WORDS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner | inner.map(json.dumps), max_size=3),
    max_leaves=8,
)
FORMS = st.lists(st.tuples(NAMES, WORDS | DOCUMENTS.map(json.dumps)), min_size=1, max_size=4).map(urlencode)


@given(
    url=ANY_TEXT | ANY_SCRAPS,
    name=ANY_TEXT | st.sampled_from(["Authorization", "Cookie", "Set-Cookie", "Location", "code"]),
    value=ANY_TEXT | ANY_SCRAPS,
    body=st.binary(max_size=60) | ANY_SCRAPS.map(lambda t: t.encode(errors="surrogatepass")),
)
@settings(max_examples=500, deadline=None)
def test_any_input_is_redacted_into_storable_text(url: str, name: str, value: str, body: bytes) -> None:
    vault = Vault(KEY)
    vault.add("client_secret", "demo-secret")
    planted = exchange(url, headers=((name, value),), body=body, response_headers=((name, value),), response_body=body)
    text = everything(vault.redact(replace(planted, failure=Failure("x", value), case=name)))
    assert text.encode().decode() == text
    assert "\0" not in text
    assert "demo-secret" not in text


@given(
    url=FORMS.map("https://a.test/cb?x=1&{}#y".format),
    headers=st.lists(st.tuples(NAMES | st.sampled_from(["Cookie", "Set-Cookie", "Location"]), WORDS), max_size=3),
    body=FORMS | DOCUMENTS.map(json.dumps),
    response_body=DOCUMENTS.map(lambda document: json.dumps(document, ensure_ascii=False, indent=1)),
)
@settings(max_examples=300, deadline=None)
def test_redacting_twice_changes_nothing(
    url: str, headers: list[tuple[str, str]], body: str, response_body: str
) -> None:
    vault = Vault(KEY)
    vault.add("client_secret", "demo-secret")
    once = vault.redact(exchange(url, headers=tuple(headers), body=body, response_body=response_body))
    assert vault.redact(once) == once


@pytest.mark.parametrize("planted", [*PLACES, *NAMED_PLACES])
def test_redacting_an_exchange_twice_changes_nothing(vault: Vault, planted: str) -> None:
    place = PLACES.get(planted) or NAMED_PLACES[planted]
    vault.add("code", "Known-Secret-1234")
    once = vault.redact(place("Known-Secret-1234"))
    assert vault.redact(once) == once
