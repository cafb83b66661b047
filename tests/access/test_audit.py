import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError

from oauth.access import chores, sign_outs
from oauth.access.audit import LONGEST, Audit, Entry, Event, Selection
from oauth.access.limits import Rate
from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.exchange import Exchange, Request
from oauth.exports.audit_file import csv
from oauth.history.database import HistoryError
from oauth.history.schema import audit as table
from oauth.history.schema import audit_retention
from oauth.history.store import History
from oauth.history.upkeep import Upkeep
from oauth.redaction import Vault
from tests.servers.postgresql import Server

ADA = Person("7@login.example", "Ada", Role.ADMIN)
BOB = Person("8@login.example", "Bob", Role.READER)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""Old by the clock of the database too, which is the machine's."""

SECRET = "s3cr3tOfACustomer0123456789"


@pytest.fixture
def audit(history: History) -> Audit:
    return Audit(history, Vault(b"key"), is_on=True)


def everything(audit: Audit) -> list[Entry]:
    return [entry for batch in audit.entries(Selection()) for entry in batch]


def test_action_is_recorded_with_who_when_where_and_what(audit: Audit, clock: Callable[[], datetime]) -> None:
    audit.record(ADA, Event.EXPORT, "status:4xx since:2h", detail="371 exchanges, csv", address="198.51.100.7")
    audit.record(BOB, Event.REFUSAL, "/download/history.csv", detail="forged link", allowed=False)
    assert everything(audit) == [
        Entry(2, clock(), BOB.id, "Bob", "reader", "", "refusal", "/download/history.csv", "forged link", False),
        Entry(1, clock(), ADA.id, "Ada", "admin", "198.51.100.7", "export", "status:4xx since:2h",
              "371 exchanges, csv", True),
    ]  # fmt: skip


def test_console_without_sign_in_records_nothing(audit: Audit) -> None:
    replace(audit, is_on=False).record(ADA, Event.DELETION, "row 7")
    assert everything(audit) == []


def test_secrets_are_not_recorded(
    audit: Audit, exchange: Callable[..., Exchange], stored: Callable[[], bytes], history: History
) -> None:
    history.begin(audit.vault.redact(exchange(request=Request("GET", f"https://p.example/?code={SECRET}"))))
    token = "oc_" + "Ab3_x-9" * 6 + "Z"
    shown = f"{SECRET} {token} client_secret=hunter2hunter2hunter2"
    audit.record(replace(ADA, name=token), Event.EXPORT, shown, detail=shown, address=f"10.0.0.1, {token}")
    octets = stored()
    for secret in (SECRET, token, "hunter2"):
        assert secret.encode() not in octets
    [entry] = everything(audit)
    assert entry.address.startswith("10.0.0.1, «")


def test_long_texts_are_cut_off(audit: Audit) -> None:
    audit.record(ADA, Event.EXPORT, "x, " * 2000, detail="short")
    [entry] = everything(audit)
    assert len(entry.object) == LONGEST
    assert entry.object.endswith("…")


def test_action_is_refused_when_it_cannot_be_recorded(audit: Audit) -> None:
    def rename(before: str, after: str) -> None:
        with audit.history.database.writing() as connection:
            connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    rename("audit", "missing")
    try:
        with pytest.raises(HistoryError):
            audit.record(ADA, Event.DELETION, "row 7")
    finally:
        rename("missing", "audit")


