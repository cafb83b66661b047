"""Changes of the table of exchanges while exchanges are recorded.

PostgreSQL makes indexes and looks for rows that break a check outside of a transaction. A migration that was
interrupted there is repeated, so what it left is made again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from oauth.history.deadlines import MIGRATION_LOCK_SECONDS


def create_index(name: str, columns: list[str], where: str | None = None) -> None:
    """Create an index, in the place of one with this name; ``where`` is the condition of its rows."""
    partitions = _partitions()
    if not partitions:
        with outside_of_transactions() as is_outside:
            _create_one(name, "exchanges", columns, where, is_outside)
        return
    # An index of all partitions is made concurrently in each of them, and valid when all have it.
    op.drop_index(name, "exchanges", if_exists=True)
    names = ", ".join(f'"{column}"' for column in columns)
    op.execute(f"CREATE INDEX {name} ON ONLY exchanges ({names})" + (f" WHERE {where}" if where else ""))
    of_partitions = {table: name.replace("exchanges", table, 1) for table in partitions}
    with outside_of_transactions() as is_outside:
        for table, index in of_partitions.items():
            _create_one(index, table, columns, where, is_outside)
    for index in of_partitions.values():
        op.execute(f"ALTER INDEX {name} ATTACH PARTITION {index}")


def _create_one(name: str, table: str, columns: list[str], where: str | None, is_outside: bool) -> None:
    condition = None if where is None else sa.text(where)
    op.drop_index(name, table, if_exists=True, postgresql_concurrently=is_outside)
    op.create_index(
        name,
        table,
        columns,
        sqlite_where=condition,
        postgresql_where=condition,
        postgresql_concurrently=is_outside,
    )


def _partitions() -> list[str]:
    """Return the partitions of PostgreSQL's table."""
    if op.get_context().dialect.name == "sqlite":
        return []
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'exchanges'::regclass ORDER BY 1"
    return list(op.get_bind().execute(sa.text(query)).scalars())


def add_checks(conditions: Mapping[str, str]) -> None:
    """Add checks to PostgreSQL's table, by name, in the place of those with these names."""
    checks = [
        f"DROP CONSTRAINT IF EXISTS {name}, ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID"
        for name, condition in conditions.items()
    ]
    op.execute(f"ALTER TABLE exchanges {', '.join(checks)}")
    with outside_of_transactions():
        for name in conditions:
            op.execute(f"ALTER TABLE exchanges VALIDATE CONSTRAINT {name}")


@contextmanager
def outside_of_transactions() -> Iterator[bool]:
    """Commit, and leave PostgreSQL's transaction where the migrations have one of their own; yield whether they do."""
    context = op.get_context()
    if not context.opts["concurrently"]:
        yield False
        return
    with context.autocommit_block():
        # What is done here waits for open transactions, and nobody waits for it.
        op.execute("SET lock_timeout = 0")
        yield True
        op.execute(f"SET lock_timeout = {MIGRATION_LOCK_SECONDS * 1000:.0f}")
