"""Pages of the list beside Datasette serving the same file: ``python -m tests.benchmarks.history_list``.

A page is 50 exchanges, newest first: the first one, and the 10,000th, or the last full one where a filter shows less.
Ours is ``History.page``, the call that the History page makes. Datasette's is the page that it serves a browser with
the same filter, order and place (its own keyset, ``_next``), as it is set up from the start, and beside it the least it
can be asked for: JSON without count, facets and suggestions. Both go over HTTP. The 1,000-row column is the same first
page in a history of 1,000 exchanges, chosen so that it is the same page there, as full and of the same exchanges.
Datasette is installed into ``--folder``, a temporary one if none is given;
``--history`` is a file made by ``history_data``, or else one is made.
"""

import argparse
import json
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
from sqlalchemy import ColumnElement, insert, select

from oauth.history import listing
from oauth.history.database import Database
from oauth.history.filters import Filters, where
from oauth.history.schema import exchanges, utc_text
from oauth.history.store import History
from tests.benchmarks.history_data import END, load
from tests.servers import postgresql
from tests.servers.running import free_port

DATASETTE = "datasette==0.65.5"
PAGE = 50
DEEP = 10_000
FEW = 1000
ROUNDS = 15
LONGEST = 2.0

FILTERS: dict[str, Mapping[str, str]] = {
    "": {},
    "step:token": {"step": "token"},
    "status:4xx": {"outcome": "4xx"},
    "status:401": {"status": "401"},
    "status:failed": {"outcome": "failed"},
    "error:2": {"documented_error": "2"},
    "error:invalid_token": {"error": "invalid_token"},
    "client:demo-app": {"client_id": "demo-app"},
    "case:T-1234": {"case": "T-1234"},
    "host:www.olx.ua": {"host": "www.olx.ua"},
    "provider:sandbox": {"provider": "sandbox"},
    "by:ada": {"owner": "ada"},
    "-step:api": {"step__not": "api"},
    "since:2026-10-01 until:2026-10-07": {"started_at__gte": "2026-10-01", "started_at__lt": "2026-10-08"},
    "step:token status:4xx": {"step": "token", "outcome": "4xx"},
    "client:demo-app error:2": {"client_id": "demo-app", "documented_error": "2"},
    "step:token,refresh status:5xx": {"step__in": "token,refresh", "outcome": "5xx"},
    "nginx": {"_search": "nginx"},
    "gateway": {"_search": "gateway"},
    "temporarily": {"_search": "temporarily"},
    "invalid_grant step:token": {"_search": '"invalid grant"', "step": "token"},
    "gateway client:demo-app": {"_search": "gateway", "client_id": "demo-app"},
    "missing": {"_search": "missing"},
}
"""Filter lines, and the same in Datasette's parameters."""


@dataclass(frozen=True)
class Place:
    """A row of the list, whose following page is read."""

    id: int
    started_at: str


def fastest(read: Callable[[], object]) -> float:
    """Seconds of the fastest of some rounds; a slow one needs fewer."""
    best, begun = float("inf"), time.perf_counter()
    for _ in range(ROUNDS):
        started = time.perf_counter()
        read()
        best = min(best, time.perf_counter() - started)
        if time.perf_counter() - begun > LONGEST:
            break
    return best


def filters(line: str) -> Filters:
    """The filters of a line, at the end of the generated time."""
    return Filters.parse(line).resolved(END, UTC)


def deep(history: History, line: str) -> Place | None:
    """Where the 10,000th page begins, or the last full one."""
    wanted = filters(line)
    skipped = min((DEEP - 1) * PAGE, history.count(wanted) - PAGE) - 1
    if skipped < PAGE:
        return None
    order = exchanges.c.started_at.desc(), exchanges.c.id.desc()
    query = select(exchanges.c.id, exchanges.c.started_at).where(*where(wanted)).order_by(*order)
    with history.database.reading() as connection:
        found = connection.execute(query.offset(skipped).limit(1)).one()
    return Place(found.id, utc_text(found.started_at))


