"""The operations of the API, and the OpenAPI 3.1 document that is made from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from oauth.access.tokens import Scope
from oauth.exports.layout import COLUMNS, NUMBERS
from oauth.history.listing import LARGEST_ID
from oauth.version import version

DEFAULT_LIMIT = 50
MOST_AT_ONCE = 200
"""Exchanges of one page."""

_ID = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
_TEXT = {"type": "string", "pattern": r"[^\ufeff \t\r\n]"}

REFUSALS = {
    400: "The request is not as described here.",
    401: "The token is missing, unknown, revoked or expired.",
    403: "The token lacks the scope.",
    404: "There is no such exchange.",
    408: "The text did not arrive in time.",
    413: "The text is too large.",
    415: "The body must be text/plain or application/json.",
    422: "The text cannot be read, or takes too long.",
    429: "Too many requests; Retry-After says when to try again.",
    503: "The history cannot be used now, or too many texts are being diagnosed; try again later.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation. ``cost`` is the number of requests that it counts as; ``answer`` names the schema of its answer."""

    method: str
    path: str
    scope: Scope
    summary: str
    answer: str
    parameters: Mapping[str, Mapping[str, Any]]
    has_body: bool = False
    cost: int = 1


OPERATIONS = (
    Operation(
        "GET",
        "/exchanges",
        Scope.HISTORY,
        "List the exchanges that match a filter line, newest first.",
        "Page",
        {
            "filter": {"type": "string", "description": "A filter line as on the History page; dates are in UTC."},
            "before": _ID | {"description": "The member next of the page before: the page that follows it."},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": DEFAULT_LIMIT},
        },
    ),
    Operation("GET", "/exchanges/{id}", Scope.HISTORY, "Return one exchange.", "Exchange", {"id": _ID}),
    Operation(
        "POST",
        "/diagnose",
        Scope.DIAGNOSE,
        "List the errors in a text, with their causes and fixes. Nothing of the text is kept.",
        "Results",
        {},
        has_body=True,
        cost=10,
    ),
)


def document(server: str) -> dict[str, Any]:
    """Return the document; ``server`` is the address that the paths are below."""
    from oauth.diagnosis.as_json import ResultObject  # loads every reader of pasted text

    (result,), components = msgspec.json.schema_components([ResultObject], ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "OAuth Console", "version": version(), "description": "The history and the diagnosis."},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {
                **components,
                "Results": {"type": "array", "items": result},
                "Exchange": _exchange(),
                "Page": _object(
                    exchanges={"type": "array", "items": _reference("Exchange")},
                    next={"type": ["integer", "null"], "description": "The value of before for the next page."},
                ),
                "Error": _object(error=_object(status={"type": "integer"}, detail={"type": "string"})),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    statuses: Sequence[int] = [400, 401, 403, 429, 503]
    statuses = [*statuses, *([404] if "{id}" in operation.path else []), *([408, 413, 415, 422] * operation.has_body)]
    described: dict[str, Any] = {
        "operationId": f"{operation.method.lower()} {operation.path[1:]}",
        "summary": operation.summary,
        "description": f"The token needs the scope {operation.scope}.",
        "parameters": [
            {
                "name": name,
                "in": "path" if f"{{{name}}}" in operation.path else "query",
                "required": f"{{{name}}}" in operation.path,
                "schema": schema,
            }
            for name, schema in operation.parameters.items()
        ],
        "responses": {"200": {"description": "OK", "content": _json(_reference(operation.answer))}}
        | {
            str(status): {"description": REFUSALS[status], "content": _json(_reference("Error"))}
            for status in sorted(statuses)
        },
    }
    if operation.has_body:
        content = {"text/plain": {"schema": _TEXT}} | _json(_object(text=_TEXT))
        described["requestBody"] = {"required": True, "content": content}
    return described


def _exchange() -> dict[str, Any]:
    """Return the schema of the object that JSON Lines has for an exchange."""
    members = {name: {"type": ["integer", "null"]} if name in NUMBERS else {"type": "string"} for name in COLUMNS}
    return _object(**members | {"id": {"type": "integer"}})


def _object(**members: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": [*members], "additionalProperties": False}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
