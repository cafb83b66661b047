import csv
import io
import json
import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from oauth.access import LOCAL, MINIMUM, Action, Person, Role
from oauth.access import person as module_of_person
from oauth.access.audit import Audit, Selection
from oauth.exchange import Exchange, Request, Response, Step
from oauth.exports import links
from oauth.exports.download import Download
from oauth.exports.layout import Layout
from oauth.exports.links import cookie_name
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.routes import downloads, routes
from oauth.routes.gate import PERSON
from oauth.settings import Settings
from tests.routes.conftest import serving


def sign(settings: Settings, filters: Filters, now: datetime, format: str = "csv", **named: Any) -> str:
    person: Person = named.pop("person", LOCAL)
    return links.sign(settings, filters, now, format, person=person.id, **named)


@pytest.fixture
def filled(history: History, clock: Callable[[], datetime]) -> History:
    for number in range(20):
        sent = Exchange(
            Step.API if number % 2 else Step.TOKEN,
            Request("GET", f"https://p.example/{number}"),
            clock(),
            owner="ada" if number % 4 else "bob",
        )
        id = history.begin(sent)
        answer = replace(sent, response=Response(200, body=b"{}"))
        history.complete(id, answer, documented_error=None, error="", error_description="")
    return history


def ids(answer: httpx.Response) -> list[int]:
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))]


