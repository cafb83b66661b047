"""The work of reading, redacting, matching and diagnosing, counted in function calls, which no other program changes.

A limit is a tenth above the count of the day it was set. A change that needs more says why, and raises it.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

from oauth import paste, providers
from oauth.catalogue import words
from oauth.catalogue.explain import explain
from oauth.diagnosis.pasted import Paste
from oauth.redaction import Vault
from tests.benchmarks.paste import har, short_har

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ENTRIES = 120


def calls(work: Callable[[], object]) -> int:
    """Return the number of functions that are called for some work the second time, Python's own among them."""
    work()
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_an_exchange_of_a_har_is_read_redacted_and_matched_with_few_calls() -> None:
    text = har(ENTRIES)
    exchanges = [item.to_exchange(NOW) for item in paste.read(text)]
    vault = Vault(b"key")
    redacted = [vault.redact(exchange) for exchange in exchanges]

    def redact() -> None:
        again = Vault(b"key")
        for exchange in exchanges:
            again.redact(exchange)

    assert calls(lambda: paste.read(text)) < 175 * ENTRIES
    assert calls(redact) < 425 * ENTRIES
    assert calls(lambda: [explain(exchange) for exchange in redacted]) < 216 * ENTRIES


def test_an_exchange_of_a_long_flow_is_diagnosed_with_few_calls() -> None:
    items = paste.read(short_har(180))  # the causes compare with the real values of every token before
    assert calls(lambda: list(Paste(items, Vault(b"key"), NOW).findings())) < 1_600 * len(items)


def test_what_an_exchange_has_in_common_with_others_is_searched_for_secrets_once() -> None:
    """A secret that is remembered later is found in it all the same."""
    vault, first = Vault(b"key"), "first-secret-0123456789"
    exchanges = [item.to_exchange(NOW) for item in paste.read(har(ENTRIES))]
    vault.add("token", first)
    for exchange in exchanges:
        vault.redact(exchange)

    def redact() -> None:
        for exchange in exchanges:
            vault.redact(exchange)

    assert calls(redact) < 240 * ENTRIES
    vault.add("token", "application/json, text/plain")
    assert "text/plain" not in repr(vault.redact(exchanges[0]).request.headers)


def test_only_the_profiles_and_patterns_that_a_text_needs_are_read() -> None:
    assert set(providers.load("http://localhost", having='control = "')) < set(providers.load("http://localhost"))
    words._compiled.cache_clear()
    assert [found.description for found in words.find("It says: Invalid refresh token.")] == ["Invalid refresh token"]
    assert words._compiled.cache_info().misses < 10
