"""The tables of the history, in SQL that SQLite and PostgreSQL share.

The migrations add checks of times, steps, numbers and outcomes (``r0008_checks.py``). They hold for what is written;
a row that was damaged before is read without its damaged values (``store.to_row``).

A change here needs a migration in ``migrations/versions``; a test compares the two. The search index is not here: each
database has its own (``search.py``).
"""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

from oauth.exchange import HIGHEST_STATUS, LONGEST_MS, YEARS
from oauth.redaction.placeholders import storable


def utc_text(moment: datetime) -> str:
    """Format an aware time as ISO 8601 in UTC, to the microsecond: always 27 characters, so that it sorts."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_time(text: object) -> datetime | None:
    """Return the time that ``utc_text`` wrote, ``None`` for anything else, and outside of ``exchange.YEARS``."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None and moment.year in YEARS else None


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored as ``utc_text``: it sorts, is readable, and needs no conversion in exports."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> str | None:
        """The text to keep."""
        return None if value is None else utc_text(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> datetime | None:
        """The time, aware and in UTC; ``None`` for text that is not a time."""
        return read_time(value)


class PlainText(TypeDecorator[str]):
    """Text with the characters that some database rejects replaced (``redaction.placeholders.storable``)."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """The text to keep."""
        return None if value is None else storable(value)


class Wrong(StrEnum):
    """A fault of a damaged value, as it is shown."""

    TIME = "not a time in UTC"
    STEP = "not a step of the flow"
    NUMBER = "not a whole number in its range"
    TEXT = "not text"


RANGES = {"status": HIGHEST_STATUS, "duration_ms": LONGEST_MS, "documented_error": 2**31 - 1}
"""The columns with numbers, and the largest of each; the smallest is 0."""


def is_number(name: str, value: object) -> bool:
    """Return whether a column of ``RANGES`` may have a value."""
    return value is None or (type(value) is int and 0 <= value <= RANGES[name])


DRILL_CASE = "drill"
"""The case of the exchanges of drills."""

IMPORTED = "imported"
"""The mark of an imported row. It concerns this history and not the exchange, so exports leave it out."""


def _text(name: str) -> Column[str]:
    return Column(name, PlainText, nullable=False)


metadata = MetaData()

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("started_at", UtcTime, nullable=False),
    _text("owner"),
    _text("case"),
    _text("flow"),
    _text("step"),
    _text("method"),
    _text("url"),
    _text("request_headers"),
    _text("request_body"),
    Column("status", Integer),
    _text("reason"),
    _text("http_version"),
    _text("response_headers"),
    _text("response_body"),
    Column("response_cut", Boolean, nullable=False),
    Column("duration_ms", Integer),
    _text("failure"),
    _text("failure_detail"),
    # "2xx" and so on, "failed", or "none" without a response: equality on one column lets an index return a status
    # class in the order of the list, which a range of ``status`` cannot.
    _text("outcome"),
    Column("documented_error", Integer),
    _text("error"),
    _text("error_description"),
    _text("request_id"),
    _text("provider"),
    _text("client_id"),
    _text("host"),
    _text("note"),
    # Lower-case words separated by spaces: how the exchange was sent.
    Column("marks", PlainText, nullable=False, server_default=""),
    # The process that waits for the response, as a row of ``consoles``.
    Column("console", PlainText, nullable=False, server_default=""),
    # The id of the catalogue's entry that explains the exchange, empty when nothing failed. NULL in rows from before
    # there was this column, until ``backfill`` has reached them.
    Column("entry", PlainText),
    # The id of the cause that was proven when the exchange was diagnosed, empty where none was.
    Column("cause", PlainText, nullable=False, server_default=""),
    # The id of a deleted row is never reused: ids are in tickets and addresses.
    sqlite_autoincrement=True,
)

# Each serves one filter in the order of the list, newest first, from any row on (keyset pagination).
Index("exchanges_by_started_at", exchanges.c.started_at, exchanges.c.id)
for _name in ("flow", "step", "outcome", "client_id", "host"):
    Index(f"exchanges_by_{_name}", exchanges.c[_name], exchanges.c.started_at, exchanges.c.id)
# Without a response a row has neither, so that beginning an exchange does not write to these.
for _name in ("status", "documented_error"):
    _known = exchanges.c[_name].is_not(None)
    Index(
        f"exchanges_by_{_name}",
        exchanges.c[_name],
        exchanges.c.started_at,
        exchanges.c.id,
        sqlite_where=_known,
        postgresql_where=_known,
    )
Index("exchanges_by_provider", exchanges.c.provider, exchanges.c.started_at, exchanges.c.id)
# Most exchanges have none of these, and each index costs a page per row. ``is_some`` lets a query use such an index.
for _name in ("owner", "case", "error", "entry"):
    _some = exchanges.c[_name] != ""
    Index(
        f"exchanges_by_{_name}",
        exchanges.c[_name],
        exchanges.c.started_at,
        exchanges.c.id,
        sqlite_where=_some,
        postgresql_where=_some,
    )
_noted = exchanges.c.note != ""
Index(
    "exchanges_with_note",
    exchanges.c.started_at,
    exchanges.c.id,
    sqlite_where=_noted,
    postgresql_where=_noted,
)


def is_some(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a text is not empty, written so that a partial index serves it."""
    return column != literal_column("''", Text)


callbacks = Table(
    "callbacks",
    metadata,
    Column("state_hash", Text, primary_key=True),
    _text("flow"),
    _text("owner"),
    _text("case"),
    _text("provider"),
    _text("client_id"),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("received_at", UtcTime),
    Column("taken_at", UtcTime),
    Column("payload", LargeBinary),
    Index("callbacks_by_expires_at", "expires_at"),
    Index("callbacks_by_flow", "flow"),
)

consoles = Table(
    "consoles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seen_at", UtcTime, nullable=False),
)
"""The processes that record exchanges, with their heartbeats."""

