import logging
import re
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from oauth.logs import LineFormatter
from oauth.routes.request_ids import RequestIds
from tests.routes.conftest import serving


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The lines of the log."""
    written: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(LineFormatter("text").format(record))

    handler, logger = Handler(), logging.getLogger("oauth.test")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


@pytest.fixture
def http(lines: list[str]) -> Iterator[httpx.Client]:
    def endpoint(_: Request) -> PlainTextResponse:
        logging.getLogger("oauth.test").warning("something happened")
        return PlainTextResponse("ok")

    app = Starlette(
        routes=[Route("/console/history", endpoint), Route("/console/sandbox/api", endpoint)],
        middleware=[Middleware(RequestIds, "/console")],
    )
    with serving(app) as address, httpx.Client(base_url=f"{address}/console", trust_env=False, timeout=60) as client:
        yield client


def test_id_of_the_proxy_is_taken_logged_and_sent_back(http: httpx.Client, lines: list[str]) -> None:
    sent = "1f2e3d4c-5b6a-7980.A_z"
    assert http.get("/history", headers={"X-Request-Id": sent}).headers["x-request-id"] == sent
    assert lines[-1].endswith(f"something happened request_id={sent}")


@pytest.mark.parametrize("sent", ["", "short", "x" * 65, "with space", "a;b=cdefgh", "käse-käse-käse"])
def test_other_ids_are_replaced(http: httpx.Client, lines: list[str], sent: str) -> None:
    made = http.get("/history", headers={b"X-Request-Id": sent.encode()}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", made)
    assert lines[-1].endswith(f"request_id={made}")


def test_ids_differ_and_the_sandbox_has_those_of_its_provider(http: httpx.Client) -> None:
    assert len({http.get("/history").headers["x-request-id"] for _ in range(5)}) == 5
    assert "x-request-id" not in http.get("/sandbox/api").headers
