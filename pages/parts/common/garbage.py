"""Garbage collection, which stops all threads while it lasts."""

import gc
import sys

_modules = 0


def spare_modules() -> None:
    """Leave the modules that are loaded by now out of all later collections: they live as long as the process.

    It costs a collection when a page has loaded more of them, and saves most of every later one.
    """
    global _modules
    if len(sys.modules) > _modules:
        gc.collect()
        gc.freeze()
        _modules = len(sys.modules)
