from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth.installation import current
from oauth_sandbox import Endpoint, embedded, fault_from

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "sandbox.py"


def test_the_ready_made_clients_are_shown_with_their_secrets(page: "Page") -> None:
    page.go(PAGE)
    for name in ("demo", "inactive", "machine", "website"):
        assert f"client_id {name}-app\nclient_secret {name}-secret" in page.text()


@pytest.mark.parametrize("active", [False, True])
def test_step_warns_of_a_client_that_is_inactive_now(page: "Page", *, active: bool) -> None:
    embedded().change_client("inactive-app", active=active)
    page.press("rail.token")
    page.type("token.field.client_id.value", "inactive-app")
    assert ("is published as inactive" in page.text()) is not active


def test_deactivated_client_gets_error_5(page: "Page") -> None:
    page.go(PAGE)
    page.app.toggle(key="sandbox.active.demo-app").set_value(False)
    page.run()
    assert not embedded().client("demo-app").active
    page.go("walkthrough.py")
    page.press("rail.token")
    page.press("token.send")
    assert ":red[Documented error 5] ·" in page.text()


def test_the_clock_can_be_moved_and_set_back(page: "Page") -> None:
    page.go(PAGE)
    page.press("sandbox.clock.600")
    assert embedded().clock.offset.total_seconds() == 600
    assert "10 min" in page.text()
    page.press("sandbox.clock.reset")
    assert "real time" in page.text()


def test_codes_and_tokens_are_listed_as_they_are_shown_elsewhere(page: "Page") -> None:
    address = page.decide()
    page.paste(address)
    page.go(PAGE)
    page.open("sandbox.tab", "Codes and tokens")
    codes = page.app.dataframe[0].value
    assert list(codes["state"]) == ["live"]
    assert list(codes["revoke"]) == ["Revoke 1"]
    code = parse_qs(urlsplit(address).query)["code"][0]
    assert list(codes["shown as"]) == [current().vault().redact_value("code", code)]
    assert code not in codes.to_string()


def test_a_reset_brings_everything_back(page: "Page") -> None:
    page.go(PAGE)
    page.app.toggle(key="sandbox.active.demo-app").set_value(False)
    page.run()
    page.press("sandbox.reset")
    assert embedded().client("demo-app").active


def test_a_fault_is_added_provoked_once_and_gone(page: "Page") -> None:
    page.go(PAGE)
    page.open("sandbox.tab", "Faults")
    page.pick("sandbox.fault.kind", "server-error")
    page.press("sandbox.fault.add")
    assert "server-error" in page.text()
    page.go("walkthrough.py")
    page.press("rail.token")
    page.press("token.send")
    assert "503" in page.text() or "500" in page.text()
    page.press("token.send")
    assert ":red[Documented error 1] ·" in page.text()
    page.go(PAGE)
    page.open("sandbox.tab", "Faults")
    assert "No faults are pending." in page.text()


@pytest.mark.parametrize(
    ("kind", "fields", "remark"),
    [
        ("cut-off-body", {}, "Assume that the code or refresh token in the request is spent"),
        ("html-page", {"status": 200}, "A web page instead of JSON"),
    ],
)
def test_token_response_without_tokens_stays_on_the_exchange(
    page: "Page", kind: str, fields: dict[str, int], remark: str
) -> None:
    embedded().faults.add(fault_from(kind, fields), endpoint=Endpoint.TOKEN)
    page.paste(page.decide())
    page.press("token.send")
    current = page.app.session_state["console"]
    assert current.flow.tokens is None
    assert current.step == "token"
    assert current.shown["token"].exchange.response.status == 200
    assert remark in page.text()


def test_lint_names_the_mistakes_of_an_integration(page: "Page", server: str) -> None:
    import httpx

    query = {"client_id": "demo-app", "response_type": "code", "redirect_uri": f"{server}/callback"}
    httpx.get(f"{server}/sandbox/oauth/authorize/", params=query, trust_env=False)
    page.go(PAGE)
    page.open("sandbox.tab", "Lint")
    assert "state" in page.text()
    assert "demo-app, last at" in page.text()
    embedded().lint.drill = True
    httpx.get(f"{server}/sandbox/oauth/authorize/", params=query, trust_env=False)
    embedded().lint.drill = False
    page.run()
    assert "2 times" not in page.text()
    assert any(fold.label.startswith("From drills, on purpose: ") for fold in page.app.expander)
    page.press("sandbox.lint.clear")
    assert "No findings." in page.text()


def test_the_request_log_shows_paths_and_errors_and_no_secret(page: "Page") -> None:
    page.press("rail.token")
    page.press("token.send")
    page.go(PAGE)
    page.open("sandbox.tab", "Requests")
    log = next(frame.value for frame in page.app.dataframe if "path" in frame.value)
    assert next(iter(log["path"])) == "/api/open/oauth/token"
    assert next(iter(log["error"])) == "invalid_request"
    assert "demo-secret" not in log.to_csv()
