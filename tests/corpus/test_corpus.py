"""What people paste is read: texts of public reports, and the smallest text of each kind."""

from functools import cache

import pytest

from tests.corpus.cases import Case, corpus, heldout, kinds
from tests.corpus.scorer import Grade, Score, score

LEAST_RIGHT = 0.95
"""The part of the corpus that has to be read right."""


@cache
def scores() -> tuple[Score, ...]:
    return tuple(score(case) for case in corpus())


def _breaches(kind: str) -> list[str]:
    return [f"{it.case.name}: {fault.text}" for it in scores() for fault in it.faults if fault.kind == kind]


def test_almost_all_texts_are_read_right() -> None:
    unread = [f"{it.grade} {it.case.name}: {it.reasons}" for it in scores() if it.grade is not Grade.RIGHT]
    assert len(unread) <= (1 - LEAST_RIGHT) * len(scores()), "\n".join(unread)


def test_no_output_shows_a_secret() -> None:
    assert _breaches("leak") == []


def test_no_error_has_a_number_that_is_not_its_own() -> None:
    assert _breaches("number") == []


def test_nothing_is_proven_that_the_text_does_not_show() -> None:
    assert _breaches("proof") == []


def test_every_text_that_is_not_read_right_is_listed_with_its_reason() -> None:
    unlisted = [
        f"{it.case.name}: {it.reasons}" for it in scores() if it.grade is not Grade.RIGHT and not it.case.known_wrong
    ]
    assert unlisted == []


def test_no_text_that_is_read_right_is_listed_as_wrong() -> None:
    assert [it.case.name for it in scores() if it.grade is Grade.RIGHT and it.case.known_wrong] == []


def test_the_corpus_is_as_wide_as_the_tickets() -> None:
    libraries = {case.software for case in corpus()} - {""}
    providers = {case.provider for case in corpus()} - {""}
    assert (len(corpus()) >= 120, len(libraries) >= 40, len(providers) >= 20) == (True, True, True)
    assert [case.name for case in corpus() if not case.source.startswith("https://") or case.errors is None] == []


def test_every_secret_is_in_its_text() -> None:
    lost = [
        (case.name, secret)
        for case in (*corpus(), *heldout(), *kinds())
        for secret in case.secrets
        if secret not in case.text
    ]
    assert lost == []


@pytest.mark.parametrize("case", heldout(), ids=lambda case: case.name)
def test_heldout_text_is_read_right_or_listed_with_its_reason(case: Case) -> None:
    result = score(case)
    assert (result.grade is Grade.RIGHT) is not bool(case.known_wrong), result.reasons


@pytest.mark.parametrize("case", kinds(), ids=lambda case: case.name)
def test_smallest_text_of_a_kind_is_read_right(case: Case) -> None:
    result = score(case)
    assert result.grade is Grade.RIGHT, result.reasons
