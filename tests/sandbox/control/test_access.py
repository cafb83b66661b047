"""Who may use the control: not a web page of another origin, not another machine without the token."""

from collections.abc import Iterator

import httpx
import pytest

from oauth.sandbox.app import application
from oauth.sandbox.clock import utc_now
from oauth.sandbox.control.access import ControlAccess, is_loopback
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.testing import serving

JSON = {"Content-Type": "application/json"}
TOKEN = "control-canary"


@pytest.fixture(scope="module")
def with_token() -> Iterator[str]:
    with serving(application(Sandbox(utc_now), ControlAccess(TOKEN, open=False))) as url:
        yield url


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:9000"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_origin_and_another_machine_are_refused(
    http: httpx.Client, sandbox: Sandbox, method: str, headers: dict[str, str]
) -> None:
    path = "/control/clock" if method == "GET" else "/control/clock/move"
    answer = http.request(method, path, headers=JSON | headers, content=None if method == "GET" else '{"seconds": 60}')
    assert answer.status_code == 403
    assert answer.json()["error"]["detail"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert sandbox.clock.offset.total_seconds() == 0


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_a_change_that_a_form_could_send_is_refused(
    http: httpx.Client, sandbox: Sandbox, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = http.post("/control/clock/move", content='{"seconds": 60}', headers=headers)
    assert answer.status_code == 415
    assert sandbox.clock.offset.total_seconds() == 0


def test_a_browser_is_not_told_that_it_may(http: httpx.Client) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    for path in ("/control/clock/move", "/control/clients/demo-app"):
        answer = http.options(path, headers=headers)
        assert answer.is_error
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_of_its_own_origin_and_a_program_may(http: httpx.Client) -> None:
    own = f"http://{http.base_url.netloc.decode()}"
    same_origin = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    assert http.post("/control/clock/move", json={"seconds": 1}, headers=same_origin).status_code == 200
    assert http.post("/control/clock/move", json={"seconds": 1}).status_code == 200
    assert http.get("/control/clock", headers={"Host": "localhost:9000"}).status_code == 200
    assert http.get("/control/clock", headers={"Host": "[::1]:9000"}).status_code == 200


def test_with_a_token(with_token: str) -> None:
    with httpx.Client(base_url=with_token, trust_env=False) as http:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
            answer = http.get("/control/clock", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer ")
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert http.get("/control/clock", headers=right).status_code == 200
        assert http.get("/control/clock", headers=right | {"Host": "sandbox.example"}).status_code == 200
        assert http.get("/control/clock", headers=right | {"Origin": "https://evil.example"}).status_code == 403
        assert http.get("/control/openapi.json", headers=right).json()["security"] == [{"token": []}]
        assert http.get("/health").status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.2", "127.255.0.1", "::1", "localhost", "LOCALHOST"])
def test_loopback_hosts(host: str) -> None:
    assert is_loopback(host)
    assert not is_loopback(f"{host}.evil.example")


def test_off_beyond_loopback() -> None:
    with serving(application(Sandbox(utc_now), ControlAccess(open=False))) as url:
        answer = httpx.get(f"{url}/control/clock", trust_env=False)
    assert answer.status_code == 403
    assert "Set a control token" in answer.json()["error"]["detail"]


@pytest.mark.parametrize("address", [("192.0.2.1", 5), None, ("localhost.evil.example", 5)])
def test_an_address_that_is_not_known_to_be_loopback(address: tuple[str, int] | None) -> None:
    from starlette.datastructures import Headers

    from oauth.sandbox.errors import ApiError

    headers = Headers({"host": "localhost"})
    loopback = ("127.0.0.1", 5)
    for ends in ({"server": address, "client": loopback}, {"server": loopback, "client": address}):
        with pytest.raises(ApiError):
            ControlAccess().check({"type": "http", "method": "GET", **ends}, headers)
    ControlAccess().check({"type": "http", "method": "GET", "server": ("::1", 1), "client": loopback}, headers)
