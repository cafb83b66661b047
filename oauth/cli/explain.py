"""The command ``explain``: print the meaning and the remedy of an error."""

import argparse
import textwrap

from oauth.catalogue import documented, registered
from oauth.catalogue.entries import DocumentedError, RegisteredError
from oauth.cli.output import CommandError, echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("error", help="the number of a documented error, or an error code such as invalid_grant")


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation and return the exit status. Raises ``CommandError``."""
    echo(explanation(arguments.error))
    return 0


def explanation(error: str) -> str:
    """Return the catalogue's entries for a documented number or an error code. Raises ``CommandError``."""
    entries = documented()
    numbers = {str(number): number for number in entries}
    if error in numbers:
        return _documented_text(entries[numbers[error]])
    same_code = [entry for entry in entries.values() if entry.error == error] if error else []
    texts = [_documented_text(entry) for entry in same_code]
    texts += [_registered_text(entry) for entry in registered().get(error, ())]
    if not texts:
        raise CommandError(
            f"there is no error {error!r}; give a number from {min(entries)} to {max(entries)}, "
            "or an error code such as invalid_grant."
        )
    return "\n".join(texts)


def _documented_text(entry: DocumentedError) -> str:
    facts = [entry.error, f"HTTP {entry.status}" if entry.status else "", f"{entry.endpoint} endpoint"]
    texts = [entry.description, entry.human_title]
    lines = [f"{entry.number}. {entry.title}", f"   {', '.join(filter(None, facts))}"]
    lines += [f"   {text}" for text in texts if text and text != entry.title]
    lines += _advice(entry.cause, entry.remedy)
    lines += ["", "   The documented response:", textwrap.indent(entry.example, "     ")]
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
