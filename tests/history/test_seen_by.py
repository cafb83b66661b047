"""A person who may see their own exchanges only is told nothing of those of others.

Every public function of ``oauth/history``, of the hand-over and of the exports' query that reaches the database is in
one of two tables: ``SEEN`` calls it as such a person does, ``UNRESTRICTED`` says why it is about everybody's rows. One
that is in neither fails.
"""

import importlib
import inspect
import io
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select

import oauth.history
from oauth.exchange import Exchange
from oauth.exports import formats
from oauth.exports.query import source
from oauth.history import (
    charts,
    compare,
    counts,
    deletion,
    facets,
    recognise_again,
    repeats,
    secret_search,
    time_limits,
)
from oauth.history.counts import Counted
from oauth.history.filters import Filters
from oauth.history.past import HistoryPast
from oauth.history.saved_views import Views
from oauth.history.schema import PlainText, callbacks, exchanges, views
from oauth.history.store import History
from oauth.redaction import Vault

OWN, OTHER = "anna", "max"
CANARY = "canary7"
START = datetime(2026, 11, 23, 10, 16, 19, tzinfo=UTC)
NUMBER = 24
SECRET = "a-code-that-both-have-sent-0123456789"
PLACEHOLDER = Vault(b"key").placeholder("code", SECRET)
SECONDS = 60.0
KEPT = ("owner", "step", "outcome", "entry", "marks", "host", "failure")
"""Text columns that mean something to the database or the catalogue."""


def whose(number: int) -> str:
    """The newest row and every second one before it are another's."""
    return OTHER if number % 2 == 0 else OWN


def stored_row(number: int) -> dict[str, Any]:
    row = {column.name: "" for column in exchanges.c if isinstance(column.type, PlainText)} | {
        "id": number,
        "started_at": START + timedelta(minutes=number),
        "owner": whose(number),
        "flow": "shared",
        "step": "token",
        "method": "POST",
        "url": f"https://p.example/token?code={PLACEHOLDER}",
        "status": 200 if number % 6 < 4 else 400,
        "outcome": "2xx" if number % 6 < 4 else "4xx",
        "response_body": '{"error": "invalid_grant"}' if number % 6 > 3 else "{}",
        "response_cut": False,
        "duration_ms": 100 + number,
        "documented_error": None if number % 6 < 4 else 2,
        "provider": "sandbox",
        "client_id": "demo-app",
        "host": "p.example",
        "note": "word",
        "entry": "",
    }
    if whose(number) == OTHER:
        row |= {"note": f"word {CANARY}", "request_body": CANARY}
        if number % 4 == 0:
            row |= {name: CANARY for name in row if isinstance(exchanges.c[name].type, PlainText) and name not in KEPT}
    return row


def fill(history: History, *owners: str) -> None:
    """Replace what the database has by the rows of some owners."""
    with history.database.writing() as connection:
        for table in (exchanges, callbacks, views):
            connection.execute(delete(table))
        rows = [stored_row(number) for number in range(1, NUMBER + 1)]
        connection.execute(insert(exchanges), [row for row in rows if row["owner"] in owners])
        for owner in owners:
            labels = dict.fromkeys(("case", "provider", "client_id"), CANARY if owner == OTHER else "")
            times = {"created_at": START, "expires_at": START + timedelta(hours=1)}
            connection.execute(
                insert(callbacks).values(state_hash=owner, flow="shared", owner=owner, **labels, **times)
            )
            line = CANARY if owner == OTHER else "step:token"
            connection.execute(insert(views).values(owner=owner, name="same", query=line, layout=line))


def rows_of_the_other(history: History) -> list[Any]:
    with history.database.reading() as connection:
        tables = (exchanges, callbacks, views)
        return [connection.execute(select(table).where(table.c.owner == OTHER)).all() for table in tables]


def other_ids(history: History) -> range:
    return range(2, NUMBER + 1, 2)


LINES = (
    "",
    "word",
    "by:max",
    "status:2xx,4xx",
    "word status:2xx,4xx",
    CANARY,
    f"-{CANARY}",
    f"note:{CANARY},word",
    "flow:shared",
)
"""Filters of each of the ways in which a page is read."""

LATER = START + timedelta(days=1)


