"""OAuth Console without its pages."""

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parent

# The sandbox is a distribution of its own. A checkout has its code in a folder beside this package, the console's wheel
# inside it. Either is of this version, and goes before another that may be installed.
for _folder in (_PACKAGE.parent / "sandbox" / "src", _PACKAGE / "_sandbox" / "src"):
    if (_folder / "oauth_sandbox").is_dir():
        sys.path.insert(0, str(_folder))