def test_the_file_has_what_the_filters_show(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    everything = http.get(sign(settings, Filters(), clock()))
    assert everything.status_code == 200
    assert ids(everything) == list(range(20, 0, -1))
    some = http.get(sign(settings, Filters(step="api", status="2xx", by="ada"), clock()))
    assert ids(some) == [row.exchange.id for row in filled.rows(Filters(step="api", status="2xx", by="ada"))]
    assert len(ids(some)) == 10
    assert ids(http.get(sign(settings, Filters(by="bob"), clock()))) == [17, 13, 9, 5, 1]
    assert ids(http.get(sign(settings, Filters(text="nothing"), clock()))) == []


def test_the_answer_is_a_file_that_nobody_keeps_or_compresses(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    answer = http.get(sign(settings, Filters(), clock()), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="oauth-history-20261123-101619.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Encoding"] == "identity"
    assert answer.content.startswith(b"\xef\xbb\xbfid,started_at,")


def test_a_large_file_is_complete(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    body = b"x" * 1_000_000
    filled.begin(Exchange(Step.API, Request("POST", "https://p.example/big", (), body), clock()))
    answer = http.get(sign(settings, Filters(), clock()))
    assert answer.content.count(b"\r\n") == 22
    assert answer.content.count(body) == 1


def test_a_file_that_is_whole_at_once_comes_with_its_size_and_another_without(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 30.0)
    whole = http.get(sign(settings, Filters(), clock()))
    assert whole.headers["Content-Length"] == str(len(whole.content))
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    growing = http.get(sign(settings, Filters(), clock()))
    assert "Content-Length" not in growing.headers
    assert growing.content == whole.content


@pytest.mark.parametrize(("format", "media_type"), [("jsonl", "application/jsonl"), ("har", "application/json")])
def test_other_formats_have_links_of_their_own(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime], format: str, media_type: str
) -> None:
    link = sign(settings, Filters(by="bob"), clock(), format)
    answer = http.get(link)
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    assert answer.headers["Content-Disposition"].endswith(f'.{format}"')
    text = answer.content.decode()
    found = json.loads(text)["log"]["entries"] if format == "har" else [json.loads(line) for line in text.splitlines()]
    assert [one.get("id") or one["_id"] for one in found] == [17, 13, 9, 5, 1]
    assert http.get(link.replace(f".{format}", ".csv")).status_code == 403


def test_a_link_has_the_columns_and_the_time_zone_of_its_file(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    layout = Layout.of(["id", "started_at"], "Europe/Warsaw")
    answer = http.get(sign(settings, Filters(), clock(), layout=layout))
    first = next(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert list(first) == ["id", "started_at"]
    assert datetime.fromisoformat(first["started_at"]) == clock()
    assert not first["started_at"].endswith("Z")


def test_a_link_works_for_a_minute(
    filled: History, http: httpx.Client, settings: Settings, times: list[datetime]
) -> None:
    link = sign(settings, Filters(), times[0])
    times.append(times[0] + timedelta(seconds=60))
    assert http.get(link).status_code == 200
    times.append(times[0] + timedelta(seconds=61))
    answer = http.get(link)
    assert answer.status_code == 403
    assert "This link has expired" in answer.text
    assert 'href="/history"' in answer.text
    assert "p.example" not in answer.text


def test_a_link_that_was_not_signed_here_is_refused(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    path, token = sign(settings, Filters(by="ada"), clock()).split("?link=")
    foreign = sign(replace(settings, key=b"another key of the same length.."), Filters(), clock())
    content, _, signature = token.rpartition(".")  # a compressed content begins with a dot
    everybody = sign(settings, Filters(), clock()).split("?link=")[1].rpartition(".")[0]
    for wrong in (path, f"{path}?link=", f"{path}?link={content}", f"{path}?link={everybody}.{signature}", foreign):
        answer = http.get(wrong)
        assert answer.status_code == 403
        assert "This link has expired" in answer.text


def test_a_history_that_cannot_be_read_is_a_page_and_no_file(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime], tmp_path: Path
) -> None:
    filled.database.engine.dispose()
    (tmp_path / "history.db").write_bytes(b"\xff" * 8192)
    answer = http.get(sign(settings, Filters(), clock()))
    assert answer.status_code == 503
    assert "is damaged" in answer.text
    assert "Content-Disposition" not in answer.headers


@pytest.fixture
def full_disk(filled: History, clock: Callable[[], datetime]) -> Iterator[None]:
    """A history whose export no longer fits: no process of the test may write a file of more than 4 MB."""
    body = b"x" * 500_000
    for number in range(20):
        filled.begin(Exchange(Step.API, Request("POST", f"https://p.example/{number}", (), body), clock()))
    filled.database.engine.dispose()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("format", ["csv", "jsonl", "har"])
@pytest.mark.usefixtures("full_disk")
def test_a_file_that_breaks_off_does_not_look_whole(
    http: httpx.Client, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(sign(settings, Filters(), clock(), format))


@pytest.mark.usefixtures("full_disk")
def test_what_fails_before_anything_is_sent_is_a_page(
    http: httpx.Client, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 30.0)
    answer = http.get(sign(settings, Filters(), clock()))
    assert answer.status_code == 503
    assert "File too large" in answer.text


def test_a_slow_reader_does_not_keep_the_wal_from_being_cleared(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    for number in range(40):
        filled.begin(Exchange(Step.API, Request("POST", f"https://p.example/{number}", (), b"x" * 500_000), clock()))

    def cleared() -> bool:
        with sqlite3.connect(settings.home / "history.db", isolation_level=None) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.close()
        return bool(busy == 0)

    with http.stream("GET", sign(settings, Filters(), clock())) as answer:
        pieces = answer.iter_raw()
        content = next(pieces)
        until = time.monotonic() + 60
        while not cleared():
            assert time.monotonic() < until
        content += b"".join(pieces)
    assert content.count(b"x" * 500_000) == 40


def test_a_reader_that_leaves_ends_the_making(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed = threading.Event()

    class Watched(Download):
        def close(self) -> None:
            super().close()
            closed.set()

    monkeypatch.setattr(downloads, "Download", Watched)
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    for number in range(40):
        filled.begin(Exchange(Step.API, Request("POST", f"https://p.example/{number}", (), b"x" * 500_000), clock()))
    with http.stream("GET", sign(settings, Filters(), clock())) as answer:
        next(answer.iter_raw())
    assert closed.wait(30)


def test_only_get_is_answered(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    assert http.head(sign(settings, Filters(), clock())).status_code == 405


def test_a_link_works_once(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    link = sign(settings, Filters(), clock())
    assert http.get(link).status_code == 200
    answer = http.get(link)
    assert answer.status_code == 403
    assert "This link was already used" in answer.text
    assert http.get(sign(settings, Filters(), clock())).status_code == 200


def test_a_link_works_in_its_own_browser_only(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    link = sign(settings, Filters(), clock(), browser="ada's browser")
    name = cookie_name(settings)
    for cookies in ("", f"{name}=", f"{name}=another", "console=ada's browser", f"{name}=ada"):
        answer = http.get(link, headers={"Cookie": cookies})
        assert answer.status_code == 403
        assert "This link belongs to another browser" in answer.text
    assert "ada" not in link
    assert http.get(link, headers={"Cookie": f"other=1; {name}=ada's browser"}).status_code == 200


ANNA = Person("anna@login.example", "Anna", Role.READER)


def behind_a_gate(app: ASGIApp, people: Mapping[str, Person]) -> ASGIApp:
    """Return the application for people who say who they are in the header ``Person``."""

    async def admit(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, PERSON: people[Headers(scope=scope)["person"]]}, receive, send)

    return admit


def test_a_link_works_for_its_own_person_only_and_downloads_what_they_may_and_see(
    filled: History, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.begin(Exchange(Step.API, Request("GET", "https://p.example/own"), clock(), owner=ANNA.id))
    support = replace(ANNA, role=Role.SUPPORT)
    people = {"anna": support, "max": replace(support, id="max@login.example"), "anna as a reader": ANNA}

    beside = routes(settings, lambda: Recorder(filled, Vault(settings.key)), clock)
    app = behind_a_gate(Starlette(routes=beside), people)
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        link = sign(settings, Filters(), clock(), person=support)
        for person, words in (("max", "belongs to another person"), ("anna as a reader", "you need the role support")):
            refused = client.get(link, headers={"Person": person})
            assert (refused.status_code, words in refused.text) == (403, True)
        assert len(ids(client.get(link, headers={"Person": "anna"}))) == 21
        monkeypatch.setattr(module_of_person, "MINIMUM", {**MINIMUM, Action.READ_ALL: Role.ADMIN})
        again = sign(settings, Filters(), clock(), person=support)
        assert ids(client.get(again, headers={"Person": "anna"})) == [21], "her own"


def test_downloads_and_refused_links_are_in_the_audit_of_a_console_with_sign_in(
    filled: History, settings: Settings, clock: Callable[[], datetime]
) -> None:
    shared = replace(settings, sign_in="oidc", public_url="https://console.example")
    people = {"anna": replace(ANNA, role=Role.SUPPORT), "max": replace(ANNA, id="max@login.example", name="Max")}
    beside = routes(shared, lambda: Recorder(filled, Vault(settings.key)), clock)
    app = behind_a_gate(Starlette(routes=beside), people)
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        link = sign(shared, Filters(step="api"), clock(), person=people["anna"])
        assert client.get(link, headers={"Person": "max"}).status_code == 403
        assert client.get(link, headers={"Person": "anna"}).status_code == 200
        assert client.get(f"{link}x", headers={"Person": "max"}).status_code == 403
    rows = Audit(filled, Vault(settings.key), is_on=True).page(Selection(), None, 9)[::-1]
    assert [(row.name, row.event, row.object, row.detail, row.allowed) for row in rows] == [
        ("Max", "refusal", "/download/history.csv", "This link belongs to another person", False),
        ("Anna", "export", "step:api", "10 exchanges, csv", True),
        ("Max", "refusal", "/download/history.csv", "This link has expired", False),
    ]


def test_a_link_of_a_person_is_refused_by_a_console_without_sign_in(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    assert http.get(sign(settings, Filters(), clock(), person=ANNA)).status_code == 403


def test_a_link_whose_export_failed_works_again(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> Download:
        raise OSError(28, "No space left on device")

    link = sign(settings, Filters(), clock())
    with monkeypatch.context() as broken:
        broken.setattr(downloads, "Download", full)
        for _ in range(5):
            assert http.get(link).status_code == 503
    assert http.get(link).status_code == 200


class Held:
    """An export that runs until ``ended`` is called."""

    running: list["Held"]

    def __init__(
        self, _source: object, _format: str, _folder: Path, ended: Callable[[], None], _layout: Layout
    ) -> None:
        self.ended = ended
        self.running.append(self)

    def size(self, _patience: float) -> int:
        return 4

    def chunks(self) -> Iterator[bytes]:
        yield b"rows"

    def close(self) -> None:
        pass


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Held]:
    Held.running = []
    monkeypatch.setattr(downloads, "Download", Held)
    return Held.running


def test_four_exports_run_at_a_time_and_the_others_wait_in_order(
    filled: History,
    http: httpx.Client,
    settings: Settings,
    clock: Callable[[], datetime],
    times: list[datetime],
    held: list[Held],
) -> None:
    links = [sign(settings, Filters(), clock(), format) for format in ("csv", "jsonl", "har") for _ in range(10)]
    answers = [http.get(link) for link in links]
    assert [answer.status_code for answer in answers] == [200] * 4 + [503] * 26
    assert len(held) == 4
    waiting = answers[4]
    assert "waits for its turn" in waiting.text
    assert waiting.headers["Refresh"] == "2"
    for _ in range(3):
        # A link does not expire while it waits, and one that is no longer requested loses its place.
        times.append(times[-1] + timedelta(seconds=25))
        assert [http.get(link).status_code for link in links[6:8]] == [503, 503]
    held[0].ended()
    assert http.get(links[7]).status_code == 503
    assert http.get(links[6]).status_code == 200
    assert http.get(links[7]).status_code == 503
    held[1].ended()
    assert http.get(links[7]).status_code == 200
    assert "This link has expired" in http.get(links[4]).text
    assert len(held) == 6


def test_a_slow_reader_of_a_complete_file_keeps_nobody_waiting(
    filled: History, http: httpx.Client, settings: Settings, clock: Callable[[], datetime]
) -> None:
    for number in range(8):
        filled.begin(Exchange(Step.API, Request("POST", f"https://p.example/{number}", (), b"x" * 4_000_000), clock()))
    with ExitStack() as readers:
        for _ in range(5):
            link = sign(settings, Filters(), clock())
            until = time.monotonic() + 60
            while (answer := readers.enter_context(http.stream("GET", link))).status_code == 503:
                answer.close()  # until one of the four has ended
                assert time.monotonic() < until
            assert answer.status_code == 200