def each_line(ask: Callable[[Filters], Any]) -> list[Any]:
    return [ask(Filters.parse(line)) for line in LINES]


def each_other(ask: Callable[[int], Any]) -> list[Any]:
    return [ask(number) for number in range(NUMBER, 0, -2)]


def own_row(history: History) -> Any:
    row = history.get(15)
    assert row is not None
    return row


def exported(history: History) -> bytes:
    with history.database.reading():
        pass
    history.database.engine.dispose()
    output = io.BytesIO()
    formats.write(source(history, Filters()), "jsonl", output, lambda rows, octets: None)
    return output.getvalue()


def one_by_one(source_: Any) -> Any:
    return select(source_.c.id, source_.c.note).order_by(source_.c.id)


def one_by_owner(source_: Any) -> Any:
    number = counts.number_of(source_)
    return select(source_.c.owner, number).group_by(source_.c.owner).having(number > 0).order_by(source_.c.owner)


def mine(history: History) -> Views:
    return Views(history, history.owner or OTHER)


SEEN: Mapping[str, Callable[[History], Any]] = {
    "store.History.get": lambda history: each_other(history.get),
    "store.History.page": lambda history: [
        each_line(lambda filters: history.page(filters, None, 5)),
        each_line(lambda filters: history.page(filters, None, 50, with_content=False)),
        each_other(lambda number: history.page(Filters(), number, 3)),
        each_other(lambda number: history.page(Filters.parse("word"), number, 3)),
    ],
    "store.History.some_answered": lambda history: history.some_answered(other_ids(history)),
    "store.History.count": lambda history: each_line(history.count),
    "store.History.rows": lambda history: each_line(lambda filters: list(history.rows(filters))),
    "store.History.flow": lambda history: history.flow("shared"),
    "store.History.set_case": lambda history: history.set_case("shared", "T-1"),
    "store.History.set_row_case": lambda history: each_other(lambda number: history.set_row_case(number, "T-1")),
    "store.History.set_note": lambda history: each_other(lambda number: history.set_note(number, "mine")),
    "store.History.set_cause": lambda history: each_other(lambda number: history.set_cause(number, "mine")),
    "compare.last_success": lambda history: compare.last_success(history, own_row(history)),
    "deletion.last_id": deletion.last_id,
    "deletion.delete_shown": lambda history: [
        list(deletion.delete_shown(history, Filters.parse(line), NUMBER)) for line in (CANARY, "by:max", "step:token")
    ],
    "deletion.delete_row": lambda history: each_other(lambda number: deletion.delete_row(history, number)),
    "facets.facets": lambda history: each_line(lambda filters: list(facets.facets(history, filters, SECONDS))),
    "charts.errors": lambda history: each_line(lambda filters: charts.errors(history, filters, SECONDS, UTC)),
    "charts.durations": lambda history: each_line(lambda filters: charts.durations(history, filters, SECONDS)),
    "repeats.repeats": lambda history: each_line(lambda filters: repeats.repeats(history, filters, SECONDS)),
    "time_limits.ask": lambda history: [
        each_line(lambda filters: time_limits.ask(history, filters, 0, one_by_one)),
        each_line(lambda filters: time_limits.ask(history, filters, SECONDS, one_by_owner, Counted())),
    ],
    "time_limits.ask_all": lambda history: each_line(
        lambda filters: time_limits.ask_all(history, filters, SECONDS, one_by_one)
    ),
    "time_limits.count": lambda history: each_line(lambda filters: time_limits.count(history, filters, SECONDS)),
    "secret_search.sightings": lambda history: secret_search.sightings(history, Vault(b"key"), SECRET, SECONDS),
    "past.HistoryPast.flow": lambda history: HistoryPast(history).flow("shared"),
    "past.HistoryPast.sightings": lambda history: HistoryPast(history).sightings([PLACEHOLDER]),
    "past.HistoryPast.token_requests": lambda history: HistoryPast(history).token_requests("demo-app"),
    "recognise_again.recognise_again": lambda history: list(recognise_again.recognise_again(history))[-1],
    "saved_views.Views.all": lambda history: mine(history).all(),
    "saved_views.Views.layout": lambda history: mine(history).layout("same"),
    "saved_views.Views.save": lambda history: mine(history).save("same", Filters(step="api")),
    "saved_views.Views.rename": lambda history: mine(history).rename("same", "another"),
    "saved_views.Views.delete": lambda history: mine(history).delete("same"),
    "exports.query.source": exported,
}
"""Calls of a function as a person makes them, with the numbers and the names of another's rows."""

