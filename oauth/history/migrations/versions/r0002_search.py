"""Hosts, notes, saved views, indexes in the order of time, and the search index."""

import sqlalchemy as sa
from alembic import op

from oauth.addresses import host_of

revision = "0002"
down_revision = "0001"

_OLD_INDEXES = ("owner", "flow", "step", "status", "outcome", "documented_error", "error")
_INDEXES = ("owner", "case", "flow", "step", "status", "outcome", "documented_error", "error", "client_id", "host")
_SEARCHED = (
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

_BATCH = 1000

# PostgreSQL's own parser takes addresses and numbers apart in its own ways; without signs there are only words.
_SIGNS = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~«»“”„‘’–—…·№"

# A row's words may take a mebibyte in PostgreSQL and no more, or the row is refused.
_LONGEST = {"request_body": 100_000, "response_body": 200_000, "request_headers": 50_000, "response_headers": 50_000}


def upgrade() -> None:
    """Add what is new, fill it for the rows that are there."""
    for name in ("host", "note"):
        op.add_column("exchanges", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    _fill_hosts()
    for name in _OLD_INDEXES:
        op.drop_index(f"exchanges_by_{name}", "exchanges")
    op.create_index("exchanges_by_started_at", "exchanges", ["started_at", "id"])
    for name in _INDEXES:
        op.create_index(f"exchanges_by_{name}", "exchanges", [name, "started_at", "id"])
    op.create_table(
        "views",
        sa.Column("owner", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("query", sa.Text(), nullable=False),
    )
    if op.get_context().dialect.name == "sqlite":
        _search_in_sqlite()
    else:
        _search_in_postgresql()


def _fill_hosts() -> None:
    connection = op.get_bind()
    exchanges = sa.table("exchanges", sa.column("id"), sa.column("url"), sa.column("host"))
    last = 0
    query = sa.select(exchanges.c.id, exchanges.c.url).order_by(exchanges.c.id).limit(_BATCH)
    change = sa.update(exchanges).where(exchanges.c.id == sa.bindparam("row")).values(host=sa.bindparam("found"))
    while rows := connection.execute(query.where(exchanges.c.id > last)).all():
        connection.execute(change, [{"row": row.id, "found": host_of(row.url)} for row in rows])
        last = rows[-1].id


def _search_in_sqlite() -> None:
    names = ", ".join(f'"{name}"' for name in _SEARCHED)
    old = ", ".join(f'old."{name}"' for name in _SEARCHED)
    # The text itself stays in the exchanges only: what is indexed is forgotten by the words it was indexed with.
    op.execute(
        f"CREATE VIRTUAL TABLE exchanges_search USING fts5({names}, content='exchanges', content_rowid='id', "
        'tokenize="unicode61 remove_diacritics 0")'
    )
    op.execute("INSERT INTO exchanges_search (exchanges_search) VALUES ('rebuild')")
    op.execute("CREATE TABLE exchanges_unindexed (id INTEGER PRIMARY KEY)")
    forget = (
        f"INSERT INTO exchanges_search (exchanges_search, rowid, {names}) SELECT 'delete', old.id, {old} "  # noqa: S608
        "WHERE NOT EXISTS (SELECT 1 FROM exchanges_unindexed WHERE id = old.id)"
    )
    op.execute(
        "CREATE TRIGGER exchanges_inserted AFTER INSERT ON exchanges "
        "BEGIN INSERT INTO exchanges_unindexed (id) VALUES (new.id); END"
    )
    op.execute(
        f"CREATE TRIGGER exchanges_changed AFTER UPDATE OF {names} ON exchanges "  # noqa: S608
        f"BEGIN {forget}; INSERT OR IGNORE INTO exchanges_unindexed (id) VALUES (old.id); END"
    )
    op.execute(
        "CREATE TRIGGER exchanges_removed AFTER DELETE ON exchanges "  # noqa: S608
        f"BEGIN {forget}; DELETE FROM exchanges_unindexed WHERE id = old.id; END"
    )


def _search_in_postgresql() -> None:
    text = " || ' ' || ".join(
        f'left("{name}", {_LONGEST[name]})' if name in _LONGEST else f'"{name}"' for name in _SEARCHED
    )
    words = f"to_tsvector('simple', translate({text}, '{_SIGNS}', repeat(' ', {len(_SIGNS)})))"
    op.get_bind().exec_driver_sql(
        f"ALTER TABLE exchanges ADD COLUMN search tsvector GENERATED ALWAYS AS ({words}) STORED".replace("%", "%%")
    )
    op.execute("CREATE INDEX exchanges_by_search ON exchanges USING gin (search)")
