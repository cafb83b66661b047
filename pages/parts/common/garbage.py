"""Garbage collection beside Streamlit, which ends each run of a page with a full one (``runner.postScriptGC``)."""

import gc
import sys

_modules = 0


def spare_modules() -> None:
    """Leave the modules that are loaded by now out of all later collections: they live as long as the process.

    It costs a collection when a page has loaded more of them, and saves most of the collection after every other run.
    """
    global _modules
    if len(sys.modules) > _modules:
        gc.collect()
        gc.freeze()
        _modules = len(sys.modules)
