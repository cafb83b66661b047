from dataclasses import replace

import pytest

from oauth import providers
from oauth.providers.redirect_advice import Way, routes

PROFILES = providers.load("http://localhost:8501")
OLX, GENERIC = PROFILES["olx-pl"], PROFILES["generic"]
LOCAL, PUBLIC = "http://localhost:8501/callback", "https://console.example/callback"


def test_own_callback_is_recommended_where_localhost_is_accepted() -> None:
    first, *others = routes(GENERIC, LOCAL)
    assert (first.way, first.works, first.register) == (Way.CONSOLE, True, LOCAL)
    assert [(item.way, item.works) for item in others] == [(Way.PASTE, True), (Way.PUBLIC, False)]
    assert "CONSOLE_PUBLIC_URL" in others[1].why


def test_pasting_is_recommended_with_a_warning_where_localhost_is_refused() -> None:
    first, second, third = routes(OLX, LOCAL)
    assert (first.way, first.works) == (Way.PASTE, True)
    assert "uses the code first" in first.warning
    assert (second.way, second.works, second.register) == (Way.CONSOLE, False, "")
    assert "not register addresses on localhost" in second.why
    assert third.way is Way.PUBLIC


@pytest.mark.parametrize("provider", [OLX, GENERIC])
def test_public_address_works_everywhere(provider: providers.Provider) -> None:
    first, *others = routes(provider, PUBLIC)
    assert (first.way, first.works, first.register) == (Way.PUBLIC, True, PUBLIC)
    assert [item.way for item in others] == [Way.PASTE]


def test_unencrypted_address_beyond_localhost_is_not_recommended() -> None:
    for provider in (OLX, replace(GENERIC, accepts_loopback=False)):
        first, second, *_ = routes(provider, "http://console.example/callback")
        assert (first.way, second.works) == (Way.PASTE, False)
        assert "unencrypted" in second.why
