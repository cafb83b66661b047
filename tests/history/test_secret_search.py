from collections.abc import Callable

import pytest

from oauth.exchange import Exchange, Request
from oauth.history.filters import Filters
from oauth.history.secret_search import TooShortError, sightings
from oauth.history.store import History
from oauth.redaction import Vault

SECRET = "s3cr3t-of-a-customer-0123456789"


def kept(history: History, sent: Exchange) -> None:
    history.begin(Vault(b"key").redact(sent))


def test_a_secret_is_found_under_every_kind_it_was_met_as(history: History, exchange: Callable[..., Exchange]) -> None:
    json = (("Content-Type", "application/json"),)
    kept(
        history,
        exchange(request=Request("POST", "https://p.example", json, f'{{"client_secret": "{SECRET}"}}'.encode())),
    )
    kept(history, exchange(request=Request("GET", f"https://p.example/?code={SECRET}")))
    kept(history, exchange(request=Request("GET", f"https://p.example/?code={SECRET}")))
    kept(history, exchange(request=Request("GET", "https://p.example/?code=another-secret-0123456789")))
    found = sightings(history, Vault(b"key"), SECRET, 5)
    assert [(sighting.kind, str(sighting.count)) for sighting in found] == [("code", "2"), ("client_secret", "1")]
    for sighting in found:
        assert history.count(sighting.filters) == sighting.count.number
        assert SECRET not in sighting.filters.line


def test_a_secret_that_never_went_through_is_not_found(history: History, exchange: Callable[..., Exchange]) -> None:
    kept(history, exchange(request=Request("GET", f"https://p.example/?code={SECRET}")))
    assert sightings(history, Vault(b"key"), SECRET + "x", 5) == []
    assert sightings(history, Vault(b"another key"), SECRET, 5) == []


def test_an_owner_is_told_only_of_what_is_theirs(history: History, exchange: Callable[..., Exchange]) -> None:
    kept(history, exchange(owner="bob", request=Request("GET", f"https://p.example/?code={SECRET}")))
    assert sightings(history.seen_by("ada"), Vault(b"key"), SECRET, 5) == []
    assert len(sightings(history.seen_by("bob"), Vault(b"key"), SECRET, 5)) == 1


def test_a_short_secret_has_no_fingerprint(history: History) -> None:
    with pytest.raises(TooShortError, match="fewer than 16"):
        sightings(history, Vault(b"key"), "short", 5)
    assert history.count(Filters()) == 0
