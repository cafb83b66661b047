"""The command ``diagnose``: list the errors in a pasted text and their causes, as JSON."""

import argparse
import codecs
import json
import secrets
import sys
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oauth.cli.output import CommandError, echo
from oauth.exchange import Step
from oauth.redaction import Vault

if TYPE_CHECKING:
    from oauth.diagnosis import Cause, Evidence, Fix
    from oauth.diagnosis.pasted import Finding
    from oauth.paste import Pasted


STATUSES = (
    "Exit status: 0 the text was read; 1 with --exit-code, an error was found in it; 2 it could not be read; "
    "3 it was read, and nothing in it was recognised."
)


class NothingRecognisedError(CommandError):
    """The text was read, and nothing in it was recognised."""

    status = 3

    def __init__(self) -> None:
        super().__init__(
            "nothing was recognised: the text has no HTTP request or response, curl command, callback address, "
            "error code or known message."
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", help="the file to read, or - for standard input")
    parser.add_argument("--json", action="store_true", help="print JSON (the default)")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if an error was found")


def run(arguments: argparse.Namespace) -> int:
    """Print one object for each error and return the exit status. Raises ``CommandError``."""
    has_error = is_recognised = False
    before = "["
    for is_known, result in _results(_read(arguments.file), datetime.now(UTC), secrets.token_bytes(32)):
        is_recognised = is_recognised or is_known
        if result:
            echo(f"{before}\n{textwrap.indent(json.dumps(result, indent=2), '  ')}", end="")  # as soon as it is there
            before = ","
            has_error = has_error or result["title"] is not None or bool(result["causes"])
    echo("[]" if before == "[" else "\n]")
    if not is_recognised:
        raise NothingRecognisedError
    return 1 if has_error and arguments.exit_code else 0


def diagnose(text: str, now: datetime, key: bytes) -> Iterator[dict[str, Any]]:
    """Yield one object for each response and callback in a pasted text, redacted with ``key``.

    A text with neither yields an object for each request that would fail. An object with nothing in it is left out.
    Raises ``CommandError`` where the text cannot be read.
    """
    return (result for _, result in _results(text, now, key) if result)


def _results(text: str, now: datetime, key: bytes) -> Iterator[tuple[bool, dict[str, Any] | None]]:
    """Yield of each exchange whether it was recognised, and its object if it has one."""
    from oauth import paste as pasted  # loads every reader: other commands need none
    from oauth.diagnosis.pasted import Paste
    from oauth.diagnosis.rank import Rank, has_nothing, likelihood, rank

    try:
        items = pasted.read(text)
    except pasted.ParseError as error:
        if has_nothing(text, error):
            return
        raise CommandError(str(error)) from error
    has_responses = any(map(_is_response, items))
    findings: Iterable[Finding] = Paste(items, Vault(key), now).findings()
    if any(item.step is Step.PAGE for item in items):  # a login in a browser: the failed call is what matters
        findings = sorted(findings, key=lambda finding: likelihood(items[finding.position], finding.explanation))
    for finding in findings:
        item = items[finding.position]
        has_object = _is_response(item) if has_responses else finding.preflight
        is_healthy_page = item.step is Step.PAGE and finding.explanation is None
        result = _object(finding, item) if has_object and not is_healthy_page else {}
        is_recognised = rank(item, finding.explanation) is not Rank.NOTHING
        yield is_recognised, {**result, "step": item.step, "flow": item.flow or None} if any(result.values()) else None


def _is_response(item: "Pasted") -> bool:
    return item.response is not None or item.step is Step.CALLBACK


def _object(finding: "Finding", item: "Pasted") -> dict[str, Any]:
    explanation, diagnosis = finding.explanation, finding.diagnosis
    causes = diagnosis.causes if diagnosis else finding.preflight or ()
    evidence = diagnosis.evidence if diagnosis else ()
    return {
        "documented": explanation.number if explanation else None,
        "match": explanation.match if explanation else None,
        "status": explanation.status if explanation else item.status,
        "error": (explanation.error or None) if explanation else None,
        "error_description": (explanation.error_description or None) if explanation else None,
        "title": explanation.title if explanation else None,
        "remedy": list(explanation.remedy) if explanation else [],
        "causes": [_cause(cause) for cause in causes],
        "evidence": [_fact(fact) for fact in evidence],
    }


def _cause(cause: "Cause") -> dict[str, Any]:
    return {
        "id": cause.id,
        "title": cause.title,
        "verdict": cause.verdict.value,
        "evidence": [_fact(fact) for fact in cause.evidence],
        "fix": _fix(cause.fix) if cause.fix else None,
    }


def _fact(fact: "Evidence") -> dict[str, Any]:
    return {"holds": fact.holds, "text": fact.text, "where": fact.where}


def _fix(fix: "Fix") -> dict[str, Any]:
    changes = [
        {"target": change.target.value, "name": change.name, "before": change.before, "after": change.after,
         "needs": change.needs}
        for change in fix.changes
    ]  # fmt: skip
    return {"label": fix.label_text, "title": fix.title, "step": fix.step.value, "changes": changes}


def _read(file: str) -> str:
    """Return the text of a file, or of standard input for ``-``. Raises ``CommandError`` when it is not text."""
    from oauth import paste

    name = "standard input" if file == "-" else repr(file)
    try:
        if file == "-":
            content = sys.stdin.buffer.read(paste.MOST_OCTETS + 1)
        else:
            with Path(file).open("rb") as opened:
                content = opened.read(paste.MOST_OCTETS + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(f"{name} cannot be read: {reason}.") from error
    if len(content) > paste.MOST_OCTETS:
        raise CommandError(
            f"{name} is larger than {paste.MOST_OCTETS // 1024 // 1024} MiB; cut out the exchange in question."
        )
    encoding = "UTF-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "UTF-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not text: the byte at offset {error.start} is not {encoding}.") from error
    if "\0" in text:
        raise CommandError(f"{name} is not text: there is a NUL at offset {text.index(chr(0))}.")
    return text