@contextmanager
def datasette(file: Path, folder: Path) -> Iterator[str]:
    """Datasette serving the file; gives the address of the table."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", DATASETTE], check=True)
    table = {"fts_table": "exchanges_search", "fts_pk": "id"}
    metadata = folder / "metadata.json"
    metadata.write_text(json.dumps({"databases": {file.stem: {"tables": {"exchanges": table}}}}))
    port = free_port()
    options = ["--port", str(port), "--metadata", str(metadata), "--setting", "sql_time_limit_ms", "60000"]
    command = [str(python), "-m", "datasette", "serve", str(file), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/-/versions.json")
                except httpx.TransportError:
                    assert time.monotonic() < deadline, "Datasette did not start"
                    time.sleep(0.1)
                else:
                    break
            yield f"http://127.0.0.1:{port}/{file.stem}/exchanges"
        finally:
            process.terminate()


def theirs(client: httpx.Client, url: str, wanted: Mapping[str, str], place: Place | None) -> Callable[[], object]:
    """A read of one page from Datasette: as a browser gets it, or as JSON the least it can be asked for."""
    parameters = {"_size": str(PAGE), "_sort_desc": "started_at"}
    if url.endswith(".json"):
        parameters |= {"_nocount": "1", "_nofacet": "1", "_nosuggest": "1"}
    if place is not None:
        at = "".join(c if c.isalnum() or c in "-_" else f"~{ord(c):02X}" for c in place.started_at)
        parameters["_next"] = f"{at},{place.id}"

    def read() -> httpx.Response:
        answer = client.get(url, params={**parameters, **wanted}, timeout=120)
        answer.raise_for_status()
        return answer

    return read


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Pages of the list beside Datasette.")
    parser.add_argument("--history", type=Path, help="a generated SQLite history of a million exchanges")
    parser.add_argument("--postgresql", help="the address of a generated one in PostgreSQL")
    parser.add_argument("--folder", type=Path, help="where Datasette is, or will be, installed")
    parser.add_argument("--rows", type=int, default=1_000_000, help="to generate (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file = arguments.history or folder / "million.db"
        if arguments.history is None:
            _load(f"sqlite:///{file}", arguments.rows)
        small = f"sqlite:///{folder / 'small.db'}"
        programs = postgresql.programs()
        if arguments.postgresql or programs is None:
            _compare(file, small, arguments.postgresql, arguments.folder or folder)
            return
        with postgresql.running_server(programs) as server:
            url = server.url(server.new_database())
            _load(url, arguments.rows)
            _compare(file, small, url, arguments.folder or folder)


def _load(address: str, rows: int) -> None:
    database = Database(address, lambda: datetime.now(UTC))
    load(database, rows)
    database.engine.dispose()


def _compare(file: Path, small: str, postgresql_url: str | None, folder: Path) -> None:
    ours, few = (History(address, lambda: END) for address in (f"sqlite:///{file}", small))
    _choose(ours, few)
    other = History(postgresql_url, lambda: END) if postgresql_url else None
    names = "SQLite", "1,000", "ratio", "Datasette", "ratio", "least", "ratio", "PostgreSQL"
    print(f"{'ms':<38}" + "".join(f"{name:>11}" for name in names))
    with datasette(file, folder) as url, httpx.Client() as client:
        for line, wanted in FILTERS.items():
            deepest = deep(ours, line)
            for place in (None, deepest) if deepest else (None,):
                reads = [theirs(client, f"{url}{kind}", wanted, place) for kind in ("", ".json")]
                _one_line(line, place, (ours, few, other), reads)
    for history in (ours, few, *([other] if other else [])):
        history.database.engine.dispose()


def _branches(line: str) -> list[list[ColumnElement[bool]]]:
    return [where(branch) for branch in filters(line).branches()]


def _choose(ours: History, few: History) -> None:
    """Copy the exchanges of every first page, and the newest of the others up to ``FEW``."""
    with ours.database.reading() as connection:
        pages = [listing.page(connection, _branches(line), (), None, PAGE) for line in FILTERS]
        rows = {row["id"]: dict(row) for page in pages for row in page}
        rest = [row for row in listing.page(connection, _branches(""), (), None, FEW) if row["id"] not in rows]
    rows |= {row["id"]: dict(row) for row in rest[: max(0, FEW - len(rows))]}
    with few.database.writing() as connection:
        connection.execute(insert(exchanges), [rows[id] for id in sorted(rows)])
    for line in FILTERS:
        shown = filters(line)
        assert few.page(shown, None, PAGE) == ours.page(shown, None, PAGE), line


def _one_line(
    line: str,
    place: Place | None,
    histories: tuple[History, History, History | None],
    reads: Sequence[Callable[[], object]],
) -> None:
    shown, (ours, few, other) = filters(line), histories
    before = place.id if place else None
    million = fastest(lambda: ours.page(shown, before, PAGE))
    thousand = fastest(lambda: few.page(shown, None, PAGE)) if place is None else None
    page, least = map(fastest, reads)
    in_postgresql = fastest(lambda: other.page(shown, before, PAGE)) if other else None
    name = (line or "all") + (", deep" if place else "")
    times = f"{million / thousand:.1f}" if thousand else ""
    figures = (
        _ms(million),
        _ms(thousand),
        times,
        _ms(page),
        f"{page / million:.1f}",
        _ms(least),
        f"{least / million:.1f}",
    )
    print(f"{name:<38}" + "".join(f"{figure:>11}" for figure in (*figures, _ms(in_postgresql))), flush=True)


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:.2f}"


if __name__ == "__main__":
    main()
