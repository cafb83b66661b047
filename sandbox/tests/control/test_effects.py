"""What has no effect at an API is refused: a test that relies on it would pass whatever its program does."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, ConfigurationError, load, ready_made
from oauth_sandbox.control_client import Control, SteeringError
from oauth_sandbox.paths import PATHS
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.testing import running, steered


@pytest.fixture(scope="module", params=[Api.PARTNER, Api.OLXGROUP, Api.GENERIC])
def address(request: pytest.FixtureRequest) -> Iterator[tuple[str, Sandbox]]:
    with running(Sandbox(utc_now, configuration=ready_made(request.param))) as sandbox:
        yield sandbox.url, sandbox.sandbox


ENDPOINTS = {"adverts": Api.PARTNER, "metadata": Api.OLXGROUP, "discovery": Api.GENERIC}


def test_fault_of_another_api_is_refused(control: Control, sandbox: Sandbox) -> None:
    api = sandbox.configuration.api
    for fault in ("wrong-id-token", "wrong-issuer"):
        if api is Api.GENERIC:
            control.fault(fault)
        else:
            with pytest.raises(
                SteeringError, match=f"409 .*The fault {fault} is for the API generic; this sandbox is "
            ):
                control.fault(fault)
    control.clear_faults()
    for endpoint, owner in ENDPOINTS.items():
        if api is owner:
            control.fault("hold", endpoint=endpoint)
        else:
            with pytest.raises(SteeringError, match=f"409 .*has no endpoint {endpoint}. Its endpoints: authorize, "):
                control.fault("hold", endpoint=endpoint)
    assert len(control.faults()) == 1


def test_setting_of_another_api_is_refused(control: Control, sandbox: Sandbox) -> None:
    api = sandbox.configuration.api
    changes: list[tuple[str, Api, object]] = [
        ("openid.id_token_claims", Api.GENERIC, True),
        ("behaviour.moderation_seconds", Api.PARTNER, 60),
        ("seed", Api.PARTNER, 7),
    ]
    for setting, owner, value in changes:
        name, _, field = setting.partition(".")
        change = {name: {field: value} if field else value}
        if api is owner:
            control.settings(**change)
            control.make(**change)
        else:
            for make in (control.settings, control.make):
                with pytest.raises(SteeringError, match=f"409 .*{setting} is a setting of the API {owner}; this"):
                    make(**change)
    control.settings(**control.settings())


def test_fault_of_another_api_in_the_header_is_refused(control: Control, sandbox: Sandbox, http: httpx.Client) -> None:
    api = sandbox.configuration.api
    control.settings(fault_header=True)
    for fault in ("wrong-id-token", "wrong-issuer"):
        response = http.get(PATHS[api][Endpoint.AUTHORIZE], headers={"X-Sandbox-Fault": fault})
        message = f"The fault {fault} is for the API generic; this sandbox is {api}"
        assert (message in response.text) is (api is not Api.GENERIC)


@pytest.mark.parametrize(
    ("api", "text", "setting"),
    [
        (Api.PARTNER, "[openid]\nid_token_claims = true", "openid.id_token_claims"),
        (Api.GENERIC, "[behaviour]\nmoderation_seconds = 60", "behaviour.moderation_seconds"),
        (Api.OLXGROUP, "seed = 7", "seed"),
    ],
)
def test_setting_of_another_api_in_a_file_is_refused(tmp_path: Path, api: Api, text: str, setting: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"mine\.toml: {setting} is a setting of the API .*; this sandbox is"):
        load(path, api)
    path.write_text("seed = 1\n[openid]\nid_token_claims = false\n[behaviour]\nmoderation_seconds = 0")
    load(path, api)


def test_only_the_partner_api_has_adverts_and_threads(control: Control, sandbox: Sandbox, http: httpx.Client) -> None:
    of_partner = sandbox.configuration.api is Api.PARTNER
    for path in ("adverts", "threads"):
        assert http.get(f"/control/{path}").status_code == (200 if of_partner else 409)


def test_sandbox_of_another_api_takes_the_settings_of_that_api(control: Control) -> None:
    with steered(control.make(api="generic", openid={"id_token_claims": True})) as own:
        assert own.control.settings()["openid"]["id_token_claims"] is True
