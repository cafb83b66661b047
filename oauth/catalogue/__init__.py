"""The catalogue of errors: the provider's documented ones, the registered ones, and all other failed responses.

Its entries are the TOML files in this folder, and your own; adding an error touches no Python.
"""

from oauth.catalogue.catalogues import find_entry, remedy_of
from oauth.catalogue.entries import (
    CatalogueError,
    answers,
    documented,
    registered,
    registered_for,
)

__all__ = ["CatalogueError", "answers", "documented", "find_entry", "registered", "registered_for", "remedy_of"]
