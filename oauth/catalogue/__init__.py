"""The catalogue of errors: the provider's documented ones, the registered ones, and everything else that can come back.

Its entries are TOML files beside this one; adding an error touches no Python.
"""

from oauth.catalogue.entries import (
    CatalogueError,
    answers,
    documented,
    find_entry,
    registered,
    registered_for,
    remedy_of,
)

__all__ = ["CatalogueError", "answers", "documented", "find_entry", "registered", "registered_for", "remedy_of"]
