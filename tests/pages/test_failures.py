"""Every failure, caused over sockets, on the page of its row."""

from typing import TYPE_CHECKING

import pytest

from oauth import ticket
from oauth.catalogue import answers
from oauth.client import send
from oauth.connection_settings import ConnectionSettings
from oauth.egress import Policy
from oauth.exchange import Exchange
from oauth.installation import Installation
from oauth.recorder import Recorder
from tests.exchanges import token_exchange
from tests.failures import ANSWERS, FAILURES, JSON, PROXY_PASSWORD, Case, self_signed
from tests.hostile import servers as hostile

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "history.py"


def send_case(case: Case, console: Installation) -> Exchange:
    recorder = Recorder(console.history, console.vault(), case.policy)
    return send(token_exchange(case.url), recorder, connection=case.connection).live


def page_of(page: "Page", exchange: Exchange) -> str:
    page.go(PAGE, row=str(exchange.id))
    return page.text()


def test_each_failure_has_its_card(page: "Page", console: Installation) -> None:
    for kind, ways in (*FAILURES.items(), *ANSWERS.items()):
        with next(iter(ways.values()))() as case:
            failed = send_case(case, console)
        text = page_of(page, failed)
        entry = answers()[kind]
        assert entry.title in text
        assert entry.cause in text
        assert entry.remedy[0] in text
        if failed.failure is not None:
            assert failed.failure.detail in text
        assert PROXY_PASSWORD not in text


def test_truncated_body_is_shown(page: "Page", console: Installation) -> None:
    with FAILURES["cut_off"]["length"]() as case:
        text = page_of(page, send_case(case, console))
    assert "Truncated: the response ended here." in text
    assert '{"access_token": ' in text
    assert "token-canary" not in text
    assert "200 OK" in text


def test_retry_after_is_shown_as_a_wait(page: "Page", console: Installation) -> None:
    with ANSWERS["rate_limited"]["429"]() as case:
        text = page_of(page, send_case(case, console))
    assert "The server asked to wait for 2 min, until 10:02:00 (Retry-After)." in text
    with ANSWERS["server_error"]["503"]() as case:
        text = page_of(page, send_case(case, console))
    assert "until 2099-10-21 07:28:00 (Retry-After)." in text


def test_dangerous_redirect_is_marked(page: "Page", console: Installation) -> None:
    with ANSWERS["redirect_elsewhere"]["host"]() as case:
        text = page_of(page, send_case(case, console))
    assert "dangerous: the request contains a secret" in text


def test_unverified_certificate_is_marked_though_the_exchange_succeeded(page: "Page", console: Installation) -> None:
    answer = hostile.response("200 OK", b'{"access_token": "abc", "token_type": "bearer"}', **JSON)
    with hostile.serving_tls(self_signed(), answer) as server:
        insecure = Case(server.url, ConnectionSettings(verify=False), Policy(insecure_tls=True))
        text = page_of(page, send_case(insecure, console))
    assert "certificate not checked" in text
    assert answers()["tls_unverified"].cause in text
    assert list(page.app.dataframe[0].value["mark"]) == [["not checked"]]


def test_wrong_charset_is_remarked_on(page: "Page", console: Installation) -> None:
    answer = hostile.response("200 OK", b'{"access_token": "caf\xe9"}', **JSON)
    with hostile.serving(answer) as server:
        text = page_of(page, send_case(Case(server.url), console))
    assert answers()["bad_charset"].title in text


def test_shared_console_reaches_its_sandbox_and_the_allowed_hosts_only(
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


def test_card_row_and_support_text_agree_when_the_provider_echoes_secrets(page: "Page", console: Installation) -> None:
    page.paste(page.decide())
    session = page.app.session_state["console"]
    code, nonce = session.flow.code, "n" * 40
    body = f'{{"error": "invalid_grant", "error_description": "{code} with {nonce} is spent"}}'.encode()
    with hostile.serving(hostile.response("400 Bad Request", body, DPoP_Nonce=nonce, X_Seen=nonce)) as server:
        page.type("token.url", server.url)
        page.press("token.send")
    shown = page.app.session_state["console"].shown["token"]
    row = console.history.get(shown.exchange.id)
    assert row is not None
    assert row.exchange == shown.exchange
    assert (row.error, row.error_description) == (shown.explanation.error, shown.explanation.error_description)
    for text in (repr(row), page.text(), ticket.summary(shown.exchange, shown.explanation, shown.diagnosis)):
        assert code not in text
        assert nonce not in text


def test_pasted_callback_with_an_error_is_recognised_in_its_row(page: "Page", console: Installation) -> None:
    page.paste(page.decide("deny"))
    shown = page.app.session_state["console"].shown["callback"]
    row = console.history.get(shown.exchange.id)
    assert row is not None
    assert row.exchange == shown.exchange
    assert (row.documented_error, row.error) == (shown.explanation.number, "access_denied")
