"""Compare what the console says about a text with what is right."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote, quote_plus

from oauth import paste
from oauth.cli.main import main
from oauth.diagnosis.pasted import Paste
from oauth.redaction import Vault
from tests.corpus.cases import Case, Failure

Entry = Mapping[str, Any]
"""One object of the command ``diagnose``."""

_NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_MEMBERS = ("documented", "error", "error_description", "title")
"""Members of an entry that say that an exchange failed."""


class Grade(StrEnum):
    """The result for one text, from best to worst."""

    RIGHT = "right"
    HALF = "half"
    WRONG = "wrong"
    LEAKED = "leaked"


_ORDER = list(Grade)


@dataclass(frozen=True, slots=True)
class Fault:
    """One difference from what is right. ``kind`` is ``number``, ``proof`` or ``leak`` for those that never may be."""

    grade: Grade
    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """The grade of one text, with the reasons, and the errors that the console sees in it."""

    case: Case
    faults: tuple[Fault, ...]
    entries: tuple[Entry, ...]

    @property
    def grade(self) -> Grade:
        """The worst grade of the faults."""
        return max((fault.grade for fault in self.faults), key=_ORDER.index, default=Grade.RIGHT)

    @property
    def reasons(self) -> str:
        """The faults in one line, the worst first."""
        faults = sorted(self.faults, key=lambda fault: -_ORDER.index(fault.grade))
        return "; ".join(fault.text for fault in faults)


def score(case: Case) -> Score:
    """Read one text as the command line and the page do, and compare."""
    printed, entries = _command_line(case)
    failed = tuple(entry for entry in entries if any(entry.get(member) for member in _MEMBERS))
    faults = [*_leaks(case, printed + _page(case.text)), *_claims(case, entries)]
    if case.errors is not None:
        faults += _errors(case.errors, failed)
    return Score(case, tuple(faults), entries)


def errors(text: str) -> list[tuple[object, ...]]:
    """Return number, code, description and status of every error that the page sees in a text, in order of value.

    An exchange that failed without a word of the server has none of the first three, and is left out.
    """
    try:
        items = paste.read(text)
    except paste.ParseError:
        return []
    explanations = (finding.explanation for finding in Paste(items, Vault(b"corpus"), _NOW).findings())
    found = ((it.number, it.error, fold(it.error_description), it.status) for it in explanations if it)
    return sorted((error for error in found if any(error[:3])), key=repr)


def fold(text: str) -> str:
    """Fold white space, letter case and the full stop at the end, which say nothing about an error."""
    return re.sub(r"\s+", " ", text).strip().casefold().removesuffix(".")


def _command_line(case: Case) -> tuple[str, tuple[Entry, ...]]:
    """Return everything that the command prints, and its entries."""
    plain, _ = _run("diagnose", str(case.path))
    both, output = _run("diagnose", "--json", str(case.path))
    return plain + both, tuple(json.loads(output or "[]"))


def _run(*arguments: str) -> tuple[str, str]:
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(io.StringIO()) as complaint:
        main(arguments)
    return output.getvalue() + complaint.getvalue(), output.getvalue()


def _page(text: str) -> str:
    """Return everything that the page has of a text: the redacted exchanges, and what is said about them."""
    try:
        items = paste.read(text)
    except paste.ParseError as error:
        return str(error)
    findings = list(Paste(items, Vault(b"corpus"), _NOW).findings())
    bodies = (
        message.body.decode("utf-8", "replace")
        for finding in findings
        for message in (finding.exchange.request, finding.exchange.response)
        if message is not None
    )
    return "\n".join([repr(findings), *bodies, *(f"{item.source} {item.repairs} {item.flow}" for item in items)])


def _leaks(case: Case, shown: str) -> Iterator[Fault]:
    for secret in case.secrets:
        if any(form in shown for form in {secret, quote(secret, safe=""), quote_plus(secret)}):
            yield Fault(Grade.LEAKED, f"shows {secret[:6]}…", "leak")


def _claims(case: Case, entries: Iterable[Entry]) -> Iterator[Fault]:
    """Yield the proofs, causes and titles that are false."""
    causes = [cause for entry in entries for cause in entry["causes"]]
    proven = {cause["id"] for cause in causes if cause["verdict"] == "proven"}
    possible = proven | {cause["id"] for cause in causes if cause["verdict"] in ("likely", "possible")}
    false = proven & {*case.proven_not, *case.possible_not}
    if case.proven is not None:
        false |= proven - set(case.proven)
        if lost := set(case.proven) - proven:
            yield Fault(Grade.HALF, f"not proven: {', '.join(sorted(lost))}")
    if false:
        yield Fault(Grade.WRONG, f"false proof: {', '.join(sorted(false))}", "proof")
    if misled := possible & set(case.possible_not) - false:
        yield Fault(Grade.WRONG, f"not possible: {', '.join(sorted(misled))}")
    for title in {entry["title"] for entry in entries if entry["title"] in case.title_not}:
        yield Fault(Grade.WRONG, f"misleading title: {title}")


def _errors(expected: tuple[Failure, ...], entries: tuple[Entry, ...]) -> Iterator[Fault]:
    """Yield what the entries lack, each expected error compared with the entry that is nearest to it."""
    left = list(entries)
    for failure in expected:
        rated = [(list(_differences(failure, entry)), entry) for entry in left if _is_same(failure, entry)]
        if not rated:
            yield Fault(Grade.WRONG, f"not found: {_words(failure)}")
            continue
        faults, entry = min(rated, key=lambda pair: (any(it.kind for it in pair[0]), len(pair[0])))
        left.remove(entry)
        yield from faults
    for entry in left:
        grade = Grade.HALF if expected else Grade.WRONG
        yield Fault(grade, f"not in the text: {_said(entry)}")
        if entry["documented"] and entry["documented"] not in {failure.documented for failure in expected}:
            yield Fault(Grade.WRONG, f"false number {entry['documented']}", "number")


def _is_same(failure: Failure, entry: Entry) -> bool:
    """Return whether an entry is about an error, by the first member that is known of it."""
    if failure.error:
        return fold(entry["error"] or "") == fold(failure.error)
    if failure.documented:
        return bool(entry["documented"] == failure.documented)
    if failure.error_description:
        return _says(entry, failure.error_description)
    return failure.status is None or (entry["status"] or 0) == failure.status


def _says(entry: Entry, description: str) -> bool:
    """Return whether an entry has a description, or its beginning where the text cuts it or adds ids to it."""
    said = fold(entry["error_description"] or "")
    if description.endswith("…"):
        return said.startswith(fold(description.removesuffix("…")))
    return said == fold(description)


def _differences(failure: Failure, entry: Entry) -> Iterator[Fault]:
    if entry["documented"] != failure.documented:
        if entry["documented"]:
            yield Fault(Grade.WRONG, f"false number {entry['documented']}", "number")
        else:
            yield Fault(Grade.HALF, f"without the number {failure.documented}")
    if failure.error is not None and fold(entry["error"] or "") != fold(failure.error):
        yield Fault(Grade.HALF, f"error {entry['error']!r}")
    said = entry["error_description"] or ""
    if failure.error_description is not None and not _says(entry, failure.error_description):
        yield Fault(Grade.HALF, f"description {said[:80]!r}" if said else "without its description")
    if failure.status is not None and (entry["status"] or 0) != failure.status:
        yield Fault(Grade.HALF, f"status {entry['status'] or 'unknown'}, not {failure.status or 'in the text'}")


def _words(failure: Failure) -> str:
    number = f"number {failure.documented}" if failure.documented else f"an error with status {failure.status}"
    return failure.error or failure.error_description or number


def _said(entry: Entry) -> str:
    """Describe an entry in a few words."""
    return f"{entry['error'] or entry['title']} ({entry['status'] or 'no status'})"
