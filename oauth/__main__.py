"""The command line: ``python -m oauth sandbox``, ``explain``, ``diagnose`` and ``history``."""

import sys

from oauth.cli.main import main
from oauth.exports.no_pandas import hide_pandas

if __name__ == "__main__":
    hide_pandas()
    sys.exit(main())
