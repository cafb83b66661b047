"""The sandbox as the sister API: its paths, its key, HTTP Basic, and its four errors."""

import argparse
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from oauth_sandbox.command import add_arguments
from oauth_sandbox.configuration import Api, Lifetimes, ready_made
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import running

CLIENT = ready_made(Api.OLXGROUP).clients["crm-app"]
OTHER = ready_made(Api.OLXGROUP).clients["parts-app"]
ADVERT = "/advert/v1/f7695d17-8ee2-4409-89ac-74c673630edb/meta"

Send = Callable[..., httpx.Response]


START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, Sandbox]]:
    with running(Sandbox(lambda: START, configuration=ready_made(Api.OLXGROUP))) as sandbox:
        yield sandbox.url, sandbox.sandbox


@pytest.fixture
def authorize(http: httpx.Client) -> Callable[..., str]:
    """Give consent with the documented parameters only, and return the code."""

    def go(path: str = "/mercury/authorization/") -> str:
        query = {"client_id": CLIENT.client_id, "response_type": "code", "state": "a-state-of-this-test"}
        answer = http.post(path, params=query, data={"decision": "approve"})
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    return go


@pytest.fixture
def ask(http: httpx.Client) -> Send:
    """Ask for tokens as the documentation says; a key that is None is left out."""

    def go(
        key: str | bytes | None = CLIENT.api_key, auth: Any = (CLIENT.client_id, CLIENT.secret), **body: str
    ) -> httpx.Response:
        headers = {} if key is None else {b"X-API-KEY": key if isinstance(key, bytes) else key.encode()}
        return http.post("/oauth/v1/token", json=body, auth=auth, headers=headers)

    return go


@pytest.fixture
def tokens(authorize: Callable[..., str], ask: Send) -> dict[str, Any]:
    answer = ask(grant_type="authorization_code", code=authorize())
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def call(http: httpx.Client, token: str, key: str | None = CLIENT.api_key) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", **({} if key is None else {"X-API-KEY": key})}
    return http.get(ADVERT, headers=headers)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert list(body) == ["transaction_id", "message"]
    assert body["transaction_id"]
    return answer.status_code, body["message"]


UNKNOWN_PARTNER = (403, "Invalid API Key - unknown Partner")
INVALID_CREDENTIALS = (403, "The client credentials are invalid")
INVALID_CODE = (400, "Authorization code doesn't exist or is invalid for the client")
EXPIRED_TOKEN = (403, "The access token provided has expired")


def test_a_user_who_approves_gets_tokens_that_work(http: httpx.Client, tokens: dict[str, Any]) -> None:
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 3600
    assert tokens["scope"] == "read:adverts write:adverts read:leads read:profile_package"
    answer = call(http, tokens["access_token"])
    assert answer.status_code == 200
    assert answer.json()["data"]["uuid"] in ADVERT


def test_sites_for_real_estate_have_another_path(authorize: Callable[..., str], ask: Send) -> None:
    assert ask(grant_type="authorization_code", code=authorize("/pt/crm/authorization/")).status_code == 200


@pytest.mark.parametrize("key", [None, "", "another-key", f"{CLIENT.api_key}\xa0".encode("latin-1")])
def test_a_key_that_is_missing_unknown_or_padded(ask: Send, authorize: Callable[..., str], key: Any) -> None:
    assert refusal(ask(key=key, grant_type="authorization_code", code=authorize())) == UNKNOWN_PARTNER


def test_an_api_call_needs_the_key_too(http: httpx.Client, tokens: dict[str, Any]) -> None:
    assert refusal(call(http, tokens["access_token"], None)) == UNKNOWN_PARTNER


@pytest.mark.parametrize(
    "auth",
    [
        (CLIENT.client_id, "another-secret"),
        (CLIENT.secret, CLIENT.client_id),
        (CLIENT.client_id, f"{CLIENT.secret} "),
        ("nobody", CLIENT.secret),
        None,
    ],
)
def test_credentials_that_are_wrong_swapped_padded_or_absent(
    ask: Send, authorize: Callable[..., str], auth: Any
) -> None:
    code = authorize()
    assert refusal(ask(auth=auth, grant_type="authorization_code", code=code)) == INVALID_CREDENTIALS
    assert ask(grant_type="authorization_code", code=code).status_code == 200, "the code is not spent"


