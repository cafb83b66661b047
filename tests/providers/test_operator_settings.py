from dataclasses import replace

import pytest

from oauth import providers
from oauth.providers.operator_settings import CLIENT_ID, PROXY, clients, connected, variable

OLX = providers.load("http://localhost:8501")["olx-pl"]
SECRET = "canary-5d1f0b7a-of-the-operator"


def test_a_client_of_the_environment_is_offered_for_its_provider_only() -> None:
    environ = {"CONSOLE_CLIENT_OLX_PL_ID": "200123", "CONSOLE_CLIENT_OLX_PL_SECRET": SECRET}
    (found,) = clients(OLX, environ, {})
    assert (found.id, found.secret) == ("200123", SECRET)
    assert clients(replace(OLX, id="olx-ua"), environ, {}) == ()


def test_a_client_without_a_secret_is_public_and_a_secret_without_a_client_is_none() -> None:
    assert [item.secret for item in clients(OLX, {"CONSOLE_CLIENT_OLX_PL_ID": "1"}, {})] == [""]
    assert clients(OLX, {"CONSOLE_CLIENT_OLX_PL_SECRET": SECRET}, {}) == ()


def test_streamlits_secrets_hold_one_client_or_several() -> None:
    one = {"clients": {"olx-pl": {"id": "1", "secret": SECRET, "title": "shop"}}}
    assert [(item.id, item.title) for item in clients(OLX, {}, one)] == [("1", "shop")]
    several = {"clients": {"olx-pl": [{"id": "1"}, {"id": "2", "secret": SECRET}]}}
    assert [item.id for item in clients(OLX, {}, several)] == ["1", "2"]


def test_the_same_client_from_both_is_offered_once_as_the_environment_has_it() -> None:
    both = clients(OLX, {"CONSOLE_CLIENT_OLX_PL_ID": "1"}, {"clients": {"olx-pl": {"id": "1", "secret": "old"}}})
    assert [(item.id, item.secret) for item in both] == [("1", "")]


@pytest.mark.parametrize(
    "secrets",
    [
        {},
        {"clients": 1},
        {"clients": {"olx-pl": "x"}},
        {"clients": {"olx-pl": {"id": 7}}},
        {"clients": {"olx-pl": [1]}},
    ],
)
def test_what_is_no_client_is_passed_over(secrets: dict[str, object]) -> None:
    assert clients(OLX, {}, secrets) == ()


def test_a_proxy_of_the_environment_takes_the_place_of_the_profiles() -> None:
    found = connected(OLX, {"CONSOLE_PROXY_OLX_PL": f"http://ada:{SECRET}@proxy.example:3128"})
    assert found.connection.proxy.endswith("@proxy.example:3128")
    assert connected(OLX, {}) == OLX
    assert SECRET not in repr(found)


def test_no_secret_is_in_a_repr() -> None:
    environ = {"CONSOLE_CLIENT_OLX_PL_ID": "1", "CONSOLE_CLIENT_OLX_PL_SECRET": SECRET}
    assert SECRET not in repr(clients(OLX, environ, {}))


def test_the_variable_of_a_provider_has_its_id_in_capitals() -> None:
    assert variable(CLIENT_ID, "my-server.2") == "CONSOLE_CLIENT_MY_SERVER_2_ID"
    assert variable(PROXY, "olx-pl") == "CONSOLE_PROXY_OLX_PL"