UNRESTRICTED: Mapping[str, str] = {
    "store.History.seen_by": "it makes the view",
    "store.History.own": "it gives the condition",
    "store.History.where": "it gives the condition",
    "store.History.begin": "it stores an exchange under the owner that sends it",
    "store.History.complete": "it completes the row that begin gave to the same sender; no number of a page reaches it",
    "store.History.add": "it stores what a file says, for roles that see everything",
    "past.HistoryPast.sent_to": "a provider limits the requests of an IP address, which all share: a number only",
    "typed_text.redacted": "a secret that anybody sent is written nowhere; who types one knows it already",
    "typed_text.is_any_indexed": "it compares fingerprints for redacted, and for sightings, which count what is seen",
    "deletion.announce_older": "retention concerns every row, and runs in the background",
    "deletion.delete_older": "retention concerns every row, and runs in the background",
    "retention.done_until": "it concerns no rows",
    "backup.back_up": "a backup has everything, and is made by whoever has the settings",
    "backup.restore": "a backup has everything, and is restored by whoever has the settings",
    "database.Database.check": "it reads no rows",
    "database.Database.explained": "it runs nothing",
    "database.Database.revision": "it concerns the tables",
    "database.unlimited": "it runs nothing",
    "retention.Retention.round": "retention concerns every row, and runs in the background",
    "database.Database.hold": "it concerns no rows",
    "database.Database.change_tables": "it opens a transaction",
    "database.Database.change_at_one_moment": "it opens a transaction",
    "database.Database.merge_counts": "it changes no number",
    "counts.source": "it has the conditions of the view, and ask and ask_all show its rows",
    "counts.merge": "it changes no number",
    "counts.fill": "it counts every row in the background, and returns none",
    "counts.count_all": "it counts every row of a restored backup",
    "counts.are_complete": "it reads no rows",
    "counts.lock": "it is a lock",
    "counts.number_before": "retention concerns every row, and runs in the background",
    "expiry.find": "retention concerns every row, and runs in the background",
    "expiry.drop": "retention concerns every row, and runs in the background",
    "counts.forget": "retention concerns every row, and runs in the background",
    "partitions.make_first": "it concerns the tables",
    "counts.count_again": "retention concerns every row, and runs in the background",
    "partitions.partitions": "it concerns the tables",
    "partitions.lay_out": "it concerns the tables, while they are empty",
    "partitions.replace_first": "retention concerns every row, and runs in the background",
    "partitions.Months.make": "it concerns the tables",
    "database.Database.let_go": "it concerns no rows",
    "listing.page": "its caller gives the conditions: History.page does",
    "listing.newest": "its caller gives the conditions: deletion does",
    "backfill.fill_entries": "it fills a column of every row in the background, and returns none",
    "search.is_behind": "it concerns the index",
    "search.catch_up": "it concerns the index",
    "search.merge": "it concerns the index",
    "database.Database.reading": "it opens a transaction",
    "database.Database.writing": "it opens a transaction",
    "database.Database.at_once": "it runs the statements of begin and complete",
    "database.Database.checkpoint": "it concerns the file",
    "database.Database.wipe": "it concerns the file",
    "database.Database.prepare": "it concerns the file",
    "database.Database.note_row": "it concerns the file",
    "database.Database.connect_apart": "it concerns the connection",
    "database.Database.check_key": "it concerns the installation",
    "database.Database.accept_key": "it concerns the installation",
    "misdirected.note": "it is a time",
    "misdirected.last": "it is a time",
    "neighbours.others": "it counts consoles",
    "shared_files.SharedFiles.refresh": "profiles and catalogues are everybody's",
    "shared_files.SharedFiles.put": "profiles and catalogues are everybody's",
    "shared_files.SharedFiles.remove": "profiles and catalogues are everybody's",
    "shared_files.SharedFiles.locked": "profiles and catalogues are everybody's",
    "elsewhere_lock.ElsewhereLock.take": "it is a lock, and names a drill",
    "elsewhere_lock.ElsewhereLock.holder": "it names a drill",
    "elsewhere_lock.ElsewhereLock.release": "it is a lock",
    "elsewhere_lock.ElsewhereLock.close": "it concerns the connection",
    "migrations.is_usable": "it concerns the tables",
    "migrations.revision_of": "it concerns the tables",
    "migrations.upgrade": "it concerns the tables",
    "postgresql.Connection.wait": "it concerns the connection",
    "handover.Handover.expect": "it stores a state under the owner of its flow",
    "handover.Handover.receive": "the state in the callback is the proof: the provider's redirect has no other",
    "handover.Handover.use": "the state is the proof",
    "handover.Handover.take": "the state is the proof: what arrived is encrypted with it",
    "handover.Handover.give_back": "the state is the proof: only who took it has it",
    "upkeep.Upkeep.start": "it runs in the background",
    "upkeep.Upkeep.stop": "it runs in the background",
    "upkeep.Upkeep.leave": "it writes that this process is gone",
    "upkeep.Upkeep.beat": "it writes that this process is alive",
    "upkeep.Upkeep.round": "it marks lost rows of every sender in the background",
}
"""Functions that are about everybody's rows, and why."""

