"""The command ``serve``: start the console."""

import argparse
import runpy
import sys
from pathlib import Path

import oauth
from oauth.cli.output import CommandError

_PACKAGE = Path(oauth.__file__).parent


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Run ``app.py`` until it is stopped. Raises ``CommandError`` when it is missing."""
    # The wheel carries the pages inside the package; a checkout has them beside it.
    script = next(
        (path for path in (_PACKAGE / "_console" / "app.py", _PACKAGE.parent / "app.py") if path.exists()), None
    )
    if script is None:
        raise CommandError("app.py is missing from this installation; install the package again.")
    # As if Python had been given the script: Streamlit looks for its settings beside the script in argv.
    sys.argv = [str(script)]
    sys.path.insert(0, str(script.parent))
    runpy.run_path(str(script), run_name="__main__")
    return 0