def test_pages_follow_each_other_and_can_be_filtered(audit: Audit, times: list[datetime]) -> None:
    start = times[-1]
    for number in range(6):
        times.append(start + timedelta(hours=number // 2))  # two at the same time
        audit.record((ADA, BOB)[number % 2], (Event.REVEAL, Event.EXPORT, Event.IMPORT)[number % 3], str(number))

    def found(selection: Selection) -> str:
        pages, last = "", None
        while page := audit.page(selection, last, 2):
            pages, last = pages + "".join(entry.object for entry in page), page[-1]
        assert audit.count(selection) == len(pages)
        return pages

    assert found(Selection()) == "543210"
    assert found(Selection(person=BOB.id)) == "531"
    assert found(Selection(event="export")) == "41"
    assert found(Selection(person=BOB.id, event="export")) == "1"
    assert found(Selection(since=start + timedelta(hours=1))) == "5432"
    assert found(Selection(before=start + timedelta(hours=1))) == "10"
    assert str(Selection(BOB.id, "export", start)) == f"person:{BOB.id} event:export since:2026-11-23T10:16Z"


@pytest.fixture
def refused(audit: Audit, database_url: str) -> Iterator[Callable[[str], str]]:
    """Runs SQL beside the console, as its own user; returns the words with which it is refused."""
    audit.record(ADA, Event.REVEAL, "row 7")
    engine = create_engine(database_url)

    def run(statement: str) -> str:
        try:
            with engine.begin() as connection:
                connection.execute(text(statement))
        except DBAPIError as error:
            return str(error.orig)
        return ""

    yield run
    engine.dispose()


def test_rows_are_not_changed_or_deleted_by_sql(audit: Audit, refused: Callable[[str], str], database_url: str) -> None:
    before = everything(audit)
    statements = ["UPDATE audit SET person = 'x'", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1"]
    if database_url.startswith("sqlite"):
        statements.append("INSERT OR REPLACE INTO audit SELECT * FROM audit")
    else:
        statements.append("TRUNCATE audit")
    for statement in statements:
        assert "append only" in refused(statement), statement
    assert everything(audit) == before


def test_rows_are_kept_as_long_as_the_database_says(audit: Audit, refused: Callable[[str], str]) -> None:
    with audit.history.database.writing() as connection:
        connection.execute(insert(audit_retention).values(days=30))
    assert "append only" in refused("DELETE FROM audit")
    _add(audit, datetime.now(UTC) - timedelta(days=29))
    assert "append only" in refused("DELETE FROM audit WHERE object = 'old'")
    _add(audit, LONG_AGO)
    assert refused("DELETE FROM audit WHERE at < '2021'") == ""
    assert audit.count(Selection()) == 2


def _add(audit: Audit, at: datetime, number: int = 1) -> None:
    row: dict[str, Any] = dict.fromkeys(("person", "name", "role", "address", "detail"), "")
    rows = [row | {"at": at, "event": "reveal", "object": "old", "allowed": True}] * number
    with audit.history.database.writing() as connection:
        connection.execute(insert(table), rows)


def test_old_rows_are_deleted_with_a_row_that_says_so(audit: Audit, clock: Callable[[], datetime]) -> None:
    _add(audit, LONG_AGO, 3)
    audit.record(ADA, Event.REVEAL, "row 7")
    assert audit.delete_older(clock()) == 0, "all are kept by default"
    limited = replace(audit, days=365)
    assert limited.delete_older(clock()) == 3
    deletion, kept = everything(audit)
    assert (deletion.person, deletion.event, deletion.object) == ("console", "deletion", "audit")
    assert deletion.detail.startswith("3 rows from before 20")
    assert kept.object == "row 7"
    assert limited.delete_older(clock()) == 0
    assert audit.count(Selection()) == 2, "a deletion of nothing has no row"


def test_retention_can_be_lifted_again(audit: Audit, clock: Callable[[], datetime]) -> None:
    replace(audit, days=365).delete_older(clock())
    audit.delete_older(clock())
    with audit.history.database.reading() as connection:
        assert connection.execute(select(audit_retention)).all() == []


def test_clock_that_runs_ahead_deletes_nothing_young(audit: Audit, clock: Callable[[], datetime]) -> None:
    _add(audit, datetime.now(UTC) - timedelta(days=300))
    assert replace(audit, days=365).delete_older(clock() + timedelta(days=3650)) == 0


def test_upkeep_deletes_what_is_old_once_a_day_and_records_it(
    audit: Audit, history: History, exchange: Callable[..., Exchange], times: list[datetime]
) -> None:
    now = times[-1]
    limited = replace(audit, days=365)
    upkeep = Upkeep(
        history,
        lambda: times[-1],
        7,
        before_deletion=audit.record_deletion,
        daily=lambda at: chores.remove_old(limited, at),
    )
    history.begin(replace(exchange(), started_at=now - timedelta(days=8)))
    _add(audit, LONG_AGO)
    sign_outs.end(history.database, "s", now - timedelta(days=1))
    Rate(1, 60).take(history.database, "token a")
    for seconds in (0, 10, 20, 30):
        times.append(now + timedelta(seconds=seconds))
        upkeep.round()
    said = [(entry.object, entry.detail) for entry in everything(audit)]
    assert [name for name, _ in said] == ["audit", "exchanges"]
    assert said[1][1] == "1 from before 2026-11-16 10:16 UTC"
    assert not sign_outs.has_ended(history.database, "s")
    _add(audit, LONG_AGO)
    upkeep.round()
    assert audit.count(Selection(before=LONG_AGO + timedelta(days=1))) == 1
    times.append(now + timedelta(days=1, minutes=1))
    upkeep.round()
    assert audit.count(Selection(before=LONG_AGO + timedelta(days=1))) == 0


def test_csv_is_neutral_for_spreadsheets(audit: Audit) -> None:
    audit.record(replace(ADA, name="=1+1"), Event.EXPORT, 'case:"a, b"', detail="@SUM(A1)", address="-1")
    octets = b"".join(csv(audit, Selection(), 1000))
    assert octets.decode("utf-8-sig").split("\r\n") == [
        "id,at,person,name,role,address,event,object,detail,allowed",
        '1,2026-11-23T10:16:19.000042Z,7@login.example,\'=1+1,admin,\'-1,export,"case:""a, b""",\'@SUM(A1),true',
        "",
    ]


@pytest.fixture
def hardened(postgresql_server: Server, clock: Callable[[], datetime]) -> Iterator[History]:
    """The history of a console whose tables of the audit belong to another role, as the documentation says."""
    name = postgresql_server.new_database()
    postgresql_server.execute("CREATE ROLE plain_console LOGIN PASSWORD 'plain'")
    postgresql_server.execute(f"ALTER DATABASE {name} OWNER TO plain_console")
    history = History(postgresql_server.url(name, user="plain_console", password="plain"), clock)
    history.database.prepare()
    page = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
    [statements] = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    statements = statements.replace("DATABASE console", f"DATABASE {name}")
    for statement in re.sub(r"\bconsole\b", "plain_console", statements).split(";\n")[:-1]:
        postgresql_server.execute(statement, name)
    yield history
    history.database.engine.dispose()
    postgresql_server.execute(f"DROP DATABASE {name}")
    for role in ("plain_console", "console_audit"):
        postgresql_server.execute(f"DROP ROLE {role}")


def test_role_that_does_not_own_the_audit_records_and_cannot_undo_it(
    hardened: History, clock: Callable[[], datetime]
) -> None:
    audit = Audit(hardened, Vault(b"key"), is_on=True, days=365)
    audit.record(ADA, Event.REVEAL, "row 7")
    _add(audit, LONG_AGO)
    assert audit.delete_older(clock()) == 1
    for statement in (
        "UPDATE audit SET person = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DROP TABLE audit",
        "ALTER TABLE audit DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_is_append_only ON audit",
        "DROP FUNCTION audit_refuse() CASCADE",
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "UPDATE audit_retention SET days = 0",
        "DELETE FROM audit_retention",
        "DROP SCHEMA public CASCADE",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(HistoryError), hardened.database.writing() as connection:
            connection.execute(text(statement))
    with hardened.database.writing() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE audit_retention AS SELECT 0 AS days"))
        with pytest.raises(DBAPIError), connection.begin_nested():
            connection.execute(text("DELETE FROM public.audit"))
        connection.execute(text("DROP TABLE pg_temp.audit_retention"))
    with pytest.raises(HistoryError):
        replace(audit, days=1).delete_older(clock())
    assert audit.count(Selection()) == 2
