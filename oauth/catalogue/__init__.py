"""The catalogue of errors: the provider's documented ones, the registered ones, and all other failed responses.

Its entries are the TOML files in this folder; adding an error touches no Python.
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
