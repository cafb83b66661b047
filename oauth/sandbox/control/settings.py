"""Lifetimes, what a refresh replaces, the request limit and the fault header over HTTP; the users to read."""

from dataclasses import asdict
from typing import Any

from oauth.sandbox.configuration import ENDED, LIFETIMES, LIMIT, REPLACED, Lifetimes, Replacement
from oauth.sandbox.control.operation import Call, Operation
from oauth.sandbox.json_schema import Schema, table
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.rate_limit import RequestLimit

PROPERTIES: dict[str, Schema] = {
    "lifetimes": {**LIFETIMES, "description": "Seconds that what is issued from now on lives."},
    "refresh_token_replaced": REPLACED,
    "refresh_ends_access_tokens": ENDED,
    "request_limit": {**LIMIT, "description": "Counted by address; a change forgets what was counted before."},
    "fault_header": {"type": "boolean", "description": "Whether the header X-Sandbox-Fault provokes faults."},
}
SHOWN = table(PROPERTIES, list(PROPERTIES), "The settings.")
CHANGE = table(PROPERTIES, description="What is to change.", minProperties=1)
USERS: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "name": {"type": "string"}},
        "required": ["id", "name"],
    },
}


def settings_members(sandbox: Sandbox) -> dict[str, Any]:
    """As JSON."""
    return {
        "lifetimes": asdict(sandbox.lifetimes),
        "refresh_token_replaced": sandbox.refresh_token_replaced,
        "refresh_ends_access_tokens": sandbox.refresh_ends_access_tokens,
        "request_limit": asdict(sandbox.limiter.limit),
        "fault_header": sandbox.fault_header,
    }


def change_settings(sandbox: Sandbox, members: dict[str, Any]) -> None:
    """Change those that are there."""
    merged = settings_members(sandbox) | members
    sandbox.set_lifetimes(Lifetimes(**asdict(sandbox.lifetimes) | merged["lifetimes"]))
    sandbox.set_request_limit(RequestLimit(**asdict(sandbox.limiter.limit) | merged["request_limit"]))
    sandbox.refresh_token_replaced = Replacement(merged["refresh_token_replaced"])
    sandbox.refresh_ends_access_tokens = merged["refresh_ends_access_tokens"]
    sandbox.fault_header = merged["fault_header"]


def _show(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    del call
    return settings_members(sandbox)


def _change(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    change_settings(sandbox, call.body)
    return settings_members(sandbox)


def _users(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    del call
    return [dict(user) for user in sandbox.users.values()]


OPERATIONS = (
    Operation("GET", "settings", "Read the settings", _show, SHOWN),
    Operation("PATCH", "settings", "Change settings", _change, SHOWN, body=CHANGE),
    Operation("GET", "users", "List the users; the first decides when none is named", _users, USERS),
)
