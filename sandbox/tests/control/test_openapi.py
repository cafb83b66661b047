"""The control keeps to the OpenAPI document that it serves."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import BaseSchema, GenerationMode

from oauth_sandbox.app import application
from oauth_sandbox.clients import Address, InvalidRedirectUri, check_redirect_uri
from oauth_sandbox.clock import utc_now
from oauth_sandbox.control.app import OPERATIONS
from oauth_sandbox.control.operation import Nothing, Operation
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.testing import running


@pytest.fixture(scope="module")
def api() -> Iterator[BaseSchema]:
    with running(Sandbox(utc_now)) as served:
        yield schemathesis.openapi.from_url(f"{served.url}/control/openapi.json")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_an_operation_keeps_to_the_document(api: BaseSchema, operation: Operation, mode: GenerationMode) -> None:
    described = api[f"/{operation.path}"][operation.method]
    if mode is GenerationMode.NEGATIVE and not (described.body or described.query or described.path_parameters):
        assert operation.body is None
        assert operation.query is Nothing
        return

    @settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=described.as_strategy(generation_mode=mode))
    def check(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate()

    check()


def test_the_document_names_every_operation(http: httpx.Client) -> None:
    document = http.get("/control/openapi.json").json()
    assert document["openapi"].startswith("3.1.")
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(operation.method, f"/{operation.path}") for operation in OPERATIONS}
    assert document["servers"] == [{"url": "/control"}]


def test_unknown_path_and_method_are_refused(http: httpx.Client) -> None:
    assert http.get("/control/nothing").status_code == 404
    assert http.get("/control/").status_code == 404
    wrong = http.delete("/control/clock")
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "GET, PUT"


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "missing required field `seconds`"),
        ("{", "not valid JSON"),
        ('{"seconds": NaN}', "not valid JSON"),
        ('{"seconds": 1e999}', "not valid JSON"),
        ('{"seconds": "\\ud800"}', "not valid JSON"),
        ("[]", "Expected `object`, got `array`"),
        ('{"seconds": "1"}', "seconds: Expected `number`, got `string`"),
        ('{"second": 1}', "unknown field `second`. Known fields: seconds."),
    ],
)
def test_invalid_body_is_refused_naming_the_field(http: httpx.Client, content: str, part: str) -> None:
    answer = http.post("/control/clock/move", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert part in answer.json()["error"]["detail"]


def test_invalid_query_is_refused(http: httpx.Client) -> None:
    for query in ("clientid=demo-app", "client_id=a&client_id=b", "client_id=%2F"):
        assert http.get(f"/control/lint?{query}").status_code == 400


def test_oversized_body_is_refused(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oauth_sandbox.control.app.LARGEST_BODY", 100)
    assert http.put("/control/snapshot", json={"x": "x" * 100}).status_code == 413


def test_the_application_serves_a_prefix() -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from oauth_sandbox.testing import serving

    with serving(Starlette(routes=[Mount("/sandbox", application(Sandbox(utc_now)))])) as url:
        document = httpx.get(f"{url}/sandbox/control/openapi.json", trust_env=False).json()
        assert document["servers"] == [{"url": "/sandbox/control"}]
        assert httpx.get(f"{url}/sandbox/control/clock", trust_env=False).status_code == 200


def test_operation_ids_are_names_and_each_is_there_once(http: httpx.Client) -> None:
    paths = http.get("/control/openapi.json").json()["paths"]
    ids = [operation["operationId"] for methods in paths.values() for operation in methods.values()]
    assert all(re.fullmatch(r"[a-z_]+", id) for id in ids), ids
    assert len(set(ids)) == len(ids) == len(OPERATIONS)


@pytest.mark.parametrize("port", ["", ":80", ":9999", ":10000", ":65535", ":65536", ":0"])
def test_the_document_knows_the_ports_of_a_redirect_uri(port: str) -> None:
    uri = f"http://localhost{port}/callback"
    try:
        check_redirect_uri(uri)
    except InvalidRedirectUri:
        is_accepted = False
    else:
        is_accepted = True
    assert bool(re.search(msgspec.json.schema(Address)["pattern"], uri)) == is_accepted
