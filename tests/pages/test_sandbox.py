from typing import TYPE_CHECKING

from oauth.sandbox import embedded

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "sandbox.py"


def test_the_ready_made_clients_are_shown_with_their_secrets(page: "Page") -> None:
    page.go(PAGE)
    for name in ("demo", "inactive", "machine", "website"):
        assert f"client_id     {name}-app\nclient_secret {name}-secret" in page.text()


def test_a_client_that_is_switched_off_is_answered_with_error_5(page: "Page") -> None:
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


def test_codes_and_tokens_are_listed_by_number_and_can_be_revoked(page: "Page") -> None:
    page.paste(page.decide())
    page.go(PAGE)
    assert embedded().codes()[0].state == "live"
    page.press("sandbox.code.revoke")
    assert embedded().codes()[0].state == "revoked"


def test_a_reset_brings_everything_back(page: "Page") -> None:
    page.go(PAGE)
    page.app.toggle(key="sandbox.active.demo-app").set_value(False)
    page.run()
    page.press("sandbox.reset")
    assert embedded().client("demo-app").active