backfills = Table(
    "backfills",
    metadata,
    Column("name", Text, primary_key=True),
    Column("below", BigInteger, nullable=False),
)
"""Columns that are being filled for old rows: those with smaller ids are still to do."""

views = Table(
    "views",
    metadata,
    Column("owner", PlainText, primary_key=True),
    Column("name", PlainText, primary_key=True),
    _text("query"),
    # How the view is exported (``exports.layout.Layout``), empty for all columns in UTC.
    Column("layout", PlainText, nullable=False, server_default=""),
)

people = Table(
    "people",
    metadata,
    Column("id", PlainText, primary_key=True),
    _text("name"),
    _text("email"),
    _text("role"),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
)
"""Everybody who signed in, with the label of the role that they had last."""

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("until", UtcTime, nullable=False),
)
"""SHA-256 of the names of sessions that were signed out, kept until the sessions would have ended by themselves."""

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcTime, nullable=False),
    _text("person"),
    _text("name"),
    _text("role"),
    _text("address"),
    _text("event"),
    _text("object"),
    _text("detail"),
    Column("allowed", Boolean, nullable=False),
    Index("audit_by_at", "at", "id"),
    Index("audit_by_person", "person", "at", "id"),
    Index("audit_by_event", "event", "at", "id"),
    sqlite_autoincrement=True,
)
"""Who did what. Triggers refuse to change a row, and to delete one that is not older than ``audit_retention`` says."""

audit_retention = Table("audit_retention", metadata, Column("days", Integer, primary_key=True, autoincrement=False))
"""The days that a row of the audit is kept: one row, or none, which keeps all."""

tokens = Table(
    "tokens",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    _text("scopes"),
    _text("created_by"),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
)
"""Tokens of programs: SHA-256 of each, its scopes separated by spaces, and the person who made it."""

limits = Table(
    "limits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("until", Float, nullable=False),
)
"""The rates of requests: for each who sends them, the Unix time at which the whole rate is free again."""

kept_flows = Table(
    "kept_flows",
    metadata,
    Column("id", Text, primary_key=True),
    _text("browser"),
    _text("flow"),
    _text("provider"),
    _text("client"),
    _text("console"),
    Column("generation", BigInteger, nullable=False),
    Column("saved_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("payload", LargeBinary),
    Index("kept_flows_by_expires_at", "expires_at"),
    Index("kept_flows_by_browser", "browser"),
    Index("kept_flows_by_flow", "flow"),
)
"""The flows of browsers (``kept_flows.py``), by a hash of a name that only the browser has.

``payload`` is encrypted with a key that only the browser has, and NULL where the console keeps it in memory.
"""

own_files = Table(
    "own_files",
    metadata,
    Column("kind", PlainText, primary_key=True),
    Column("id", PlainText, primary_key=True),
    _text("content"),
    Column("saved_at", UtcTime, nullable=False),
)
"""Own profiles and catalogues of the consoles that share the database: ``kind`` is "profile" or "catalogue"."""

installation = Table(
    "installation",
    metadata,
    Column("name", PlainText, primary_key=True),
    _text("value"),
)
"""Facts that all consoles with this database agree on, such as the proof that they have the same key."""

exchange_counts = Table(
    "exchange_counts",
    MetaData(),
    # The name of a unit of ``counts.py``, and the begin of ``started_at``.
    _text("unit"),
    _text("period"),
    _text("owner"),
    # "drill", "import", both or neither.
    _text("origin"),
    _text("case"),
    _text("step"),
    _text("outcome"),
    Column("status", Integer),
    Column("documented_error", Integer),
    _text("error"),
    Column("entry", PlainText),
    _text("provider"),
    _text("client_id"),
    Column("number", BigInteger, nullable=False),
    Column("merged", Boolean, nullable=False),
)
"""The number of exchanges by time and what they have in common (``counts.py``), in PostgreSQL only, kept by triggers.

The exchanges are counted by the sum of ``number``: each change adds rows, which are merged in the background.
"""
