"""A generated history: ``python -m tests.benchmarks.history_data ADDRESS [--rows 1000000] [--seed 1]``.

ADDRESS is that of a database, as in CONSOLE_DATABASE_URL: an SQLite file that is not there yet, or an empty database of
PostgreSQL. The same seed gives the same exchanges: flows of several clients, cases and sites over 90 days, with errors
in about one of eight, as support meets them. Every value that would be a secret is a placeholder already.
"""

import argparse
import heapq
import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import psycopg
from sqlalchemy import Connection

from oauth.addresses import host_of
from oauth.catalogue import documented
from oauth.history.database import Database, unlimited
from oauth.history.recognition import entry_of
from oauth.history.schema import utc_text
from oauth.history.store import to_row

END = datetime(2026, 11, 24, tzinfo=UTC)
DAYS = 90

SITES = ("www.olx.pl", "www.olx.ua", "www.olx.bg", "www.olx.ro", "www.olx.pt", "www.olx.kz", "www.olx.uz")
CLIENTS = ("demo-app", "machine-app", "website-app", *(str(200_100 + number) for number in range(37)))
OWNERS = ("", "", "", "ada", "bob", "eva")
NAMES = ("Anna", "Piotr", "Олена", "Иван", "Maria", "João", "Айгүл", "Demo")
AGENT = "python-httpx/0.28.1"

COLUMNS = (
    "started_at",
    "owner",
    "case",
    "flow",
    "step",
    "method",
    "url",
    "request_headers",
    "request_body",
    "status",
    "reason",
    "http_version",
    "response_headers",
    "response_body",
    "response_cut",
    "duration_ms",
    "failure",
    "failure_detail",
    "outcome",
    "documented_error",
    "error",
    "error_description",
    "request_id",
    "provider",
    "client_id",
    "host",
    "note",
    "entry",
)

Values = dict[str, Any]


def exchanges(rows: int, seed: int = 1) -> Iterator[tuple[Any, ...]]:
    """The values of ``COLUMNS``, oldest first, in the ``utc_text`` form of times."""
    chance = random.Random(seed)
    entries: dict[tuple[Any, ...], str] = {}
    open_flows: list[tuple[str, int, Values]] = []
    number = 0
    # A flow has five exchanges or so.
    pace = timedelta(days=DAYS) * 5 / max(rows, 1)
    begins = END - timedelta(days=DAYS)

    def settled() -> Iterator[tuple[Any, ...]]:
        nonlocal number, begins
        while True:
            for values in _flow(chance, begins, entries):
                number += 1
                heapq.heappush(open_flows, (values["started_at"], number, values))
            begins += pace * chance.uniform(0.2, 1.8)
            reached = utc_text(begins)
            while open_flows and open_flows[0][0] <= reached:
                values = heapq.heappop(open_flows)[2]
                yield tuple(values[name] for name in COLUMNS)

    return islice(settled(), rows)


def _flow(chance: random.Random, at: datetime, entries: dict[tuple[Any, ...], str]) -> Iterator[Values]:
    """The exchanges of one flow, in order; ``entries`` are those of the kinds of exchange that came before."""
    site = SITES[min(int(chance.expovariate(0.7)), len(SITES) - 1)]
    client = CLIENTS[min(int(chance.expovariate(0.15)), len(CLIENTS) - 1)]
    common = {
        "owner": chance.choice(OWNERS),
        "case": f"T-{chance.randrange(20_000)}" if chance.random() < 0.3 else "",
        "flow": _mark(chance),
        "provider": "olx" if chance.random() < 0.9 else "sandbox",
        "client_id": client,
        "note": "waits for the customer" if chance.random() < 0.002 else "",
    }
    token, site_url = _mark(chance), f"https://{site}"
    steps = ["authorize", "callback", "token", *["api"] * min(int(chance.expovariate(0.6)), 8)]
    if chance.random() < 0.3:
        steps.append("refresh")
    for step in steps:
        at += timedelta(milliseconds=chance.expovariate(1 / 20_000))
        values = common | {"started_at": utc_text(at), "step": step} | _request(chance, step, site_url, client, token)
        answered = _answer(chance, step, token)
        values |= answered | {"host": host_of(values["url"])}
        kind = step, answered["status"], answered["failure"], answered["documented_error"], answered["error"]
        if kind not in entries:
            row = to_row(values | {"id": 0, "marks": "", "entry": None, "cause": ""})
            entries[kind] = entry_of(row.exchange, row.documented_error)
        yield values | {"entry": entries[kind]}
        if answered["outcome"] != "2xx" and step in ("token", "refresh", "callback"):
            return


