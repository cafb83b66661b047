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


def octets(number: int) -> str:
    """Return a size in MB or GB."""
    return f"{number / 1e9:,.1f} GB" if number >= 1e9 else f"{number / 1e6:,.1f} MB"
