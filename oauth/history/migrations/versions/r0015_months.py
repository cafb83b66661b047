"""PostgreSQL's table of exchanges as partitions by time, and counts of them.

The table that was there becomes the only partition, so nothing is copied; ``partitions.py`` makes those of the months.
It has the names that the partitioned table does not take over. Triggers keep the counts; those of a large table's rows
are made in the background (``counts.py``). SQLite has one table and no counts, as before.
"""

import sqlalchemy as sa
from alembic import op

from oauth.history.migrations.beside_traffic import outside_of_transactions

revision = "0015"
down_revision = "0014"
only_adds = True

SMALL = 64 * 2**20
"""Octets of a table that is counted at once, while nobody can write to it."""

_TEXTS = ("unit", "period", "owner", "origin", "case", "step", "outcome", "error", "entry", "provider", "client_id")
_NUMBERS = "status", "documented_error"
_NAMES = ", ".join(f'"{name}"' for name in (*_TEXTS, *_NUMBERS))

_ERROR = "documented_error", "error", "entry"
_COMMON = "owner", "origin", "step", "outcome", "status", *_ERROR, "provider", "client_id"
_UNITS = (
    ("month", 7, _COMMON, "true"),
    ("case", 7, ("owner", "origin", "case"), "\"case\" <> ''"),
    ("day", 10, _COMMON, "true"),
    ("hour", 13, ("owner", "origin", "step", *_ERROR), "documented_error IS NOT NULL"),
)
_ORIGIN = (
    "(CASE WHEN \"case\" = 'drill' THEN 'drill ' ELSE '' END "
    "|| CASE WHEN position('imported' IN marks) > 0 THEN 'import' ELSE '' END)"
)


def upgrade() -> None:
    """Make the partitioned table of the one that is there, and count its rows if they are few."""
    if op.get_context().dialect.name == "sqlite":
        return
    _make_index("exchanges_past_pkey", "UNIQUE", "(id, started_at)")  # the key of a partition
    # Upkeep looks for lost ones every few seconds, and rows without a response are many in the end.
    _make_index("exchanges_waiting", "", "(started_at, id) WHERE outcome = 'none' AND failure = ''")
    op.execute("LOCK TABLE exchanges IN ACCESS EXCLUSIVE MODE")
    size = op.get_bind().execute(sa.text("SELECT pg_relation_size('exchanges')")).scalar_one()
    _partition()
    _make_counts()
    if size <= SMALL:
        op.execute("SELECT exchange_counts_add('', NULL)")
    else:
        op.execute("INSERT INTO backfills (name, below) VALUES ('exchange counts', 999999)")


def _make_index(name: str, unique: str, columns: str) -> None:
    """Make an index while the table is written to, unless the try before did: then the table was in use afterwards."""
    valid = f"SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{name}') AND indisvalid"  # noqa: S608
    if op.get_bind().execute(sa.text(valid)).first():
        return
    with outside_of_transactions() as is_outside:
        how = "CONCURRENTLY " if is_outside else ""
        op.execute(f"DROP INDEX {how}IF EXISTS {name}")
        op.execute(f"CREATE {unique} INDEX {how}{name} ON exchanges {columns}")


def _partition() -> None:
    bind = op.get_bind()
    sequence = bind.execute(sa.text("SELECT pg_get_serial_sequence('exchanges', 'id')")).scalar_one()
    indexes = bind.execute(
        sa.text(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() "
            "AND tablename = 'exchanges' AND indexname NOT IN ('exchanges_pkey', 'exchanges_past_pkey')"
        )
    ).all()
    for name, _ in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace('exchanges_', 'exchanges_past_', 1)}")
    op.execute("ALTER TABLE exchanges RENAME TO exchanges_past")
    op.execute("ALTER TABLE exchanges_past DROP CONSTRAINT exchanges_pkey")
    op.execute("ALTER TABLE exchanges_past ADD PRIMARY KEY USING INDEX exchanges_past_pkey")
    op.execute(
        "CREATE TABLE exchanges (LIKE exchanges_past INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED "
        "INCLUDING STORAGE, CONSTRAINT exchanges_pkey PRIMARY KEY (id, started_at)) PARTITION BY RANGE (started_at)"
    )
    op.execute(f"ALTER SEQUENCE {sequence} OWNED BY exchanges.id")
    for _, definition in indexes:
        bind.exec_driver_sql(definition.replace("%", "%%"))
    op.execute("ALTER TABLE exchanges ATTACH PARTITION exchanges_past FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")


def _make_counts() -> None:
    op.create_table(
        "exchange_counts",
        *(sa.Column(name, sa.Text(), nullable=name == "entry") for name in _TEXTS),
        *(sa.Column(name, sa.Integer()) for name in _NUMBERS),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("merged", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index("exchange_counts_by_period", "exchange_counts", ["period"])
    op.create_index("exchange_counts_to_merge", "exchange_counts", ["period"], postgresql_where=sa.text("NOT merged"))
    # Many of its rows are of the current day, and replaced every few seconds.
    op.execute("ALTER TABLE exchange_counts SET (autovacuum_vacuum_scale_factor = 0.02)")
    bind = op.get_bind()
    of_time = "(SELECT * FROM exchanges WHERE started_at >= since AND (until IS NULL OR started_at < until)) AS counted"
    bind.exec_driver_sql(
        "CREATE FUNCTION exchange_counts_add(since text, until text) RETURNS void LANGUAGE plpgsql AS $$ "
        f"BEGIN {_counted(of_time, merged=True)} END $$"
    )
    both = "(SELECT *, 1 AS change FROM added UNION ALL SELECT *, -1 FROM removed) AS changed"
    bind.exec_driver_sql(
        f"""CREATE FUNCTION exchanges_count() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN {_counted("added")}
            ELSIF TG_OP = 'DELETE' THEN {_counted("removed", "-count(*)")}
            ELSIF TG_OP = 'UPDATE' THEN {_counted(both, "sum(change)", "HAVING sum(change) <> 0")}
            ELSE TRUNCATE exchange_counts;
            END IF;
            RETURN NULL;
        END $$"""
    )
    for event, rows in {
        "INSERT": "REFERENCING NEW TABLE AS added",
        "UPDATE": "REFERENCING NEW TABLE AS added OLD TABLE AS removed",
        "DELETE": "REFERENCING OLD TABLE AS removed",
        "TRUNCATE": "",
    }.items():
        op.execute(
            f"CREATE TRIGGER exchanges_count_{event.lower()} AFTER {event} ON exchanges {rows} "
            "FOR EACH STATEMENT EXECUTE FUNCTION exchanges_count()"
        )


def _counted(rows: str, number: str = "count(*)", having: str = "", *, merged: bool = False) -> str:
    """Return the statements that add the counts of some rows; with ``merged``, those of periods that have none yet."""
    statements = []
    for unit, length, columns, condition in _UNITS:
        special = {"unit": f"'{unit}'", "period": f"left(started_at, {length})", "origin": _ORIGIN}
        values = [
            special.get(name, f'"{name}"')
            if name in ("unit", "period", *columns)
            else "NULL::integer"
            if name in _NUMBERS
            else "''"
            for name in (*_TEXTS, *_NUMBERS)
        ]
        keys = ", ".join(str(place) for place in range(1, len(values) + 1))
        counted = (
            f"SELECT {', '.join(values)}, {number}, {merged} FROM {rows} WHERE {condition} GROUP BY {keys} {having}"  # noqa: S608
        )
        statements.append(f"INSERT INTO exchange_counts ({_NAMES}, number, merged) {counted};")
    return " ".join(statements)
