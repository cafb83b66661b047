"""The command line: ``python -m oauth sandbox``, ``explain``, ``diagnose`` and ``history``.

Exit status: 0 when it was done, 2 with one line on standard error when it could not be.
"""

import argparse
import codecs
import io
import json
import os
import secrets
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oauth.catalogue import documented, registered
from oauth.catalogue.entries import DocumentedError, RegisteredError
from oauth.exchange import Step
from oauth.history.exports.no_pandas import hide_pandas
from oauth.redaction import Vault

if TYPE_CHECKING:
    from oauth.diagnosis import Cause, Evidence, Fix
    from oauth.paste import Pasted
    from oauth.paste.diagnosed import Diagnosed


class CommandError(Exception):
    """The command could not be done; the text is the one line that says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = _parser(arguments).parse_args(arguments)
    try:
        if given.command == "sandbox":
            from oauth.sandbox import command as sandbox_command

            return sandbox_command.run(given)
        if given.command == "history":
            from oauth.history import command as history_command  # loads the database and Arrow

            try:
                return history_command.run(given)
            except history_command.HistoryCommandError as error:
                raise CommandError(str(error)) from error
        if given.command == "explain":
            _print(explained(given.error))
        else:
            _print_list(diagnosed(_read(given.file), datetime.now(UTC), secrets.token_bytes(32)))
    except CommandError as error:
        print(f"python -m oauth {given.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader, such as head, has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def explained(wanted: str) -> str:
    """The catalogue's entries for a documented number or an error code, as text. Raises ``CommandError``."""
    entries = documented()
    numbers = {str(number): number for number in entries}
    if wanted in numbers:
        return _documented_text(entries[numbers[wanted]])
    same_code = [entry for entry in entries.values() if entry.error == wanted] if wanted else []
    texts = [_documented_text(entry) for entry in same_code]
    texts += [_registered_text(entry) for entry in registered().get(wanted, ())]
    if not texts:
        raise CommandError(
            f"there is no error {wanted!r}; give a number from {min(entries)} to {max(entries)}, "
            "or an error code such as invalid_grant."
        )
    return "\n".join(texts)


def diagnosed(text: str, now: datetime, key: bytes) -> Iterator[dict[str, Any]]:
    """One object for each response and callback in a pasted text, redacted with ``key``, as soon as it is made.

    A text with neither has the objects of its requests, as far as they would fail. Raises ``CommandError``.
    """
    from oauth import paste  # loads every reader, and the next one the database: other commands need neither
    from oauth.paste.diagnosed import diagnosed as read_and_diagnosed

    try:
        items = paste.read(text)
    except paste.PasteError as error:
        raise CommandError(str(error)) from error
    answered = any(map(_is_answer, items))
    for item in read_and_diagnosed(items, Vault(key), now):
        if _is_answer(item.pasted) if answered else item.before_sending:
            yield _diagnosis(item)


def _is_answer(item: "Pasted") -> bool:
    return item.response is not None or item.step is Step.CALLBACK


def _diagnosis(item: "Diagnosed") -> dict[str, Any]:
    explanation = item.explanation
    causes = item.diagnosis.causes if item.diagnosis else item.before_sending
    evidence = item.diagnosis.evidence if item.diagnosis else ()
    return {
        "documented": explanation.number if explanation else None,
        "match": explanation.match if explanation else None,
        "status": explanation.status if explanation else item.pasted.status,
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


def _documented_text(entry: DocumentedError) -> str:
    facts = [entry.error, f"HTTP {entry.status}" if entry.status else "", f"{entry.endpoint} endpoint"]
    texts = [entry.description, entry.human_title]
    lines = [f"{entry.number}. {entry.title}", f"   {', '.join(filter(None, facts))}"]
    lines += [f"   {text}" for text in texts if text and text != entry.title]
    lines += _advice(entry.cause, entry.remedy)
    lines += ["", "   The documented answer:", textwrap.indent(entry.example, "     ")]
    if entry.example_request:
        lines += ["", "   The documented request:", textwrap.indent(entry.example_request, "     ")]
    return "\n".join([*lines, ""])


def _registered_text(entry: RegisteredError) -> str:
    places = " and ".join(place.replace("_", " ") for place in entry.where)
    lines = [f"{entry.code}, {places} endpoint, {entry.reference}", f"   {entry.title}"]
    return "\n".join([*lines, *_advice(f"{entry.cause} {entry.note}".rstrip(), entry.remedy), ""])


def _advice(cause: str, remedy: tuple[str, ...]) -> list[str]:
    indented = [textwrap.fill(cause, 100, initial_indent="   ", subsequent_indent="   ")]
    items = [textwrap.fill(item, 100, initial_indent="   - ", subsequent_indent="     ") for item in remedy]
    return ["", *indented, "", "   What to do:", *items]


def _print(text: str, end: str = "\n") -> None:
    # A terminal's encoding may lack a sign of our texts; the message must not be lost for it.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text, end=end, flush=True)


def _print_list(items: Iterator[dict[str, Any]]) -> None:
    """A list as JSON, each item when it is there."""
    before = "["
    for item in items:
        _print(f"{before}\n{textwrap.indent(json.dumps(item, indent=2), '  ')}", end="")
        before = ","
    _print("[]" if before == "[" else "\n]")


def _read(file: str) -> str:
    """The text of a file, or of standard input for ``-``. Raises ``CommandError`` when it is none."""
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


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m oauth", description="OAuth Console on the command line.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    sandbox = commands.add_parser("sandbox", help="serve the embedded provider alone")
    if "sandbox" in arguments[:1]:
        from oauth.sandbox import command as sandbox_command  # loads a server, which no other command waits for

        sandbox_command.add_arguments(sandbox)
    _add_history(commands.add_parser("history", help="write the history to a file"))
    explain = commands.add_parser("explain", help="say what an error means and what to do")
    explain.add_argument("error", help="the number of a documented error, or an error code such as invalid_grant")
    diagnose = commands.add_parser("diagnose", help="name the errors in pasted text, and their causes, as JSON")
    diagnose.add_argument("file", help="the file to read, or - for standard input")
    diagnose.add_argument("--json", action="store_true", help="print JSON; this is also what is printed without it")
    return parser


def _add_history(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    export = actions.add_parser("export", help="write what a filter shows to a file or to standard output")
    export.add_argument("--format", choices=("csv", "jsonl", "har"), default="csv", help="default: csv")
    export.add_argument("--filter", default="", metavar="LINE", help="as in the page, such as 'status:4xx since:2h'")
    imported = actions.add_parser("import", help="keep the exchanges of a HAR or of an export, redacted")
    imported.add_argument("file", metavar="FILE", help="a HAR, or a CSV, JSON Lines or HAR that a console exported")
    imported.add_argument("--owner", help="whose they are; default: as the file says")
    imported.add_argument("--case", default="", help="the case of all of them; default: as the file says")
    export.add_argument("--output", metavar="FILE", help="a file for its owner only, which appears when it is whole")


if __name__ == "__main__":
    hide_pandas()
    sys.exit(main())
