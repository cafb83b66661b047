"""The command line: ``python -m oauth_sandbox``."""

import sys

from oauth_sandbox.command import main

if __name__ == "__main__":
    sys.exit(main())
