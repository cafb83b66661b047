"""Every cause has a test that brings it about over real HTTP and reads proven, and one where it reads ruled out.

The tests say so by their marks ``proves``, ``suspects`` and ``rules_out``; the fixture ``promises`` sees to it that a
mark does not say more than the test has seen. Here the marks are held against the registry, so that a cause without a
test is found, and against the table that this console promises, so that a cause cannot disappear.
"""

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from oauth.diagnosis import Verdict, causes, registry
from oauth.diagnosis.causes.rule import Rule
from tests.diagnosis.scenarios import counterexamples, scenarios

FOLDER = Path(__file__).parent / "causes"

TABLE: Mapping[int, tuple[str, ...]] = {
    1: ("code.left_out", "code.empty", "code.other_name", "body.unreadable"),
    2: (
        *("code.expired", "code.used", "code.other_client", "code.cut", "code.padded", "code.encoded_twice"),
        *("code.mistaken", "redirect_uri.differs", "redirect_uri.left_out"),
    ),
    3: ("grant_type.left_out", "grant_type.other_name", "grant_type.in_query", "body.unreadable"),
    4: ("scope.never_granted", "scope.taken_away", "scope.separators", "scope.letter_case"),
    5: ("client.deactivated", "client.never_active", "client.other_provider"),
    6: (
        *("client.white_space", "client.quotes", "client.swapped", "client.secret_differs", "client.both"),
        *("client.basic_encoding", "client.credentials_missing", "client.id_differs", "client.other_provider"),
    ),
    7: (
        *("access_token.expired", "access_token.mistaken", "access_token.scheme", "access_token.other_host"),
        "access_token.replaced",
    ),
    8: ("token.lacks_scope", "token.granted_less", "token.asked_too_little"),
    9: ("token.of_application",),
    10: ("grant.misspelt", "grant.never_worked_for_client", "grant.taken_away", "grant.none_worked"),
    11: ("refresh_token.replaced", "refresh_token.expired", "refresh_token.mistaken", "refresh_token.other_client"),
}
"""By documented error, the causes that are promised."""

NEVER_PROVEN: Mapping[str, str] = {
    "code.another": "another flow's code is a good one; what is wrong with it has a cause of its own",
    "access_token.another": "the same",
    "refresh_token.another": "the same",
    "authorization.client_not_active": "the provider's error page has no error code to go by",
    "authorization.came_elsewhere": "what came to another address is not seen here",
    "authorization.not_finished": "an open page and a closed one look the same from here",
}
"""Causes that a test may only suspect, and why."""

LIKELY_AT_MOST: Mapping[str, str] = {
    "client.other_method": "that another method worked a moment ago does not show that this one is refused for it",
    "client.basic_not_decoded": "a server that takes them as they come and one with another secret answer alike",
    "client.id_in_body": "the words say that it is missing, and a server may mean another place",
    "device_code.another": "a code that this console did not see may be another's, or nobody's",
    "token.other_client": "a server that may refuse another client's token may also answer as if it had revoked it",
    "refresh_token.code_replayed": "RFC 6749 §4.1.2 says SHOULD, so a server may have revoked it for another reason",
}
"""Causes that a test finds likely, and why nothing proves them."""

NEVER_RULED_OUT: Mapping[str, str] = {
    "limit.requests": "other programs behind the same address count too, and are not seen here",
    "access_token.left_out": "this answer comes when no token was sent, and never otherwise",
    "authorization.login_required": "this answer comes when the user is not signed in, and never otherwise",
    "authorization.consent_required": "this answer comes without consent, and never otherwise",
    "authorization.denied": "this answer comes when the user refused, and never otherwise",
    "authorization.client_not_active": "the provider's error page has no error code to go by",
}
"""Causes that cannot be ruled out where they are judged, and why."""


def promises() -> Iterator[tuple[str, str | int, str]]:
    """Kind, error and cause of every mark of a test."""
    for path in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(f"tests.diagnosis.causes.{path.stem}")
        for name, diagnosis in vars(module).items():
            for mark in marks_of(diagnosis) if name.startswith("test_") else ():
                for cause in mark.args[1:]:
                    yield mark.name, mark.args[0], cause


