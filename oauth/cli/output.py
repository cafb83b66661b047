"""Output and errors shared by all commands."""

import io
import sys


class CommandError(Exception):
    """The command failed; the text is one line with the reason. ``status`` is the exit status."""

    status = 2


def echo(text: str, end: str = "\n") -> None:
    """Print text to standard output, escaping characters that the terminal's encoding lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    print(text, end=end, flush=True)
