import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect

from oauth.history import migrations
from oauth.history.schema import metadata
from oauth.history.store import History


def _differences(connection: Connection) -> Any:
    """What the database has and the tables of the schema have not, or the other way round; apart from the search."""
    names = set(metadata.tables)
    options = {"include_name": lambda name, kind, _: kind != "table" or name in names}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_the_migrations_lead_to_the_schema(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        assert not migrations.is_current(connection)
        migrations.upgrade(connection)
    with engine.begin() as connection:
        assert migrations.is_current(connection)
        assert _differences(connection) == []
        assert {"exchanges", "callbacks"} < set(inspect(connection).get_table_names())
    engine.dispose()


def test_the_comparison_sees_a_difference(path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrations.upgrade(connection)
        connection.exec_driver_sql("DROP INDEX exchanges_by_step")
        connection.exec_driver_sql("ALTER TABLE exchanges DROP COLUMN request_id")
        differences = _differences(connection)
    engine.dispose()
    assert sorted(difference[0] for difference in differences) == ["add_column", "add_index"]


def test_two_processes_that_start_at_once_both_get_the_schema(path: Path, open_history: Callable[..., History]) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from oauth.history.store import History; "
        "history = History(sys.argv[1], lambda: datetime.now(UTC)); print('ready', flush=True); sys.stdin.readline(); "
        "history.database.prepare(); history.database.engine.dispose()"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", script, f"sqlite:///{path}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in starting:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    with open_history().database.reading() as connection:
        assert migrations.is_current(connection)
