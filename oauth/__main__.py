"""The command line: ``python -m oauth COMMAND``, and the console script ``oauth-console``."""

import sys
from collections.abc import Sequence

from oauth.cli.main import main
from oauth.exports.no_pandas import hide_pandas


def console() -> int:
    """Run ``oauth-console``, which starts the console when no command is given."""
    return _run(sys.argv[1:] or ["serve"], "oauth-console")


def _run(arguments: Sequence[str], program: str) -> int:
    if arguments[:1] != ["serve"]:  # the pages draw with pandas
        hide_pandas()
    return main(arguments, program)


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:], "python -m oauth"))
