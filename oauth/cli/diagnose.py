"""The command ``diagnose``: list the errors in a pasted text and their causes, as JSON."""

import argparse
import codecs
import json
import secrets
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from oauth.cli.output import CommandError, echo

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
    parser.epilog = STATUSES
    parser.add_argument("file", help="the file to read, or - for standard input")
    parser.add_argument("--json", action="store_true", help="print JSON (the default)")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if an error was found")


def run(arguments: argparse.Namespace) -> int:
    """Print one object for each error and return the exit status. Raises ``CommandError``."""
    from oauth.diagnosis.as_json import results  # loads every reader: other commands need none
    from oauth.lenient_json import ParseError

    has_error = is_recognised = False
    before = "["
    try:
        for is_known, result in results(_read(arguments.file), datetime.now(UTC), secrets.token_bytes(32)):
            is_recognised = is_recognised or is_known
            if result:
                text = textwrap.indent(json.dumps(result, indent=2), "  ")
                echo(f"{before}\n{text}", end="")  # as soon as it is there
                before = ","
                has_error = has_error or result["title"] is not None or bool(result["causes"])
    except ParseError as error:
        raise CommandError(str(error)) from error
    echo("[]" if before == "[" else "\n]")
    if not is_recognised:
        raise NothingRecognisedError
    return 1 if has_error and arguments.exit_code else 0


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
