"""Hide pandas from pyarrow, which would load it: a fifth of a second, and 35 MiB."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


class _NoPandas(MetaPathFinder):
    # Not ``sys.modules["pandas"] = None``: pyarrow's compiled import then gets ``None`` in place of an error.
    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is hidden from this process", name=fullname)


def hide_pandas() -> None:
    """Make ``import pandas`` fail in this process, which must be one that only exports."""
    sys.meta_path.insert(0, _NoPandas())
