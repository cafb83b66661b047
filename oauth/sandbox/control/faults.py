"""Faults over HTTP."""

from collections.abc import Mapping
from typing import Any

from oauth.sandbox.clients import CLIENT_ID
from oauth.sandbox.control.operation import Call, Conflict, Operation
from oauth.sandbox.faults.kinds import KINDS, SHAPES, fault_from, fields_of
from oauth.sandbox.faults.rules import Rule
from oauth.sandbox.json_schema import Schema, Shape, table
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint

WHEN: Mapping[str, Schema] = {
    "times": {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": 1_000_000,
        "description": "How many requests it strikes; null: without end. Without it 1, and with a share no end.",
    },
    "share": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 1,
        "description": "The share of the requests that it strikes, spread evenly: 0.25 is every fourth.",
    },
    "client_id": {**CLIENT_ID, "type": ["string", "null"], "description": "Only requests of this client; null: all."},
    "endpoint": {"enum": [*Endpoint, None], "description": "Only requests to this endpoint; null: all."},
}
COUNTERS: Mapping[str, Schema] = {
    "id": {"type": "integer", "minimum": 1, "maximum": 10**15 - 1, "description": "Counts the rules."},
    "met": {"type": "integer", "description": "The requests that it was for."},
    "provoked": {"type": "integer", "description": "How many of them it struck."},
}


def _described(more: Mapping[str, Schema], required: list[str]) -> Schema:
    """One alternative a fault: its name, its own fields, and ``more``."""
    alternatives = []
    for name, shape in SHAPES.items():
        own = shape.schema
        fields = {"fault": {"const": name}, **own["properties"], **more}
        needed = ["fault", *own.get("required", []), *required]
        alternatives.append(table(fields, needed, KINDS[name].__doc__ or ""))
    return {"oneOf": alternatives, "description": f"The fault is one of: {', '.join(SHAPES)}."}


BODY = _described(WHEN, [])
SHOWN = _described({**WHEN, **COUNTERS}, [*WHEN, *COUNTERS])
BY_ID: Mapping[str, Schema] = {"id": COUNTERS["id"]}
ENVELOPE = Shape({"type": "object", "required": ["fault"], "properties": {"fault": {"enum": list(KINDS)}}})
RULE = Shape(table(WHEN))


def rule_members(rule: Rule) -> dict[str, Any]:
    """As JSON."""
    return {
        "fault": rule.fault.kind,
        **fields_of(rule.fault),
        "times": rule.times,
        "share": rule.share,
        "client_id": rule.client_id,
        "endpoint": rule.endpoint,
        "id": rule.number,
        "met": rule.met,
        "provoked": rule.provoked,
    }


def rule_from(members: Mapping[str, Any], number: int) -> Rule:
    """A rule from JSON, with no requests met. Raises ``ShapeError``."""
    ENVELOPE.check(members)
    when = {name: value for name, value in members.items() if name in WHEN}
    RULE.check(when)
    fields = {name: value for name, value in members.items() if name not in WHEN and name != "fault"}
    fault = fault_from(members["fault"], fields)
    endpoint = when.get("endpoint")
    return Rule(
        number=number,
        fault=fault,
        times=when.get("times", None if "share" in when else 1),
        share=when.get("share", 1),
        client_id=when.get("client_id"),
        endpoint=None if endpoint is None else Endpoint(endpoint),
    )


def _list(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    del call
    return [rule_members(rule) for rule in sandbox.faults.rules]


def _add(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    wanted = rule_from(call.body, 0)
    if wanted.client_id is not None and not sandbox.has_client(wanted.client_id):
        raise Conflict(f"There is no client {wanted.client_id!r}.")
    try:
        rule = sandbox.faults.add(wanted.fault, wanted.times, wanted.share, wanted.client_id, wanted.endpoint)
    except ValueError as error:
        raise Conflict(str(error)) from error
    return rule_members(rule)


def _show(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return rule_members(sandbox.faults.rule(call.path["id"]))


def _remove(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults.remove(call.path["id"])


def _clear(sandbox: Sandbox, call: Call) -> None:
    del call
    sandbox.faults.clear()


OPERATIONS = (
    Operation("GET", "faults", "List the faults that may still strike", _list, {"type": "array", "items": SHOWN}),
    Operation("POST", "faults", "Add a fault", _add, SHOWN, 201, body=BODY, conflicts=True),
    Operation("DELETE", "faults", "Remove every fault", _clear),
    Operation("GET", "faults/{id}", "Read a fault", _show, SHOWN, path_parameters=BY_ID),
    Operation("DELETE", "faults/{id}", "Remove a fault", _remove, path_parameters=BY_ID),
)
