import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import haralyzer
import jsonschema
import pytest

from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.exports.har_file import READ, entries, pieces
from oauth.history.store import Row
from tests.exports.rows import batch_of

HIDDEN = "«code #9f2a41d07b 40ch»"


def required(**kinds: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(kinds),
        "properties": {name: {"type": kind} for name, kind in kinds.items()},
    }


def members(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**schema, "properties": {**schema["properties"], **more}}


NAMED = {"type": "array", "items": required(name="string", value="string")}
REQUEST = members(
    required(method="string", url="string", httpVersion="string", cookies="array", headers="array", queryString="array",
             headersSize="integer", bodySize="integer"),
    url={"type": "string", "pattern": r"^[A-Za-z0-9%/:?\[\]@!$&'()*+,;=~._-]*$"},
    headers=NAMED,
    queryString=NAMED,
    postData=required(mimeType="string", text="string"),
)  # fmt: skip
RESPONSE = members(
    required(status="integer", statusText="string", httpVersion="string", cookies="array", headers="array",
             content="object", redirectURL="string", headersSize="integer", bodySize="integer"),
    headers=NAMED,
    content=required(size="integer", mimeType="string"),
)  # fmt: skip
ENTRY = members(
    required(startedDateTime="string", time="number", request="object", response="object", cache="object",
             timings="object"),
    startedDateTime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$"},
    request=REQUEST,
    response=RESPONSE,
    timings=required(send="number", wait="number", receive="number"),
)  # fmt: skip
# What HAR 1.2 asks for, member by member; all others must begin with an underscore.
HAR = members(
    required(log="object"),
    log=members(
        required(version="string", creator="object", entries="array"),
        creator=required(name="string", version="string"),
        entries={"type": "array", "items": ENTRY},
    ),
)
KNOWN = {"startedDateTime", "time", "request", "response", "cache", "timings"}


@pytest.fixture
def rows(exchange: Callable[..., Exchange]) -> list[Row]:
    sent = exchange(id=1, owner="ada", flow="f1", client_id="demo-app")
    answer = Response(400, "Bad Request", (("Content-Type", "application/json"),), '{"é": 1}'.encode())
    opened = Request("GET", f"https://app.example/back?code={HIDDEN}&a=b+ż#part", (("Host", "app.example"),))
    return [
        Row(replace(sent, response=answer, duration_ms=84), 2, "invalid_grant", "said", "a note"),
        Row(replace(sent, id=2, failure=Failure("refused", "why"))),
        Row(exchange(Step.CALLBACK, request=opened, id=3, marks=("imported", "proxy"))),
    ]


def har_of(rows: list[Row]) -> dict[str, Any]:
    batches = [batch_of([row]).select(READ) for row in rows]
    document: dict[str, Any] = json.loads(b"".join(pieces(map(entries, batches))))
    return document


def test_the_file_is_har_and_what_har_does_not_know_has_an_underscore(rows: list[Row]) -> None:
    document = har_of(rows)
    jsonschema.validate(document, HAR)
    jsonschema.validate(har_of([]), HAR)
    for entry in document["log"]["entries"]:
        assert {name for name in entry if not name.startswith("_")} == KNOWN
    assert document["log"]["version"] == "1.2"


def test_another_reader_finds_the_exchanges_in_it(rows: list[Row]) -> None:
    first, second, third = haralyzer.HarParser(har_of(rows)).har_data["entries"]
    assert (first["request"]["method"], first["response"]["status"], first["time"]) == ("POST", 400, 84)
    assert first["response"]["content"] == {"size": 9, "mimeType": "application/json", "text": '{"é": 1}'}
    assert (second["response"]["status"], second["_failure"], second["_failure_detail"]) == (0, "refused", "why")
    page = haralyzer.HarEntry(third)
    assert page.request.method == "GET"
    assert page.request.get_header_value("Host") == "app.example"
    assert third["request"]["queryString"] == [{"name": "code", "value": HIDDEN}, {"name": "a", "value": "b ż"}]


def test_nothing_is_lost(rows: list[Row]) -> None:
    first, _, third = har_of(rows)["log"]["entries"]
    assert (first["_id"], first["_owner"], first["_client_id"], first["_documented_error"]) == (1, "ada", "demo-app", 2)
    assert (first["_error"], first["_note"], first["_step"]) == ("invalid_grant", "a note", "token")
    assert third["request"]["_url"] == f"https://app.example/back?code={HIDDEN}&a=b+ż#part"
    assert third["_marks"] == "proxy"  # that it was imported is a fact of that history
