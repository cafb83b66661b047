from dataclasses import replace

import pytest

from oauth import providers
from oauth.providers.operator_settings import CLIENT_ID, PROXY, clients, variable_name, with_proxy

OLX = providers.load("http://localhost:8501")["olx-pl"]
SECRET = "canary-5d1f0b7a-of-the-operator"


def test_client_from_the_environment_is_offered_for_its_provider_only() -> None:
    environ = {"CONSOLE_CLIENT_OLX_PL_ID": "200123", "CONSOLE_CLIENT_OLX_PL_SECRET": SECRET}
    (client,) = clients(OLX, environ, {})
    assert (client.id, client.secret) == ("200123", SECRET)
    assert clients(replace(OLX, id="olx-ua"), environ, {}) == ()


def test_client_without_a_secret_is_public_and_secret_without_a_client_is_ignored() -> None:
    assert [item.secret for item in clients(OLX, {"CONSOLE_CLIENT_OLX_PL_ID": "1"}, {})] == [""]
    assert clients(OLX, {"CONSOLE_CLIENT_OLX_PL_SECRET": SECRET}, {}) == ()


def test_streamlit_secrets_hold_one_client_or_several() -> None:
    one = {"clients": {"olx-pl": {"id": "1", "secret": SECRET, "title": "shop"}}}
    assert [(item.id, item.title) for item in clients(OLX, {}, one)] == [("1", "shop")]
    several = {"clients": {"olx-pl": [{"id": "1"}, {"id": "2", "secret": SECRET}]}}
    assert [item.id for item in clients(OLX, {}, several)] == ["1", "2"]


def test_roles_of_a_client_are_those_that_the_operator_wrote() -> None:
    environ = {"CONSOLE_CLIENT_OLX_PL_ID": "1", "CONSOLE_CLIENT_OLX_PL_ROLES": " admin "}
    secrets = {"clients": {"olx-pl": [{"id": "2", "roles": "support, admin"}, {"id": "3"}]}}
    assert {item.id: item.roles for item in clients(OLX, environ, secrets)} == {
        "1": "admin",
        "2": "support, admin",
        "3": "",
    }


def test_environment_takes_precedence_for_the_same_client() -> None:
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
def test_invalid_client_is_ignored(secrets: dict[str, object]) -> None:
    assert clients(OLX, {}, secrets) == ()


def test_proxy_from_the_environment_replaces_the_profiles() -> None:
    provider = with_proxy(OLX, {"CONSOLE_PROXY_OLX_PL": f"http://ada:{SECRET}@proxy.example:3128"})
    assert provider.connection.proxy.endswith("@proxy.example:3128")
    assert with_proxy(OLX, {}) == OLX
    assert SECRET not in repr(provider)


def test_secret_is_not_in_the_repr() -> None:
    environ = {"CONSOLE_CLIENT_OLX_PL_ID": "1", "CONSOLE_CLIENT_OLX_PL_SECRET": SECRET}
    assert SECRET not in repr(clients(OLX, environ, {}))


def test_variable_has_the_id_in_capitals() -> None:
    assert variable_name(CLIENT_ID, "my-server.2") == "CONSOLE_CLIENT_MY_SERVER_2_ID"
    assert variable_name(PROXY, "olx-pl") == "CONSOLE_PROXY_OLX_PL"


def test_api_key_comes_with_the_client_and_is_not_in_the_repr() -> None:
    environ = {"CONSOLE_CLIENT_OLX_PL_ID": "1", "CONSOLE_CLIENT_OLX_PL_API_KEY": SECRET}
    secrets = {"clients": {"olx-pl": {"id": "2", "api_key": SECRET}}}
    found = clients(OLX, environ, secrets)
    assert {item.id: item.api_key for item in found} == {"1": SECRET, "2": SECRET}
    assert SECRET not in repr(found)
