import re
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Route

from oauth import kept_flows
from oauth.exchange import Step
from oauth.handover import Handover, Labels, Outcome
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.kept_flows import Kept, KeptFlows
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.routes import routes
from oauth.settings import Settings
from oauth_sandbox.testing import serving

STATE = "a-state-that-nobody-can-guess-4711"
CODE = "the-secret-code-of-this-callback-0815"


class Page(HTMLParser):
    """What a browser makes of a page: its text, and the names of its elements and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def handover_of(history: History) -> Handover:
    return Handover(history.database)


@pytest.fixture
def waiting(history: History) -> Iterator[History]:
    """The history, with a flow that is kept, and waits for its callback."""
    handover_of(history).expect(
        STATE, Labels(flow="f", owner="ada", case="T-1", provider="sandbox", client_id="demo-app")
    )
    flows = KeptFlows(history.database, timedelta(hours=1))
    flow = Kept(1, history.database.clock(), kept_flows.Labels("f"), payload=b"everything")
    assert flows.save(flows.name("a cookie", "ada"), flow)
    yield history
    kept_flows._memory.clear()


def lock(history: History, path: Path) -> sqlite3.Connection:
    """Lock the history as another program would, and let the console find out at once."""
    history.database.engine.dispose()
    event.listen(history.database.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=0"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_code_is_handed_over_and_the_page_says_so(waiting: History, http: httpx.Client) -> None:
    answer = http.get("/callback", params={"code": CODE, "state": STATE, "iss": "https://provider.example"})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert "The code arrived." in page.text
    assert "can be closed" in page.text
    for name in ("code", "state", "iss", "https://provider.example", f"{len(CODE)} characters, not shown"):
        assert name in page.text
    assert CODE not in answer.text
    assert STATE not in answer.text
    received = handover_of(waiting).take(STATE)
    assert received is not None
    assert received.parameters == (("code", CODE), ("state", STATE), ("iss", "https://provider.example"))


def test_a_code_whose_flow_was_lost_is_not_said_to_go_on(waiting: History, http: httpx.Client) -> None:
    kept_flows._memory.clear()  # as a restart does
    answer = http.get("/callback", params={"code": CODE, "state": STATE})
    page = Page(answer.text)
    assert answer.status_code == 200
    assert "the flow that asked for it was lost" in page.text
    assert "go back" not in page.text
    assert "script" not in page.elements  # the address is left to be copied
    assert waiting.flow("f")


def test_a_code_that_is_faster_than_the_console_finds_its_flow(history: History, http: httpx.Client) -> None:
    handover_of(history).expect(STATE, Labels(flow="f"))
    flows = KeptFlows(history.database, timedelta(hours=1))
    flow = Kept(1, history.database.clock(), kept_flows.Labels("f"), payload=b"everything")
    opened = threading.Timer(0.5, flows.save, (flows.name("a cookie", "ada"), flow))
    opened.start()
    page = Page(http.get("/callback", params={"code": CODE, "state": STATE}).text)
    opened.join()
    assert "The console keeps it for your flow" in page.text
    kept_flows._memory.clear()


def test_a_code_for_a_tab_that_may_be_gone_promises_nothing(
    history: History, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["oauth.routes.callback"], "TRIES", 1)
    handover_of(history).expect(STATE, Labels(flow="f"))
    page = Page(http.get("/callback", params={"code": CODE, "state": STATE}).text)
    assert "The tab of the console that waits for it takes it" in page.text
    assert "copy the address of this page" in page.text
    assert "script" not in page.elements


def test_the_callback_is_in_the_history_of_its_flow_without_its_secrets(
    waiting: History, http: httpx.Client, tmp_path: Path
) -> None:
    http.get("/callback", params={"code": CODE, "state": STATE}, headers={"Cookie": "session=cookie-secret-9999"})
    [row] = waiting.flow("f")
    exchange = row.exchange
    assert (exchange.step, exchange.request.method) == (Step.CALLBACK, "GET")
    assert (exchange.owner, exchange.case, exchange.provider, exchange.client_id) == (
        "ada",
        "T-1",
        "sandbox",
        "demo-app",
    )
    assert exchange.response is not None
    assert (exchange.response.status, row.documented_error, row.error) == (200, None, "")
    assert "/callback?code=" in exchange.request.url
    content = b"".join(file.read_bytes() for file in tmp_path.glob("history.db*"))
    assert b"/callback?code=" in content
    for secret in (CODE, STATE, "cookie-secret-9999"):
        assert secret.encode() not in content


def test_an_error_redirect_is_handed_over_and_recognised(waiting: History, http: httpx.Client) -> None:
    error = {"error": "access_denied", "error_description": "The user said no", "state": STATE}
    answer = http.get("/callback", params=error)
    page = Page(answer.text)
    assert "The provider returned an error." in page.text
    assert "access_denied" in page.text
    assert "The user said no" in page.text
    [row] = waiting.flow("f")
    assert (row.error, row.error_description) == ("access_denied", "The user said no")
    received = handover_of(waiting).take(STATE)
    assert received is not None
    assert dict(received.parameters) == error


def test_the_page_is_complete_in_itself_and_kept_nowhere(waiting: History, http: httpx.Client) -> None:
    answer = http.get("/callback", params={"code": CODE, "state": STATE})
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    nonces = set(re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"]))
    assert nonces == set(re.findall(r'nonce="([^"]+)"', answer.text))
    assert len(nonces) == 1
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "history.replaceState" in answer.text
    assert not {"src", "onload", "onerror"} & Page(answer.text).attributes
    again = http.get("/callback", params={"code": CODE, "state": STATE})
    assert not any(nonce in again.text for nonce in nonces)


@pytest.mark.parametrize(
    "attack",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{nonce}{0}%s", "</dd></dl></main>", "&lt;b&gt;"],
)
def test_nothing_in_a_callback_becomes_markup(waiting: History, http: httpx.Client, attack: str) -> None:
    harmless = Page(http.get("/callback", params={"error": "e", "error_description": "d", "n": "v"}).text)
    params = {"error": attack, "error_description": attack, "error_uri": attack, attack: attack, "state": STATE}
    answer = http.get("/callback", params=params)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.text.count(attack) == 4
    assert set(page.elements) <= {*harmless.elements, "dl", "dt", "dd", "div"}
    assert page.elements.count("script") == 1
    assert page.attributes <= harmless.attributes


def test_the_name_of_a_repeated_parameter_is_escaped(waiting: History, http: httpx.Client) -> None:
    answer = http.get("/callback?" + urlencode([("<b>", "1"), ("<b>", "2"), ("code", "c"), ("state", STATE)]))
    assert answer.status_code == 400
    assert "<b>" in Page(answer.text).text
    assert "b" not in Page(answer.text).elements


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (f"code={CODE}", "It has no state"),
        (f"code={CODE}&state=", "It has no state"),
        (f"state={STATE}", "It has neither a code nor an error"),
        (f"code=&error=&state={STATE}", "It has neither a code nor an error"),
        ("", "It has no state"),
        (f"code={CODE}&code=b&state={STATE}", "more than once, so none can be trusted: code."),
        (f"code={CODE}&state={STATE}&state={STATE}", "more than once, so none can be trusted: state."),
        (f"code={CODE}&state={quote('unknown-Ж')}", "No flow of this console waits"),
        (f"code={CODE}&state=%ff%00", "No flow of this console waits"),
    ],
)
def test_a_callback_that_cannot_be_used_changes_nothing(
    waiting: History, http: httpx.Client, query: str, reason: str
) -> None:
    answer = http.get(f"/callback?{query}")
    assert answer.status_code == 400
    page = Page(answer.text)
    assert reason in page.text
    assert "Nothing was changed or recorded." in page.text
    assert "start the flow again" in page.text
    assert CODE not in answer.text
    assert waiting.count(Filters()) == 0
    assert handover_of(waiting).receive(STATE, [("code", CODE)]).outcome is Outcome.ACCEPTED


def test_a_used_state_is_refused_and_what_arrived_first_stays(waiting: History, http: httpx.Client) -> None:
    http.get("/callback", params={"code": CODE, "state": STATE})
    answer = http.get("/callback", params={"code": "another", "state": STATE})
    assert answer.status_code == 400
    assert "This state was already used" in Page(answer.text).text
    assert waiting.count(Filters()) == 1
    received = handover_of(waiting).take(STATE)
    assert received is not None
    assert dict(received.parameters)["code"] == CODE


def test_an_expired_state_is_refused(waiting: History, http: httpx.Client, times: list[datetime]) -> None:
    times.append(times[-1] + timedelta(hours=1))
    answer = http.get("/callback", params={"code": CODE, "state": STATE})
    assert answer.status_code == 400
    assert "This state has expired" in Page(answer.text).text
    assert waiting.count(Filters()) == 0


def test_a_form_is_taken_as_an_address_is(waiting: History, http: httpx.Client, tmp_path: Path) -> None:
    """OAuth 2.0 Form Post Response Mode §2."""
    answer = http.post("/callback", data={"code": CODE, "state": STATE, "iss": "https://provider.example"})
    assert answer.status_code == 200
    assert "The code arrived." in Page(answer.text).text
    received = handover_of(waiting).take(STATE)
    assert received is not None
    assert received.parameters == (("code", CODE), ("state", STATE), ("iss", "https://provider.example"))
    [row] = waiting.flow("f")
    assert row.exchange.request.method == "POST"
    assert row.exchange.request.body.startswith("code=«code #".encode())
    content = b"".join(file.read_bytes() for file in tmp_path.glob("history.db*"))
    assert CODE.encode() not in content
    assert STATE.encode() not in content


def test_an_error_in_a_form_is_recognised(waiting: History, http: httpx.Client) -> None:
    http.post("/callback", data={"error": "access_denied", "error_description": "No, thanks", "state": STATE})
    [row] = waiting.flow("f")
    assert (row.error, row.error_description) == ("access_denied", "No, thanks")


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (f"code={CODE}&state={STATE}", "text/plain", "The body is not a form"),
        (f"code={CODE}&state={STATE}&more={'x' * 70_000}", "application/x-www-form-urlencoded", "too long"),
        (f"code={CODE}&code=b&state={STATE}", "application/x-www-form-urlencoded", "more than once"),
        ("", "application/x-www-form-urlencoded", "It has no state"),
    ],
)
def test_a_form_that_cannot_be_used_changes_nothing(
    waiting: History, http: httpx.Client, body: str, kind: str, reason: str
) -> None:
    answer = http.post(f"/callback?code={CODE}&state={STATE}", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert reason in Page(answer.text).text
    assert waiting.count(Filters()) == 0
    assert handover_of(waiting).take(STATE) is None


@pytest.mark.parametrize("method", ["HEAD", "PUT", "OPTIONS"])
def test_only_get_and_post_are_answered(waiting: History, http: httpx.Client, method: str) -> None:
    answer = http.request(method, "/callback", params={"code": CODE, "state": STATE})
    assert answer.status_code == 405
    assert handover_of(waiting).take(STATE) is None


def test_a_locked_history_leaves_the_address_to_be_copied(waiting: History, http: httpx.Client, tmp_path: Path) -> None:
    other = lock(waiting, tmp_path / "history.db")
    answer = http.get("/callback", params={"code": CODE, "state": STATE})
    assert answer.status_code == 503
    page = Page(answer.text)
    assert "is locked by another program" in page.text
    assert "Copy the address of this page" in page.text
    assert "replaceState" not in answer.text
    other.close()
    assert http.get("/callback", params={"code": CODE, "state": STATE}).status_code == 200


def test_an_answer_is_handed_over_even_when_it_cannot_be_recorded(waiting: History, http: httpx.Client) -> None:
    with waiting.database.writing() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON exchanges BEGIN SELECT RAISE(ABORT, 'no more rows'); END"
        )
    answer = http.get("/callback", params={"code": CODE, "state": STATE})
    assert answer.status_code == 200
    assert "This callback was not recorded in the history." in Page(answer.text).text
    assert "no more rows" in Page(answer.text).text
    assert handover_of(waiting).take(STATE) is not None


def test_the_times_in_the_history_are_those_of_the_clock(
    waiting: History, http: httpx.Client, clock: Callable[[], datetime]
) -> None:
    http.get("/callback", params={"code": CODE, "state": STATE})
    [row] = waiting.flow("f")
    assert row.exchange.started_at == clock()
    assert row.exchange.duration_ms == 0


def test_behind_a_proxy_the_address_is_kept_as_the_browser_asked_for_it(
    settings: Settings, history: History, clock: Callable[[], datetime]
) -> None:
    published = replace(settings, public_url="https://console.example/tools")
    app = Starlette(routes=routes(published, lambda: Recorder(history, Vault(b"k" * 16)), clock))
    handover_of(history).expect(STATE, Labels(flow="f", owner="ada", provider="sandbox", client_id="demo-app"))
    with serving(app) as url:
        assert httpx.get(f"{url}/callback?{urlencode({'state': STATE, 'code': CODE})}", trust_env=False).is_success
    (row,) = history.rows(Filters())
    assert row.exchange.request.url.startswith("https://console.example/tools/callback?state=«state #")


def test_a_callback_is_answered_while_every_shared_thread_is_busy(
    waiting: History, settings: Settings, clock: Callable[[], datetime]
) -> None:
    arrived, release = threading.Semaphore(0), threading.Event()

    def busy(_: StarletteRequest) -> Response:
        arrived.release()
        release.wait()
        return Response()

    def recorder() -> Recorder:
        return Recorder(waiting, Vault(settings.derived_key("fingerprint")))

    app = Starlette(routes=[*routes(settings, recorder, clock), Route("/busy", busy)])
    shared = 40  # threads that anyio runs at a time
    with serving(app) as url, httpx.Client(trust_env=False, timeout=60) as client, ThreadPoolExecutor(shared) as pool:
        try:
            for _ in range(shared):
                pool.submit(httpx.get, f"{url}/busy", trust_env=False, timeout=60)
            for _ in range(shared):
                assert arrived.acquire(timeout=60)
            assert client.get(f"{url}/callback", params={"code": CODE, "state": STATE}).status_code == 200
        finally:
            release.set()
    assert handover_of(waiting).take(STATE) is not None
