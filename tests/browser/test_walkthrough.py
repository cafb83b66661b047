"""The walkthrough in a real browser: from the first page to an API response, then each documented error."""

import csv
import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.browser.conftest import Walk


def test_first_run_reaches_an_api_response(walk: "Walk") -> None:
    walk.authorize()
    expect(walk.step("callback")).to_contain_text("The state matches the request")
    walk.exchange()
    expect(walk.at("tokens")).to_contain_text("«access_token #")
    walk.press("api.send")
    expect(walk.at("api.exchange")).to_contain_text("200 OK")
    expect(walk.at("api.exchange")).to_contain_text("demo.user@example.com")
    walk.pick("call.action", "Refresh the token")
    walk.press("refresh.send")
    expect(walk.step("call")).to_contain_text("The refresh token was replaced")
    walk.pick("call.action", "Application token")
    walk.press("application.send")
    expect(walk.at("application_tokens")).to_contain_text("«access_token #")
    expect(walk.at("diagram").get_by_label("Sequence of the requests").first).to_be_attached()


def error_1(walk: "Walk") -> str:
    walk.authorize()
    walk.untick("token.field.code.send")
    walk.exchange()
    return "token"


def error_2(walk: "Walk") -> str:
    walk.authorize()
    walk.exchange()
    walk.at("tokens").wait_for()
    walk.exchange()
    return "token"


def error_3(walk: "Walk") -> str:
    walk.authorize()
    walk.untick("token.field.grant_type.send")
    walk.exchange()
    return "token"


def error_4(walk: "Walk") -> str:
    walk.press("rail.call")
    walk.pick("call.action", "Application token")
    walk.type("application.field.scope.value", "read admin")
    walk.press("application.send")
    return "application"


def error_5(walk: "Walk") -> str:
    walk.authorize()
    walk.type("token.field.client_id.value", "inactive-app")
    walk.type("token.field.client_secret.value", "inactive-secret")
    walk.exchange()
    return "token"


def error_6(walk: "Walk") -> str:
    walk.authorize()
    walk.type("token.field.client_secret.value", "not-the-secret")
    walk.exchange()
    return "token"


def error_7(walk: "Walk") -> str:
    walk.press("rail.call")
    walk.type("api.field.Authorization.value", "Bearer 0123456789012345678901234567890123456789")
    walk.press("api.send")
    return "api"


def error_8(walk: "Walk") -> str:
    walk.type("authorize.field.scope.value", "read write")
    walk.authorize()
    walk.exchange()
    walk.press("api.send")
    return "api"


def error_9(walk: "Walk") -> str:
    walk.press("rail.call")
    walk.pick("call.action", "Application token")
    walk.press("application.send")
    walk.at("application_tokens").wait_for()
    walk.pick("call.action", "Call the API")
    walk.press("api.send")
    return "api"


def error_10(walk: "Walk") -> str:
    walk.pick("walkthrough.client.sandbox", "website-app")
    walk.press("rail.call")
    walk.pick("call.action", "Application token")
    walk.press("application.send")
    return "application"


def error_11(walk: "Walk") -> str:
    walk.press("rail.call")
    walk.pick("call.action", "Refresh the token")
    walk.type("refresh.field.refresh_token.value", "0123456789012345678901234567890123456789")
    walk.press("refresh.send")
    return "refresh"


PROVOKED: dict[int, tuple[Callable[["Walk"], str], str]] = {
    1: (error_1, "missing code parameter"),
    2: (error_2, "10 minutes"),
    3: (error_3, "grant_type"),
    4: (error_4, "scope"),
    5: (error_5, "client_id"),
    6: (error_6, "client_secret"),
    7: (error_7, "access_token"),
    8: (error_8, "read write v2"),
    9: (error_9, "client_credentials"),
    10: (error_10, "grant_type"),
    11: (error_11, "2592000"),
}


@pytest.mark.parametrize("number", PROVOKED)
def test_each_documented_error_has_its_card(walk: "Walk", number: int) -> None:
    provoke, remedy = PROVOKED[number]
    action = provoke(walk)
    face = walk.face(action)
    assert len(face.split()) <= 60, face
    assert "remedy" in face
    assert walk.top(f"{action}.card") < walk.top(f"{action}.exchange")
    text = walk.card(action)
    assert f"Documented error {number} ·" in text
    assert remedy.casefold() in text.casefold()
    assert "an exact match" in text


def test_denied_consent_has_its_card(walk: "Walk") -> None:
    walk.authorize("deny")
    text = walk.card("callback")
    assert "access_denied" in text


def test_exchanges_are_in_the_history_and_in_the_csv(walk: "Walk") -> None:
    walk.type("walkthrough.case", "T-1234")
    walk.authorize()
    walk.type("token.field.client_secret.value", "not-the-secret")
    walk.exchange()
    walk.card("token")
    walk.open("/history?text=T-1234")
    walk.press("history.download.open")
    expect(walk.at("history.download")).to_contain_text("Download 3 as CSV")
    with walk.page.expect_download() as download:
        walk.at("history.download").locator("a:visible").first.click()
    content = download.value.path().read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert [row["step"] for row in rows] == ["token", "callback", "authorize"]
    assert {row["case"] for row in rows} == {"T-1234"}
    assert (rows[0]["status"], rows[0]["documented_error"], rows[0]["error"]) == ("400", "6", "invalid_client")
    assert "client_secret" in rows[0]["remedy"]
    walk.open(f"/history?row={rows[0]['id']}")
    assert "Documented error 6 ·" in walk.card("history")
