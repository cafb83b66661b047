"""pyarrow loads pandas where it can be found. An export has no use for it: a fifth of a second, and 35 MiB."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("pandas is hidden from this process", name=fullname)


def hide_pandas() -> None:
    """Let this process find no pandas: for one of its own that makes exports, before it makes any."""
    sys.meta_path.insert(0, _NoPandas())
