"""The request log over HTTP."""

from typing import Any

from oauth.sandbox.clients import CLIENT_ID
from oauth.sandbox.control.operation import LIMIT, TIME, Call, Operation
from oauth.sandbox.json_schema import Schema, table
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint

PERHAPS: Schema = {"type": ["string", "null"]}
NAMES: Schema = {"type": "array", "items": {"type": "string"}}
PROPERTIES: dict[str, Schema] = {
    "number": {"type": "integer", "minimum": 1},
    "request_id": {"type": "string", "description": "X-Request-ID of the answer."},
    "at": TIME,
    "method": {"type": "string"},
    "path": {"type": "string", "description": "Of an address that there is not, known words only."},
    "endpoint": {"enum": [*Endpoint, None]},
    "client_id": PERHAPS,
    "grant_type": PERHAPS,
    "parameters": {**NAMES, "description": "Names of known parameters that were sent."},
    "status": {"type": ["integer", "null"]},
    "error": {**PERHAPS, "description": "The error code that was answered."},
    "fault": {**PERHAPS, "description": "The fault that struck."},
    "findings": {**NAMES, "description": "What the lint found."},
    "duration_ms": {"type": "number"},
}


def _list(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    limit, after = call.query.get("limit", LIMIT["default"]), call.query.get("after", 0)
    return [entry.members for entry in sandbox.log.entries(limit, after, call.query.get("client_id"))]


def _clear(sandbox: Sandbox, call: Call) -> None:
    del call
    sandbox.log.clear()


OPERATIONS = (
    Operation(
        "GET",
        "requests",
        "The last requests, newest first, without secrets",
        _list,
        {"type": "array", "items": table(PROPERTIES, list(PROPERTIES))},
        query_parameters={
            "limit": LIMIT,
            "after": {
                "type": "integer",
                "minimum": 0,
                "maximum": 10**15 - 1,
                "description": "Only those numbered higher, so that what is new can be asked for.",
            },
            "client_id": CLIENT_ID,
        },
    ),
    Operation("DELETE", "requests", "Empty the log", _clear),
)
