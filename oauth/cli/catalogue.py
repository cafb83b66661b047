"""The command ``catalogue``: list the catalogues of documented errors, check one, and try one out."""

import argparse
import sys
from pathlib import Path

from oauth.catalogue import catalogues, examples
from oauth.catalogue.entries import CatalogueError, documented
from oauth.catalogue.provider_errors import Catalogue, ProviderError
from oauth.cli.output import CommandError, echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("list", help="list every catalogue with the number of its errors")
    check = actions.add_parser("check", help="check a catalogue, and that each example in it is recognised")
    check.add_argument("file", type=Path, help="a catalogue as TOML")
    match = actions.add_parser("match", help="print the error of a catalogue that the text on standard input is")
    match.add_argument("file", type=Path, help="a catalogue as TOML")


def run(arguments: argparse.Namespace) -> int:
    """Run one action and return the exit status: 1 where ``check`` finds a fault, 3 where ``match`` finds nothing.

    Raises ``CommandError``.
    """
    if arguments.action == "list":
        echo(_listing())
        return 0
    catalogue = _load(arguments.file)
    if arguments.action == "check":
        faults = list(examples.faults(catalogue))
        echo("\n".join([*faults, f"{arguments.file.name}: {_count(catalogue)}, {len(faults) or 'no'} faults."]))
        return 1 if faults else 0
    error = examples.find(catalogue, sys.stdin.read())
    echo(text_of(error, catalogue.name) if error else f"No error of {catalogue.name} is in this text.")
    return 0 if error else 3


def text_of(error: ProviderError, name: str) -> str:
    """Return an entry as text, with its cause, remedy and source."""
    facts = [error.code, error.number, f"HTTP {error.status}" if error.status else ""]
    if error.endpoint:
        facts.append(f"{error.endpoint.replace('_', ' ')} endpoint")
    lines = [f"{error.entry}  {error.title}", f"   {', '.join(filter(None, (name, *facts)))}"]
    lines += [f"   {text}" for text in (error.description, error.pattern) if text]
    lines += ["", f"   {error.cause}", "", "   What to do:", *(f"   - {line}" for line in error.remedy)]
    return "\n".join([*lines, "", f"   Source: {error.source} ({error.date})"])


def _load(path: Path) -> Catalogue:
    try:
        return catalogues.load(path)
    except CatalogueError as error:
        raise CommandError(str(error)) from error


def _listing() -> str:
    rows = [(catalogues.PARTNER, "Partner API", f"{len(documented())} errors")]
    rows += [(item.id, item.name, _count(item)) for item in catalogues.all_catalogues()]
    rows += [(file.id, "not used", file.problem) for file in catalogues.own() if file.problem]
    width = max(len(row[0]) for row in rows)
    return "\n".join(f"{id:{width}}  {name}: {count}" for id, name, count in rows)


def _count(catalogue: Catalogue) -> str:
    return f"{len(catalogue.errors)} errors"
