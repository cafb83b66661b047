"""The messages of the control are for readers of any language: no value or type is written as Python writes it."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from oauth_sandbox.control.app import OPERATIONS
from oauth_sandbox.control.operation import Operation
from oauth_sandbox.validation import quoted

PYTHON = re.compile(
    r"(?<!\w)'|<class|<\w+\.\w+|\b(None|NoneType|True|False|str|int|float|bool|dict|list|msgspec|codec|\w+Error)\b"
    r"|`datetime`|object at 0x|\(\?|\[Errno"
)
WRONG: list[Any] = [None, True, -1, 1.5, 10**30, "", "it's", "\n\\", [], [None], ["it's"], {}, {"it's": None}]
CODE = {"client_id": "demo-app", "redirect_uri": "http://localhost/callback"}
CONFLICTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "clients", {"client_id": "demo-app", "secret": "s"}),
    ("POST", "clients", {"client_id": "new", "secret": "s", "scopes": ["it's"]}),
    ("POST", "clients", {"client_id": "new", "secret": "s", "redirect_uris": ["javascript:alert(1)"]}),
    ("PATCH", "clients/demo-app", {"scopes": ["it's"]}),
    ("PATCH", "clients/nobody", {"active": False}),
    ("POST", "codes", CODE | {"client_id": "nobody"}),
    ("POST", "codes", CODE | {"scope": "it's"}),
    ("POST", "access-tokens", {"client_id": "demo-app", "user_id": 9}),
    ("PUT", "clock", {"now": "9999-12-31T23:59:59Z"}),
    ("PUT", "clock", {"now": "2026-11-23T10:00:00"}),
    ("PUT", "clock", {"now": "it's"}),
    ("POST", "consent", {"decision": "approve", "url": "http://[it's"}),
    ("POST", "consent", {"decision": "approve", "url": "https://elsewhere.example/it's?client_id=demo-app"}),
    ("POST", "consent", {"decision": "approve", "parameters": {"client_id": "it's"}}),
    ("POST", "consent", {"decision": "approve", "user_id": 9, "parameters": CODE | {"response_type": "code"}}),
    ("POST", "faults", {"fault": "latency", "client_id": "nobody", "seconds": 1}),
    ("POST", "faults", {"fault": "it's"}),
    ("POST", "faults", {"fault": "latency", "endpoint": "it's"}),
    ("POST", "holds/release", {"number": 7}),
    ("POST", "sandboxes", {"preset": "it's"}),
    ("POST", "sandboxes", {"behaviour": {"pkce": "it's"}}),
    ("POST", "sandboxes", {"clients": [{"client_id": "a", "secret": "s"}, {"client_id": "a", "secret": "s"}]}),
    ("POST", "sandboxes", {"users": [{"id": None, "name": "a"}]}),
    ("POST", "users", {"id": 402215, "name": "a"}),
    ("POST", "users", {"id": "it's", "name": True}),
    ("PATCH", "users/9", {"name": "a"}),
    ("PATCH", "users/402215", {"name": None}),
    ("PUT", "snapshot", {"version": 2}),
]


def details(answer: httpx.Response) -> list[str]:
    """Return the message of a refusal, if it is one."""
    assert answer.status_code < 500, answer.text
    return [answer.json()["error"]["detail"]] if answer.is_error else []


def wrong_requests(
    operation: Operation, described: dict[str, Any], schemas: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield wrong values for each part of a request: path, query, the body, and each of its fields."""
    right = dict.fromkeys(operation.path_parameters, "1") | {"client_id": "demo-app"}
    for name in operation.path_parameters:
        for text in ("it's", "0", "nobody", "7", "0" * 16, "%F0%9F"):
            yield {"path": operation.path.format_map(right | {name: text}), "json": {}}
    path = operation.path.format_map(right)
    for parameter in [*described.get("parameters", ()), {"name": "it's", "in": "query"}]:
        if parameter["in"] == "query":
            yield from ({"path": path, "params": {parameter["name"]: text}, "json": {}} for text in ("it's", "", "-1"))
    if operation.body is None:
        return
    yield from ({"path": path, "content": text} for text in (b"", b"{", b"\xff", b'{"a": 1e999}', b"[" * 50_000))
    yield from ({"path": path, "json": value} for value in WRONG)
    fields = {"it's"}
    waiting, seen = [described["requestBody"]["content"]["application/json"]["schema"]], set()
    while waiting:
        schema = waiting.pop()
        waiting += schema.get("anyOf", ())
        if (name := schema.get("$ref", "").rpartition("/")[2]) and name not in seen:
            seen.add(name)
            waiting.append(schemas[name])
        fields |= set(schema.get("properties", ()))
    yield from ({"path": path, "json": {field: value}} for field in sorted(fields) for value in WRONG)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_no_wrong_value_is_answered_in_the_terms_of_python(http: httpx.Client, operation: Operation) -> None:
    document = http.get("/control/openapi.json").json()
    described = document["paths"][f"/{operation.path}"][operation.method.lower()]
    messages: list[str] = []
    for request in wrong_requests(operation, described, document["components"]["schemas"]):
        body = {"content": request["content"]} if "content" in request else {"json": request.get("json")}
        answer = http.request(
            operation.method,
            f"/control/{request['path']}",
            params=request.get("params"),
            headers={"Content-Type": "application/json"},
            **(body if operation.body is not None else {}),
        )
        messages += details(answer)
    assert messages
    assert [message for message in messages if PYTHON.search(message)] == []


