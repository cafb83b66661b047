"""The lint over HTTP."""

from typing import Any

from oauth.sandbox.clients import CLIENT_ID
from oauth.sandbox.control.operation import TIME, Call, Operation
from oauth.sandbox.json_schema import Schema, table
from oauth.sandbox.lint.findings import RULES, Finding
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint

TEXT: Schema = {"type": "string"}
BY_CLIENT = {"client_id": CLIENT_ID}
PROPERTIES: dict[str, Schema] = {
    "rule": {"enum": list(RULES)},
    "client_id": {"type": ["string", "null"], "description": "null: the request named no client that there is."},
    "endpoint": {"enum": list(Endpoint)},
    "count": {"type": "integer", "minimum": 1},
    "first_at": TIME,
    "last_at": TIME,
    "request_id": {"type": "string", "description": "X-Request-ID of the last one."},
    "title": TEXT,
    "why": TEXT,
    "remedy": TEXT,
    "reference": TEXT,
}


def finding_members(found: Finding) -> dict[str, Any]:
    """As JSON."""
    return {
        "rule": found.rule.name,
        "client_id": found.client_id,
        "endpoint": found.endpoint,
        "count": found.count,
        "first_at": found.first_at.isoformat(),
        "last_at": found.last_at.isoformat(),
        "request_id": found.request_id,
        "title": found.rule.title,
        "why": found.rule.why,
        "remedy": found.rule.remedy,
        "reference": found.rule.reference,
    }


def _list(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    return [finding_members(found) for found in sandbox.lint.findings(call.query.get("client_id"))]


def _clear(sandbox: Sandbox, call: Call) -> None:
    sandbox.lint.clear(call.query.get("client_id"))


OPERATIONS = (
    Operation(
        "GET",
        "lint",
        "What the integration does wrong, also where it is let through",
        _list,
        {"type": "array", "items": table(PROPERTIES, list(PROPERTIES))},
        query_parameters=BY_CLIENT,
    ),
    Operation("DELETE", "lint", "Forget the findings", _clear, query_parameters=BY_CLIENT),
)
