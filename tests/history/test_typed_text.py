"""Typed text is compared with the fingerprints of the history."""

from collections.abc import Callable

import pytest

from oauth.exchange import Exchange, Request
from oauth.history import typed_text
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.redaction import Vault

KEY = b"key"
SECRET = "s3cr3tOfACustomer0123456789"


def recorded(history: History, exchange: Callable[..., Exchange], query: str) -> None:
    history.begin(Vault(KEY).redact(exchange(request=Request("GET", f"https://p.example/?{query}"))))


@pytest.mark.parametrize("name", ["code", "client_secret", "access_token", "master_key", "sms_code"])
def test_a_secret_of_the_history_is_replaced_in_a_session_that_does_not_know_it(
    history: History, exchange: Callable[..., Exchange], name: str
) -> None:
    recorded(history, exchange, f"{name}={SECRET}")
    fingerprint = Vault(KEY).placeholder(name, SECRET)
    for text in ("{}", "see {}.", "T-1 {} twice {}", "https://a.test/{}/x", "'{}'", "é{}"):
        typed = text.replace("{}", SECRET)
        assert typed_text.redacted(typed, history, Vault(KEY)) == text.replace("{}", fingerprint)


def test_other_words_stay(history: History, exchange: Callable[..., Exchange]) -> None:
    recorded(history, exchange, f"code={SECRET}")
    typed = "T-1234 request 7c9e6679-7425-40de-944b-e07fc1f90ae7 called back, flow 3f9c2a41d07b9f2a41d0"
    assert typed_text.redacted(typed, history, Vault(KEY)) == typed
    assert typed_text.redacted(SECRET + "x", history, Vault(KEY)) == SECRET + "x"


def test_a_secret_of_any_vault_and_one_with_a_name_is_replaced(history: History) -> None:
    own, other = Vault(KEY), Vault(KEY)
    other.add("client_secret", "correct horse")
    redacted = typed_text.redacted("correct horse, password=battery-staple", history, own, other)
    assert redacted == "«client_secret 13ch», password=«password 14ch»"


def test_what_is_replaced_once_stays(history: History, exchange: Callable[..., Exchange]) -> None:
    recorded(history, exchange, f"code={SECRET}")
    once = typed_text.redacted(f"it was {SECRET}", history, Vault(KEY))
    assert typed_text.redacted(once, history, Vault(KEY)) == once


def test_filters_keep_their_shape(history: History, exchange: Callable[..., Exchange]) -> None:
    recorded(history, exchange, f"code={SECRET}")
    vault = Vault(KEY)
    filters = Filters.parse(f"step:token -case:T-1,{SECRET} {SECRET} client:*")
    safe = filters.redacted(lambda text: typed_text.redacted(text, history, vault))
    assert SECRET not in safe.line
    assert [term.name for term in safe.terms] == [term.name for term in filters.terms]
    assert Filters.parse(safe.line) == safe == Filters.from_query(safe.to_query())
    assert history.count(Filters.parse(f'"{vault.placeholder("code", SECRET)}"')) == 1


def test_many_random_words_are_not_all_looked_up(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_text, "MOST_WORDS", 2)
    words = [f"{number}aB3dE5gH7jK9mN1pQ3" for number in range(4)]
    left = typed_text.redacted(" ".join(words), history, Vault(KEY))
    assert [word in left for word in words] == [True, True, False, False]