@pytest.mark.parametrize(("method", "path", "body"), CONFLICTS)
def test_no_conflict_is_answered_in_the_terms_of_python(
    http: httpx.Client, method: str, path: str, body: dict[str, Any]
) -> None:
    (message,) = details(http.request(method, f"/control/{path}", json=body))
    assert not PYTHON.search(message), message


def test_values_are_quoted_as_json_quotes_them(http: httpx.Client) -> None:
    wrong = http.post("/control/faults", json={"fault": 'a "b"'})
    assert details(wrong)[0].startswith(r'fault: Invalid value "a \"b\"". ')
    placed = http.post("/control/faults", json={"fault": "latency", "endpoint": "it's - at `$.x`"})
    assert details(placed)[0].startswith('endpoint: Invalid enum value "it\'s - at `$.x`". Allowed: ')
    named = http.patch("/control/clients/demo-app", json={"active": "yes"})
    assert details(named)[0].startswith("active: Expected `boolean`, got `string`.")
    unknown = http.post("/control/clients", json={"client_id": "a", "secret": "s", "int": 1})
    assert details(unknown)[0].startswith("Object contains unknown field `int`.")
    text = http.post("/control/clients", json={"client_id": "a b", "secret": "s"})
    assert details(text)[0].startswith("client_id: Expected `string` of another form. The client_id: letters, digits")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"fault": "server-error", "status": 404}, "status: Invalid enum value 404. HTTP status. Allowed: 500, 501, "),
        ({"fault": "html-page", "status": 9}, "status: Invalid enum value 9. HTTP status. Allowed: 200, 403, 404, "),
        ({"fault": "latency", "secs": 2}, "Object contains unknown field `secs`. Known fields: fault, times, "),
        (
            {"fault": "error", "error": '"'},
            "error: Expected `string` of another form. The code, such as server_error: printable ASCII without ",
        ),
        ({"fault": "documented"}, "Object missing required field `number`. Known fields: fault, times, "),
    ],
)
def test_what_a_fault_allows_is_that_of_the_fault(http: httpx.Client, fault: dict[str, Any], message: str) -> None:
    assert details(http.post("/control/faults", json=fault))[0].startswith(message)


def test_a_quoted_text_can_be_written_whatever_is_in_it() -> None:
    assert quoted('zł "\n\udcff') == r'"zł \"\n\udcff"'