def marks_of(function: Any) -> Iterator[pytest.Mark]:
    """The marks of a test and of its parameters that promise something."""
    for mark in getattr(function, "pytestmark", ()):
        more = [one for row in mark.args[1] for one in getattr(row, "marks", ())] if mark.name == "parametrize" else []
        yield from (one for one in (mark, *(getattr(item, "mark", item) for item in more)) if one.name in KINDS)


def everything() -> Iterator[Rule]:
    """Every rule that stands in the registry or in a module of causes, whether an error leads to it or not."""
    modules = [
        importlib.import_module(f"{causes.__name__}.{diagnosis.name}") for diagnosis in iter_modules(causes.__path__)
    ]
    for module in (registry, *modules):
        for diagnosis in vars(module).values():
            for group in diagnosis.values() if isinstance(diagnosis, Mapping) else (diagnosis,):
                yield from (
                    rule for rule in (group if isinstance(group, tuple) else (group,)) if isinstance(rule, Rule)
                )


KINDS = ("proves", "finds_likely", "suspects", "rules_out")
PROMISED = frozenset(promises())
CAUSES = sorted({(number, rule.id) for number, rules in registry.DOCUMENTED.items() for rule in rules})
SIBLINGS = sorted({rule.id for rule in everything()} - {id for _, id in CAUSES})


def has(kind: str, cause: str, error: str | int | None = None) -> bool:
    return any(diagnosis == (kind, diagnosis[1] if error is None else error, cause) for diagnosis in PROMISED)


@pytest.mark.parametrize("number", TABLE)
def test_registry_contains_every_cause(number: int) -> None:
    assert set(TABLE[number]) <= {rule.id for rule in registry.DOCUMENTED[number]}


@pytest.mark.parametrize(("number", "cause"), CAUSES)
def test_causes_of_documented_errors_are_proven_and_ruled_out_by_tests(number: int, cause: str) -> None:
    kind = "suspects" if cause in NEVER_PROVEN else "proves"
    assert has(kind, cause, number), f"no test {kind} it"
    assert has("rules_out", cause, number), "no test rules it out"


@cache
def verdicts_of_scenarios() -> frozenset[tuple[str, str]]:
    """The verdicts on the truth of each scenario, and those that rule out another cause, each with its cause."""
    right = [diagnosis.causes for diagnosis in counterexamples()]
    verdicts = {("ruled out", cause.id) for causes in right for cause in causes if cause.verdict is Verdict.RULED_OUT}
    for scenario in scenarios():
        for _, diagnosis in scenario.diagnoses():
            verdicts |= {(cause.verdict.value, cause.id) for cause in diagnosis.causes if cause.id == scenario.cause}
            verdicts |= {("ruled out", cause.id) for cause in diagnosis.causes if cause.verdict is Verdict.RULED_OUT}
    return frozenset(verdicts)


@pytest.mark.parametrize("cause", SIBLINGS)
def test_causes_of_other_errors_are_proven_and_ruled_out_by_tests(cause: str) -> None:
    known = verdicts_of_scenarios()
    verdict = "likely" if cause in LIKELY_AT_MOST else "proven"
    is_proven = has("suspects" if cause in NEVER_PROVEN else "proves", cause) or (verdict, cause) in known
    assert is_proven, "no test proves it"
    is_ruled_out = has("rules_out", cause) or ("ruled out", cause) in known
    assert cause in NEVER_RULED_OUT or is_ruled_out, "no test rules it out"


def test_exceptions_are_still_needed() -> None:
    known = {id for _, id in CAUSES} | set(SIBLINGS)
    assert set(NEVER_PROVEN) | set(NEVER_RULED_OUT) <= known
    assert [cause for cause in NEVER_PROVEN if has("proves", cause)] == []
    assert [cause for cause in NEVER_RULED_OUT if has("rules_out", cause)] == []


def test_marks_name_existing_causes() -> None:
    known = {id for _, id in CAUSES} | set(SIBLINGS)
    assert sorted({cause for _, _, cause in PROMISED} - known) == []
