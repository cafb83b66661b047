"""Hide pandas from pyarrow, which would load it: a fifth of a second, and 35 MiB."""

import sys


def hide_pandas() -> None:
    """Make ``import pandas`` fail in this process, which must be one that only exports."""
    sys.modules["pandas"] = None  # type: ignore[assignment]