REACH = ("History", "Database", "Connection")
"""Types whose values reach the database."""


def reaches(function: Any) -> bool:
    return any(
        name in str(parameter.annotation)
        for parameter in inspect.signature(function).parameters.values()
        for name in REACH
    )


def public(names: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name, item) for name, item in names.items() if not name.startswith("_") and inspect.isfunction(item))


def subjects() -> Iterator[str]:
    """The public functions and methods of the rooms that reach the database, with their modules."""
    names = [f"history.{info.name}" for info in pkgutil.iter_modules(oauth.history.__path__)]
    for path in (*names, "handover", "exports.query"):
        module, place = importlib.import_module(f"oauth.{path}"), path.removeprefix("history.")
        own = {name: item for name, item in vars(module).items() if getattr(item, "__module__", "") == module.__name__}
        yield from (f"{place}.{name}" for name, item in public(own) if reaches(item))
        for kind in filter(inspect.isclass, own.values()):
            if kind.__name__ in REACH or (not issubclass(kind, Exception) and reaches(kind)):
                yield from (f"{place}.{kind.__name__}.{name}" for name, _ in public(vars(kind)))


def test_every_function_that_reaches_the_database_is_restricted_or_says_why_not() -> None:
    assert set(subjects()) == {*SEEN, *UNRESTRICTED}
    assert not SEEN.keys() & UNRESTRICTED.keys()
    assert all(UNRESTRICTED.values())


def observed(call: Callable[[History], Any], history: History) -> tuple[str, list[Any]]:
    result = repr(call(history))
    return result, rows_of_the_other(history)


@pytest.mark.parametrize("name", SEEN)
def test_a_person_sees_and_changes_what_they_would_if_others_had_sent_nothing(name: str, history: History) -> None:
    call = SEEN[name]
    fill(history, OWN, OTHER)
    before = rows_of_the_other(history)
    seen, after = observed(call, history.seen_by(OWN))
    assert CANARY not in seen
    assert after == before, "another's rows are not changed"
    fill(history, OWN)
    alone, _ = observed(call, history.seen_by(OWN))
    assert seen == alone, "another's row is the same as a deleted one"
    fill(history, OWN, OTHER)
    assert observed(call, history) != (seen, before), "the call would show a difference"


def test_everybody_is_seen_by_whoever_is_not_restricted(history: History) -> None:
    fill(history, OWN, OTHER)
    assert history.seen_by(None).count(Filters()) == history.count(Filters()) == NUMBER
    assert history.seen_by("").count(Filters()) == 0, "nobody's rows belong to no person"


def test_what_a_person_keeps_is_theirs(history: History, exchange: Callable[..., Exchange]) -> None:
    own = history.seen_by(OWN)
    id = own.begin(exchange(owner=OWN))
    own.complete(id, exchange(owner=OWN), documented_error=None, error="", error_description="")
    assert own.get(id) == history.get(id)
    with history.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(exchanges)).scalar_one() == 1
