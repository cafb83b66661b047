"""The query of an export, which the server makes, and a process of its own reads (``arrow_reader.py``)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Dialect, Select, literal_column, select

from oauth.history.database import with_password
from oauth.history.deadlines import CONNECTION
from oauth.history.filters import Filters
from oauth.history.schema import exchanges
from oauth.history.store import History

PLACE_OF_COLUMNS = "the_columns"
"""What stands in a query for the columns that its reader chooses."""

UNFILLED = "?"
"""The entry of a row that the backfill has not reached: an id that the catalogue does not have."""


@dataclass(frozen=True, slots=True)
class Source:
    """A query of a database: its address for ADBC, its name without a password, and the SQL with its parameters."""

    sqlite: bool
    address: str
    name: str
    query: str
    parameters: tuple[Any, ...]


def source(history: History, filters: Filters) -> Source:
    """Create the source of the exchanges of a history that match ``filters``, newest first."""
    parsed = history.database.engine.url
    dialect_of: Callable[..., Dialect] = parsed.get_dialect()
    if parsed.get_backend_name() == "sqlite":
        dialect, name = dialect_of(paramstyle="qmark"), parsed.database or ""
        address = _file_address(parsed)
    else:
        dialect, name = dialect_of(paramstyle="numeric_dollar"), parsed.render_as_string(hide_password=True)
        settings = {name: str(value) for name, value in CONNECTION.items()}
        bare = with_password(parsed).set(drivername="postgresql", query={**settings, **parsed.query})
        address = bare.render_as_string(hide_password=False)
    columns = exchanges.c
    query: Select[Any] = (
        select(literal_column(PLACE_OF_COLUMNS))
        .select_from(exchanges)
        .where(*history.where(filters))
        .order_by(columns.started_at.desc(), columns.id.desc())
    )
    compiled = query.compile(dialect=dialect)
    expanded = compiled.construct_expanded_state()

    def parameter(key: str) -> Any:
        # Those of a list have processors of their own; SQLAlchemy leaves the others to its own execution.
        processor = expanded.processors.get(key)
        if processor is None and key in compiled.binds:
            processor = compiled.binds[key].type.dialect_impl(dialect).bind_processor(dialect)
        value = expanded.parameters[key]
        return value if processor is None else processor(value)

    parameters = tuple(map(parameter, expanded.positiontup or ()))
    return Source(dialect.name == "sqlite", address, name, expanded.statement, parameters)


def _file_address(url: URL) -> str:
    database = url.database or ""
    if database.startswith("file:"):
        return database
    return f"{Path(database).absolute().as_uri()}?mode=ro"
