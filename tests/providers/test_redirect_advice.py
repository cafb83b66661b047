from dataclasses import replace

import pytest

from oauth import providers
from oauth.providers.redirect_advice import Way, routes

PROFILES = providers.load("http://localhost:8501")
OLX, GENERIC = PROFILES["olx-pl"], PROFILES["generic"]
LOCAL, PUBLIC = "http://localhost:8501/callback", "https://console.example/callback"


def test_on_localhost_a_provider_that_takes_it_is_given_the_consoles_own_callback() -> None:
    first, *others = routes(GENERIC, LOCAL)
    assert (first.way, first.works, first.register) == (Way.CONSOLE, True, LOCAL)
    assert [(item.way, item.works) for item in others] == [(Way.PASTE, True), (Way.PUBLIC, False)]
    assert "CONSOLE_PUBLIC_URL" in others[1].why


def test_a_provider_that_refuses_localhost_leads_with_pasting_and_warns_of_a_server_that_answers() -> None:
    first, second, third = routes(OLX, LOCAL)
    assert (first.way, first.works) == (Way.PASTE, True)
    assert "spends the code first" in first.warning
    assert (second.way, second.works, second.register) == (Way.CONSOLE, False, "")
    assert "no address on localhost" in second.why
    assert third.way is Way.PUBLIC


@pytest.mark.parametrize("provider", [OLX, GENERIC])
def test_a_public_address_of_the_console_works_everywhere(provider: providers.Provider) -> None:
    first, *others = routes(provider, PUBLIC)
    assert (first.way, first.works, first.register) == (Way.PUBLIC, True, PUBLIC)
    assert [item.way for item in others] == [Way.PASTE]


def test_an_address_in_the_clear_beyond_this_machine_does_not_lead() -> None:
    for provider in (OLX, replace(GENERIC, accepts_loopback=False)):
        first, second, *_ = routes(provider, "http://console.example/callback")
        assert (first.way, second.works) == (Way.PASTE, False)
        assert "in the clear" in second.why