def test_credentials_count_in_the_header_only(ask: Send, authorize: Callable[..., str]) -> None:
    body = {"client_id": CLIENT.client_id, "client_secret": CLIENT.secret}
    assert refusal(ask(auth=None, grant_type="authorization_code", code=authorize(), **body)) == INVALID_CREDENTIALS


def test_basic_is_base64_of_the_text_itself(ask: Send, authorize: Callable[..., str], sandbox: Sandbox) -> None:
    sandbox.change_client(CLIENT.client_id, secret="50%25+plus")
    answer = ask(auth=(CLIENT.client_id, "50%25+plus"), grant_type="authorization_code", code=authorize())
    assert answer.status_code == 200


def test_a_code_is_refused_when_used_late_altered_or_anothers(
    ask: Send, authorize: Callable[..., str], sandbox: Sandbox
) -> None:
    code = authorize()
    other = (OTHER.client_id, OTHER.secret)
    assert refusal(ask(auth=other, grant_type="authorization_code", code=code)) == INVALID_CODE
    assert refusal(ask(grant_type="authorization_code", code=code[:-1])) == INVALID_CODE
    assert ask(grant_type="authorization_code", code=code).status_code == 200
    assert refusal(ask(grant_type="authorization_code", code=code)) == INVALID_CODE
    late = authorize()
    sandbox.clock.move(61)
    assert refusal(ask(grant_type="authorization_code", code=late)) == INVALID_CODE


def test_an_access_token_lives_for_an_hour(http: httpx.Client, tokens: dict[str, Any], sandbox: Sandbox) -> None:
    sandbox.clock.move(3599)
    assert call(http, tokens["access_token"]).status_code == 200
    sandbox.clock.move(1)
    assert refusal(call(http, tokens["access_token"])) == EXPIRED_TOKEN


@pytest.mark.parametrize("seconds", [1, 3601, 31_535_999])
def test_a_refresh_gives_a_new_access_token_expired_or_not(
    http: httpx.Client, ask: Send, tokens: dict[str, Any], sandbox: Sandbox, seconds: int
) -> None:
    sandbox.clock.move(seconds)
    fresh = ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert fresh["access_token"] != tokens["access_token"]
    assert call(http, fresh["access_token"]).status_code == 200


def test_a_refresh_token_lives_for_a_year(ask: Send, tokens: dict[str, Any], sandbox: Sandbox) -> None:
    sandbox.clock.move(31_536_000)
    status, message = refusal(ask(grant_type="refresh_token", refresh_token=tokens["refresh_token"]))
    assert status == 400
    assert message.startswith("Not documented: "), "the documentation has no text for it"


def test_a_form_is_no_json(http: httpx.Client, authorize: Callable[..., str]) -> None:
    form = {"grant_type": "authorization_code", "code": authorize()}
    headers = {"X-API-KEY": CLIENT.api_key}
    answer = http.post("/oauth/v1/token", data=form, auth=(CLIENT.client_id, CLIENT.secret), headers=headers)
    assert refusal(answer)[0] == 400


@pytest.mark.parametrize("path", ["/api/open/oauth/token", "/oauth/authorize/", "/api/partner/users/me"])
def test_paths_of_the_partner_api_are_unknown_here(http: httpx.Client, path: str) -> None:
    status, message = refusal(http.get(path))
    assert status == 404
    assert message.startswith("Not documented: Unknown path. Known paths: /mercury/authorization/, ")
    assert "/oauth/v1/token" in message


def test_lint_knows_what_this_api_documents(http: httpx.Client, tokens: dict[str, Any], sandbox: Sandbox) -> None:
    call(http, tokens["access_token"])
    assert sandbox.lint.findings() == ()


def test_lifetimes_are_the_documented_ones() -> None:
    assert ready_made(Api.OLXGROUP).lifetimes == Lifetimes(60, 3600, 31_536_000)


def test_the_command_takes_the_provider() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert parser.parse_args(["--provider", "olxgroup"]).provider is Api.OLXGROUP
    assert parser.parse_args([]).provider is Api.PARTNER
