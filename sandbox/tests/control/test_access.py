"""Who may use the control: not a web page of another origin, not another machine without the token."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.datastructures import Headers

from oauth_sandbox.app import application
from oauth_sandbox.clock import utc_now
from oauth_sandbox.control.access import ControlAccess, is_loopback
from oauth_sandbox.errors import ApiError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import serving

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
        {"Connection": "upgrade"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_origins_and_other_machines_are_refused(
    http: httpx.Client, sandbox: Sandbox, method: str, headers: dict[str, str]
) -> None:
    path = "/control/clock" if method == "GET" else "/control/clock/move"
    answer = http.request(method, path, headers=JSON | headers, content=None if method == "GET" else '{"seconds": 60}')
    assert answer.status_code == 403
    assert answer.json()["error"]["detail"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert sandbox.clock.offset.total_seconds() == 0


def test_a_program_that_wishes_for_another_protocol_is_allowed(http: httpx.Client, sandbox: Sandbox) -> None:
    """As Java's client does by default."""
    wish = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}
    assert http.post("/control/clock/move", json={"seconds": 60}, headers=wish).status_code == 200
    assert sandbox.clock.offset.total_seconds() == 60


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_change_without_json_content_type_is_refused(
    http: httpx.Client, sandbox: Sandbox, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = http.post("/control/clock/move", content='{"seconds": 60}', headers=headers)
    assert answer.status_code == 415
    assert sandbox.clock.offset.total_seconds() == 0


def test_preflight_request_is_refused(http: httpx.Client) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
    for path in ("/control/clock/move", "/control/clients/demo-app"):
        answer = http.options(path, headers=headers)
        assert answer.is_error
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_same_origin_page_and_program_are_allowed(http: httpx.Client) -> None:
    own = f"http://{http.base_url.netloc.decode()}"
    same_origin = {"Origin": own, "Sec-Fetch-Site": "same-origin"}
    assert http.post("/control/clock/move", json={"seconds": 1}, headers=same_origin).status_code == 200
    assert http.post("/control/clock/move", json={"seconds": 1}).status_code == 200
    assert http.get("/control/clock", headers={"Host": "localhost:9000"}).status_code == 200
    assert http.get("/control/clock", headers={"Host": "[::1]:9000"}).status_code == 200


@pytest.mark.parametrize(
    ("version", "headers"), [("1.0", {}), ("1.1", {"connection": "keep-alive, Upgrade"}), ("1.1", {"via": "1.1 x"})]
)
def test_token_opens_what_the_sign_of_a_proxy_closes(version: str, headers: dict[str, str]) -> None:
    ends = {"server": ("127.0.0.1", 1), "client": ("127.0.0.1", 5)}
    scope = {"type": "http", "method": "GET", "http_version": version, **ends}
    named = {"host": "localhost"} | headers
    access = ControlAccess(TOKEN)
    access.check(scope | {"http_version": "1.1"}, Headers({"host": "localhost"}))
    for wrong in ({}, {"authorization": "Bearer wrong"}):
        with pytest.raises(ApiError, match="came through a proxy") as refused:
            access.check(scope, Headers(named | wrong))
        assert refused.value.status == 403
    access.check(scope, Headers(named | {"authorization": f"Bearer {TOKEN}"}))
    # A client that offers HTTP/2 (RFC 7540 §3.2) is no proxy.
    upgrade = {"host": "localhost", "connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c"}
    access.check(scope | {"http_version": "1.1"}, Headers(upgrade))


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
def test_address_not_known_to_be_loopback_is_refused(address: tuple[str, int] | None) -> None:
    headers = Headers({"host": "localhost"})
    loopback = ("127.0.0.1", 5)
    for ends in ({"server": address, "client": loopback}, {"server": loopback, "client": address}):
        with pytest.raises(ApiError):
            ControlAccess().check({"type": "http", "method": "GET", **ends}, headers)
    ControlAccess().check({"type": "http", "method": "GET", "server": ("::1", 1), "client": loopback}, headers)
