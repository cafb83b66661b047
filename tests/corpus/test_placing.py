"""A text is read as before wherever it stands: between words, in a log, a fence, a mail, a string, or twice."""

import json
from collections.abc import Callable
from functools import cache

import pytest

from tests.corpus.cases import kinds
from tests.corpus.scorer import errors
from tests.paste.samples import samples

LONGEST = 10_000
"""Characters of a text that is placed; the long samples are HAR files, which nobody quotes in a mail."""


def _after_each_line(prefix: str, text: str) -> str:
    return "\n".join(f"{prefix}{line}" for line in text.split("\n"))


PLACES: dict[str, Callable[[str], str]] = {
    "between words": lambda text: f"Hello, since this morning we get:\n\n{text}\n\nCan you help? Regards, Ada",
    "in a fence": lambda text: f"The answer was\n```\n{text}\n```\nand that is all.",
    "under a log prefix": lambda text: _after_each_line("2026-11-28 09:15:02.114 ERROR [main] olx.sync - ", text),
    "in a container's log": lambda text: _after_each_line("web-1  | ", text),
    "in a quoted mail": lambda text: f"On 28 Nov 2026, Ada wrote:\n{_after_each_line('> ', text)}\n\nSee above.",
    "in a string of JSON": lambda text: json.dumps({"level": "error", "msg": text, "pid": 17}),
}


@cache
def texts() -> dict[str, str]:
    """Return the kinds, and the samples that are short and whole, by a name."""
    named = {f"sample {place}": text for place, text in enumerate(samples()) if _is_whole(text)}
    return named | {case.name: case.text for case in kinds()}


def _is_whole(text: str) -> bool:
    """Return whether a text ends where it should: what stands behind another one becomes a part of it."""
    is_closed = all(text.count(opening) <= text.count(closing) for opening, closing in ("()", "[]", "{}"))
    return is_closed and len(text) <= LONGEST and not text.rstrip().endswith((":", "=", "=>", "+", "&"))


def _changed(place: Callable[[str], str]) -> list[str]:
    """Return what is read otherwise in a place than alone, for every text in which errors are seen."""
    changed = []
    for name, text in texts().items():
        alone = errors(text)
        if alone and (placed := errors(place(text))) != alone:
            changed.append(f"{name}: {placed} instead of {alone}")
    return changed


@pytest.mark.parametrize("place", PLACES)
def test_text_is_read_as_before(place: str) -> None:
    changed = _changed(PLACES[place])
    assert changed == [], f"{len(changed)} of {len(texts())} texts"


def test_text_that_stands_there_twice_has_the_same_errors() -> None:
    changed = []
    for name, text in texts().items():
        alone, twice = set(errors(text)), set(errors(f"{text}\n\nand an hour later again:\n\n{text}"))
        if alone and alone != twice:
            changed.append(f"{name}: {twice} instead of {alone}")
    assert changed == [], f"{len(changed)} of {len(texts())} texts"


@pytest.mark.parametrize("place", PLACES)
def test_text_without_an_error_has_none_anywhere_else(place: str) -> None:
    placed = {name: errors(PLACES[place](text)) for name, text in texts().items() if not errors(text)}
    assert {name: found for name, found in placed.items() if found} == {}
