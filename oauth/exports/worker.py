"""The process that creates a download for the server: ``python -m oauth.exports.worker``.

It reads the job from standard input as JSON, writes the file to standard output, and reports on standard error, as JSON
Lines, the bytes written so far, and finally that the file is whole or what went wrong.
"""

import json
import os
import sys
from typing import Any

from oauth.exports.formats import write
from oauth.exports.layout import Layout
from oauth.exports.no_pandas import hide_pandas
from oauth.exports.query import Source
from oauth.history.database import HistoryError


def main() -> None:
    """Run the job on standard input."""
    job = json.load(sys.stdin)
    try:
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:

            def progress(_: int, octets: int) -> None:
                output.flush()  # the server reads what is reported as written
                _report(written=octets)

            write(Source(**job["source"]), job["format"], output, progress, Layout.parse(job["layout"]))
    except HistoryError as error:
        _report(error=str(error))
    except OSError as error:
        _report(error=f"Cannot write the export beside the history: {error.strerror}. Free some space, then try again.")
    else:
        _report(whole=True)


def _report(**message: Any) -> None:
    print(json.dumps(message), file=sys.stderr, flush=True)


if __name__ == "__main__":
    hide_pandas()
    main()
