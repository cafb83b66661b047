"""The process that makes a download for the server: ``python -m oauth.exports.worker``.

It reads what to do from standard input as JSON, writes the file to standard output, and says on standard error, a JSON
line each, how many bytes are written, and at last that the file is whole, or what was wrong.
"""

import json
import os
import sys
from typing import Any

from oauth.exports.arrow_reader import Source
from oauth.exports.formats import write
from oauth.exports.no_pandas import hide_pandas
from oauth.history.database import HistoryError


def main() -> None:
    """Do what standard input says."""
    job = json.load(sys.stdin)
    try:
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:

            def progress(_: int, octets: int) -> None:
                output.flush()  # what is reported as written can be read by the server
                _say(written=octets)

            write(Source(**job["source"]), job["format"], output, progress)
    except HistoryError as error:
        _say(error=str(error))
    except OSError as error:
        _say(
            error=f"The export cannot be written beside the history: {error.strerror}. Free some space, then try again."
        )
    else:
        _say(whole=True)


def _say(**what: Any) -> None:
    print(json.dumps(what), file=sys.stderr, flush=True)


if __name__ == "__main__":
    hide_pandas()
    main()
