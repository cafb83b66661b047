"""The full-text index of the exchanges: FTS5 in SQLite, a ``tsvector`` in PostgreSQL.

The indexed text is the stored, redacted text. A word is a run of letters and digits in any letter case, so that
``9f2a41d07b`` is one in ``«code #9f2a41d07b 40ch»``.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, false, literal, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from oauth.history.schema import exchanges

COLUMNS = (
    "url",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "error",
    "error_description",
    "failure_detail",
    "case",
    "client_id",
    "note",
)
"""The searched columns."""

CATCH_UP_ROWS = 1000
"""Rows that one transaction adds to the index of SQLite."""

SHORTEST_BEGINNING = 2
"""Characters a word needs for others that begin with it to be found by a ``*``."""

_WORD = re.compile(r"[^\W_]+")


def matches(*phrases: str) -> ColumnElement[bool]:
    """Return the condition that every phrase occurs in the exchange, its words side by side.

    A ``*`` at the end of a phrase makes its last word the beginning of one. Whole words are looked up as fast in a long
    history as in a short one, which beginnings of common words are not. A phrase without a letter or a digit is found
    nowhere.
    """
    parsed = [_Phrase(tuple(_WORD.findall(phrase)), phrase.endswith("*")) for phrase in phrases]
    return Matches(parsed) if all(phrase.words for phrase in parsed) else false()


def any_word(words: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that at least one of the words, of letters and digits, occurs in the exchange."""
    phrases = [_Phrase((word,), False) for word in words]
    return Matches(phrases, is_any=True) if phrases else false()


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[str, ...]
    starred: bool

    @property
    def is_beginning(self) -> bool:
        return self.starred and len(self.words[-1]) >= SHORTEST_BEGINNING


class Matches(FunctionElement[bool]):
    """``matches``, in the SQL of the database that it is compiled for. ``fts5`` is the query of SQLite's."""

    type = Boolean()
    inherit_cache = True
    name = "matches"

    def __init__(self, phrases: Sequence[_Phrase], *, is_any: bool = False) -> None:
        both = " OR " if is_any else " "
        self.fts5 = both.join(f'"{" ".join(phrase.words)}"' + "*" * phrase.is_beginning for phrase in phrases)
        tsquery = (" | " if is_any else " & ").join(
            " <-> ".join(f"'{word}'" for word in phrase.words) + ":*" * phrase.is_beginning for phrase in phrases
        )
        super().__init__(exchanges.c.id, literal(self.fts5), literal(tsquery))


@compiles(Matches, "sqlite")
def _in_sqlite(element: Matches, compiler: SQLCompiler, **options: Any) -> str:
    id, fts5, _ = element.clauses
    ids = f"SELECT rowid FROM exchanges_search WHERE exchanges_search MATCH {compiler.process(fts5, **options)}"  # noqa: S608
    return f"{compiler.process(id, **options)} IN ({ids})"


@compiles(Matches, "postgresql")
def _in_postgresql(element: Matches, compiler: SQLCompiler, **options: Any) -> str:
    *_, tsquery = element.clauses
    return f"exchanges.search @@ to_tsquery('simple', {compiler.process(tsquery, **options)})"


MERGED_PAGES = 500
"""Pages of the index that one step of ``merge`` writes, which takes a moment."""

_CHANGES = text("SELECT total_changes()")
_MERGE = text("INSERT INTO exchanges_search (exchanges_search, rank) VALUES ('merge', :pages)")
_PENDING = text(
    "SELECT EXISTS (SELECT 1 FROM exchanges_unindexed) "
    "OR (SELECT max(id) FROM exchanges) > coalesce((SELECT max(id) FROM exchanges_search_docsize), 0)"
)
_LAST = text("SELECT max(id) FROM (SELECT id FROM exchanges_unindexed ORDER BY id LIMIT :rows)")
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_INDEX = text(
    f"INSERT INTO exchanges_search (rowid, {_NAMES}) SELECT id, {_NAMES} FROM exchanges "  # noqa: S608
    "WHERE id IN (SELECT id FROM exchanges_unindexed WHERE id <= :last)"
)
_INDEX_NEW = text(
    f"INSERT INTO exchanges_search (rowid, {_NAMES}) SELECT id, {_NAMES} FROM exchanges "  # noqa: S608
    "WHERE id > coalesce((SELECT max(id) FROM exchanges_search_docsize), 0) ORDER BY id LIMIT :rows"
)
_DONE = text("DELETE FROM exchanges_unindexed WHERE id <= :last")


def is_behind(connection: Connection) -> bool:
    """Return whether rows are missing from SQLite's index; PostgreSQL's is never behind."""
    return connection.dialect.name == "sqlite" and bool(connection.execute(_PENDING).scalar_one())


def catch_up(connection: Connection) -> None:
    """Add the next rows to SQLite's index.

    New rows have larger ids than those in the index, and a trigger notes those that change. They are indexed in bulk:
    one at a time would cost about as much as recording an exchange.
    """
    last = connection.execute(_LAST, {"rows": CATCH_UP_ROWS}).scalar_one()
    if last is None:
        connection.execute(_INDEX_NEW, {"rows": CATCH_UP_ROWS})
    else:
        connection.execute(_INDEX, {"last": last})
        connection.execute(_DONE, {"last": last})


def merge(connection: Connection, *, begin: bool) -> bool:
    """Merge parts of SQLite's index, so that words of deleted rows leave it; return whether more is left.

    Until its parts are merged, the words of a deleted row stay in them beside a deletion marker. With ``begin`` all
    parts are merged, not only those that are due.
    """
    before = connection.execute(_CHANGES).scalar_one()
    connection.execute(_MERGE, {"pages": -MERGED_PAGES if begin else MERGED_PAGES})
    # FTS5 says it this way: a merge that finds nothing to do changes one row only.
    return int(connection.execute(_CHANGES).scalar_one()) - int(before) > 1