def _request(chance: random.Random, step: str, site: str, client: str, token: str) -> Values:
    host = site.removeprefix("https://")
    headers = f"Host: {host}\nAccept: application/json\nAccept-Encoding: gzip\nConnection: close\nUser-Agent: {AGENT}"
    state = f"«state #{_mark(chance)} 32ch»"
    if step == "authorize":
        query = f"client_id={client}&response_type=code&state={state}&scope=read+write+v2"
        return _sent("GET", f"{site}/oauth/authorize/?{query}", headers, "")
    if step == "callback":
        address = f"http://localhost:8501/callback?code=«code #{_mark(chance)} 40ch»&state={state}"
        return _sent("GET", address, f"Host: localhost:8501\nReferer: {site}/\nAccept-Language: pl", "")
    if step == "api":
        path = chance.choice(("users/me", "cities", "adverts", f"adverts/{chance.randrange(10**8)}", "categories"))
        bearer = f"Authorization: Bearer «access_token #{token} 40ch»\nVersion: 2.0"
        return _sent("GET", f"{site}/api/partner/{path}", f"{headers}\n{bearer}", "")
    grant = "refresh_token" if step == "refresh" else "authorization_code"
    credential = "refresh_token" if step == "refresh" else "code"
    sent = {
        "grant_type": grant,
        "client_id": client,
        "client_secret": f"«client_secret #{client:0>10} 64ch»",
        credential: f"«{credential} #{_mark(chance)} 40ch»",
        "scope": "read write v2",
    }
    body = json.dumps(sent, ensure_ascii=False)
    more = f"Content-Type: application/json\nContent-Length: {len(body.encode())}"
    return _sent("POST", f"{site}/api/open/oauth/token", f"{headers}\n{more}", body)


def _sent(method: str, url: str, headers: str, body: str) -> Values:
    return {"method": method, "url": url, "request_headers": headers, "request_body": body}


def _answer(chance: random.Random, step: str, token: str) -> Values:
    lot = chance.random()
    duration = int(chance.lognormvariate(5, 0.8))
    if lot < 0.004:
        return _ended(None, "", duration)
    if lot < 0.015:
        return _ended(None, "timeout" if lot < 0.010 else "refused", 10_000)
    if step == "authorize":
        return _ended(302, "", duration * 40, body="")
    if step == "callback":
        return _ended(200, "", 2, body="")
    if lot < 0.025:
        status = chance.choice((500, 502, 503))
        return _ended(
            status, "", duration, body="<html><head><title>Error</title></head><body>Bad gateway</body></html>"
        )
    if lot < 0.15:
        return _refused(chance, step, duration)
    if step == "api":
        return _ended(200, "", duration, body=_user(chance), id=_mark(chance))
    tokens = {
        "access_token": f"«access_token #{token} 40ch»",
        "expires_in": 86400,
        "token_type": "bearer",
        "scope": "read write v2",
        "refresh_token": f"«refresh_token #{_mark(chance)} 40ch»",
    }
    return _ended(200, "", duration, body=json.dumps(tokens, ensure_ascii=False), id=_mark(chance))


def _user(chance: random.Random) -> str:
    number, name = chance.randrange(10**8), f"{chance.choice(NAMES)} {chance.randrange(10**4)}"
    return json.dumps(
        {
            "data": {
                "id": number,
                "uuid": f"{chance.getrandbits(128):032x}",
                "name": name,
                "email": f"user{number}@mail.example",
                "phone": f"+48 5{chance.randrange(10**8):08}",
                "is_business": chance.random() < 0.2,
                "created_at": f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02}-14 10:00",
                "last_login_at": f"2026-11-{chance.randrange(1, 25):02} 08:{chance.randrange(60):02}",
                "avatar": f"https://img.example/{number}.jpg",
            }
        }
    )


