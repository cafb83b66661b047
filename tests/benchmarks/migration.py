"""Migrating PostgreSQL beside the traffic: ``python -m tests.benchmarks.migration [--rows 100000] [--revision 0003]``.

A database of an old revision is filled, and migrated as a console does when it starts, while another program records:
a row is added and changed every 20 ms. Prints how long the migration took, and the longest wait of the recording.
"""

import argparse
import sys
import time
from datetime import UTC, datetime
from threading import Event, Thread

import psycopg
from sqlalchemy import create_engine, inspect

from oauth.history import migrations
from oauth.history.database import Database
from oauth.history.schema import utc_text
from tests.benchmarks import history_data
from tests.servers import postgresql


def main() -> None:
    """Fill, migrate and print."""
    parser = argparse.ArgumentParser(description="Migrate PostgreSQL while exchanges are recorded.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--revision", default="0003", help="where the migration begins; default: 0003")
    arguments = parser.parse_args()
    programs = postgresql.programs()
    if programs is None:
        sys.exit("PostgreSQL is not installed.")
    with postgresql.running_server(programs, durable=True) as server:
        address = server.url(server.new_database())
        columns = _fill(address, arguments.revision, arguments.rows)
        waits: list[float] = []
        ended = Event()
        recording = Thread(target=_record, args=(address, columns, waits, ended))
        recording.start()
        database = Database(address, lambda: datetime.now(UTC))
        start = time.monotonic()
        database.prepare()
        seconds = time.monotonic() - start
        database.engine.dispose()
        ended.set()
        recording.join()
    print(
        f"{arguments.rows:,} rows from {arguments.revision} to {migrations.HEAD} in {seconds:.1f} s; {len(waits):,} "
        f"recordings meanwhile, 99 % within {sorted(waits)[int(len(waits) * 0.99)] * 1000:.0f} ms, "
        f"the longest {max(waits) * 1000:.0f} ms"
    )


def _fill(address: str, revision: str, rows: int) -> list[str]:
    engine = create_engine(address)
    with engine.begin() as connection:
        migrations.upgrade(connection, revision)
        columns = [column["name"] for column in inspect(connection).get_columns("exchanges")]
    engine.dispose()
    places = [index for index, name in enumerate(history_data.COLUMNS) if name in columns]
    names = [history_data.COLUMNS[index] for index in places]
    with psycopg.connect(address) as source, source.cursor() as cursor:
        with cursor.copy(f"COPY exchanges ({_list(names)}) FROM STDIN") as copy:
            for values in history_data.exchanges(rows):
                copy.write_row([values[index] for index in places])
        source.commit()
        source.autocommit = True
        source.execute("VACUUM ANALYZE exchanges")
    return names


def _record(address: str, names: list[str], waits: list[float], ended: Event) -> None:
    values = dict(zip(history_data.COLUMNS, next(history_data.exchanges(1)), strict=True))
    row = [values[name] for name in names]
    insert = f"INSERT INTO exchanges ({_list(names)}) VALUES ({', '.join(['%s'] * len(names))}) RETURNING id"
    with psycopg.connect(address, autocommit=True) as connection:
        while not ended.wait(0.02):
            start = time.monotonic()
            row[names.index("started_at")] = utc_text(datetime.now(UTC))
            added = connection.execute(insert, row).fetchone()
            assert added is not None
            connection.execute("UPDATE exchanges SET response_body = '{}' WHERE id = %s", added)
            waits.append(time.monotonic() - start)


def _list(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


if __name__ == "__main__":
    main()
