"""Printing and errors that every command shares."""

import io
import sys


class CommandError(Exception):
    """The command failed; the text is one line with the reason."""


def echo(text: str, end: str = "\n") -> None:
    """Print text to standard output, also where the terminal's encoding lacks a character of it."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text, end=end, flush=True)
