"""Every failure, caused over sockets, read from the page that shows its row."""

from typing import TYPE_CHECKING

import pytest

from oauth.catalogue import answers
from oauth.client import send
from oauth.connection import Connection
from oauth.egress import Policy
from oauth.exchange import Exchange
from oauth.installation import Installation
from oauth.recorder import Recorder
from tests import hostile
from tests.exchanges import token_exchange
from tests.failures import ANSWERS, FAILURES, JSON, PROXY_PASSWORD, Case, self_signed

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "history.py"


def sent(case: Case, console: Installation) -> Exchange:
    recorder = Recorder(console.history, console.vault(), case.policy)
    return send(token_exchange(case.url), recorder, connection=case.connection)


def opened(page: "Page", exchange: Exchange) -> str:
    page.go(PAGE, row=str(exchange.id))
    return page.text()


def test_each_failure_is_shown_with_its_card(page: "Page", console: Installation) -> None:
    for kind, ways in (*FAILURES.items(), *ANSWERS.items()):
        with next(iter(ways.values()))() as case:
            failed = sent(case, console)
        text = opened(page, failed)
        entry = answers()[kind]
        assert entry.title in text
        assert entry.cause in text
        assert entry.remedy[0] in text
        if failed.failure is not None:
            assert failed.failure.detail in text
        assert PROXY_PASSWORD not in text


def test_a_body_that_was_cut_is_shown_as_far_as_it_came(page: "Page", console: Installation) -> None:
    with FAILURES["cut_off"]["length"]() as case:
        text = opened(page, sent(case, console))
    assert "Cut here: this is how far the body came." in text
    assert '{"access_token": ' in text
    assert "token-canary" not in text
    assert "200 OK" in text


def test_a_wait_is_said_in_words(page: "Page", console: Installation) -> None:
    with ANSWERS["rate_limited"]["429"]() as case:
        text = opened(page, sent(case, console))
    assert "The server asked to wait for 2 min, until 10:02:00 (Retry-After)." in text
    with ANSWERS["server_error"]["503"]() as case:
        text = opened(page, sent(case, console))
    assert "until 2099-10-21 07:28:00 (Retry-After)." in text


def test_a_dangerous_redirect_is_marked(page: "Page", console: Installation) -> None:
    with ANSWERS["redirect_elsewhere"]["host"]() as case:
        text = opened(page, sent(case, console))
    assert "dangerous: the request contains a secret" in text


def test_an_exchange_without_the_check_is_marked_red_though_it_succeeded(page: "Page", console: Installation) -> None:
    answer = hostile.response("200 OK", b'{"access_token": "abc", "token_type": "bearer"}', **JSON)
    with hostile.serving_tls(self_signed(), answer) as server:
        insecure = Case(server.url, Connection(verify=False), Policy(insecure_tls=True))
        text = opened(page, sent(insecure, console))
    assert "certificate not checked" in text
    assert answers()["tls_unverified"].cause in text
    assert list(page.app.dataframe[0].value["mark"]) == [["not checked"]]


def test_a_charset_that_lies_is_remarked_on(page: "Page", console: Installation) -> None:
    answer = hostile.response("200 OK", b'{"access_token": "caf\xe9"}', **JSON)
    with hostile.serving(answer) as server:
        text = opened(page, sent(Case(server.url), console))
    assert answers()["bad_charset"].title in text


def test_a_console_of_several_people_reaches_its_sandbox_and_what_is_listed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("CONSOLE_ALLOWED_HOSTS", "localhost")
    page: Page = request.getfixturevalue("page")  # now, so that the console is made with the setting
    page.paste(page.decide())
    sandbox = page.value("token.url").partition("/api/")[0]
    with hostile.serving(hostile.answering(hostile.OK)) as server:
        page.type("token.url", server.url)
        page.press("token.send")
        assert answers()["not_allowed"].title in page.text()
    assert server.connections == 0
    page.type("token.url", f"{sandbox}/api/open/oauth/token")
    page.press("token.send")
    assert page.app.session_state["console"].flow.tokens is not None