def _refused(chance: random.Random, step: str, duration: int) -> Values:
    numbers = {"api": (7, 7, 7, 8, 9), "refresh": (11, 11, 6), "token": (1, 2, 2, 2, 2, 3, 4, 5, 6, 6, 10)}[step]
    entry = documented()[chance.choice(numbers)]
    told = {"error": entry.error, "error_description": entry.description}
    if chance.random() < 0.02:
        told, number = {"error": "temporarily_unavailable", "error_description": "Try again later"}, None
    else:
        number = entry.number
    body = json.dumps(told)
    return _ended(entry.status or 400, "", duration, body=body, id=_mark(chance)) | {
        "documented_error": number,
        "error": told["error"],
        "error_description": told["error_description"],
    }


def _ended(status: int | None, failure: str, duration: int, *, body: str = "", id: str = "") -> Values:
    headers = "Server: nginx\nVary: Accept-Encoding\nCache-Control: no-store\nTransfer-Encoding: chunked"
    if id:
        headers += f"\nContent-Type: application/json; charset=utf-8\nX-Request-Id: {id}"
    reasons = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized"}
    return {
        "status": status,
        "reason": reasons.get(status, "") if status else "",
        "http_version": "HTTP/1.1" if status else "",
        "response_headers": headers if status else "",
        "response_body": body,
        "response_cut": False,
        "duration_ms": duration if status or failure else None,
        "failure": failure,
        "failure_detail": "The connection was not made in time" if failure else "",
        "outcome": f"{status // 100}xx" if status else "failed" if failure else "none",
        "documented_error": None,
        "error": "",
        "error_description": "",
        "request_id": id,
    }


def _mark(chance: random.Random) -> str:
    return f"{chance.getrandbits(40):010x}"


def load(database: Database, rows: int, seed: int = 1) -> None:
    """Fill an empty database at once: without indexes, which are made at the end."""
    with database.writing() as connection:
        if connection.dialect.name == "sqlite":
            _load_sqlite(connection, rows, seed)
        else:
            with unlimited(connection):
                _load_postgresql(connection, rows, seed)
    with (
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        unlimited(connection) if connection.dialect.name == "postgresql" else nullcontext(),
    ):
        connection.exec_driver_sql("ANALYZE")


def _load_sqlite(connection: Connection, rows: int, seed: int) -> None:
    made = connection.exec_driver_sql(
        "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'exchanges' AND type IN ('index', 'trigger') "
        "AND sql IS NOT NULL"
    ).all()
    for kind, name, _ in made:
        connection.exec_driver_sql(f"DROP {kind} {name}")
    names, marks = ", ".join(f'"{name}"' for name in COLUMNS), ", ".join("?" * len(COLUMNS))
    source = connection.connection.driver_connection
    assert isinstance(source, sqlite3.Connection)
    source.executemany(f"INSERT INTO exchanges ({names}) VALUES ({marks})", exchanges(rows, seed))
    for _, _, sql in made:
        connection.exec_driver_sql(sql)
    connection.exec_driver_sql("INSERT INTO exchanges_search (exchanges_search) VALUES ('rebuild')")


def _load_postgresql(connection: Connection, rows: int, seed: int) -> None:
    made = connection.exec_driver_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'exchanges' AND indexname <> 'exchanges_pkey'"
    ).all()
    for name, _ in made:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    source = connection.connection.driver_connection
    assert isinstance(source, psycopg.Connection)
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    with source.cursor() as cursor, cursor.copy(f"COPY exchanges ({names}) FROM STDIN") as copy:
        for values in exchanges(rows, seed):
            copy.write_row(values)
    for _, definition in made:
        connection.exec_driver_sql(definition.replace(" ON ONLY ", " ON "))


def main() -> None:
    """Generate, and say how long it took."""
    parser = argparse.ArgumentParser(description="Fill an empty history with generated exchanges.")
    parser.add_argument("address", help="of the database, such as sqlite:////folder/history.db")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.perf_counter()
    database = Database(arguments.address, lambda: datetime.now(UTC))
    load(database, arguments.rows, arguments.seed)
    with database.reading() as connection:
        lengths = " + ".join(f'coalesce(length(CAST("{name}" AS text)), 0)' for name in COLUMNS)
        size = connection.exec_driver_sql(f"SELECT sum({lengths}) / count(*) FROM exchanges").scalar_one()
    print(f"{arguments.rows:,} exchanges of {size} characters in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
