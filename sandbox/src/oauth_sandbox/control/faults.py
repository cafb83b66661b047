"""Faults over HTTP."""

import functools
import operator
from types import GenericAlias
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.clients import ClientId
from oauth_sandbox.configuration import Api
from oauth_sandbox.control.operation import Call, Conflict, Number, Operation
from oauth_sandbox.faults.kinds import KINDS
from oauth_sandbox.faults.rules import Rule
from oauth_sandbox.paths import PATHS
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.validation import Fields, quoted

Times = Annotated[int, Meta(ge=1, le=1_000_000)] | None
Share = Annotated[
    float, Meta(gt=0, le=1, description="The share of requests it strikes, spread evenly: 0.25 is every fourth.")
]


class NewRule(Fields):
    """The conditions of a new fault. ``times`` is 1 by default, with a share unlimited; null means unlimited."""

    times: Times | UnsetType = UNSET
    share: Share | UnsetType = UNSET
    client_id: ClientId | None = None
    endpoint: Endpoint | None = None


class RuleState(Fields):
    """A fault rule with its number and its counts: requests met, and requests struck."""

    times: Times
    share: Share
    client_id: ClientId | None
    endpoint: Endpoint | None
    id: Number
    met: int
    provoked: int


def _with_each_fault(base: type[Fields]) -> Any:
    """Return the union of ``base`` extended by the name and the fields of every fault."""
    kinds = []
    for tag, kind in KINDS.items():
        fields = [
            (field.name, field.type) if field.required else (field.name, field.type, field.default)
            for field in msgspec.structs.fields(kind)
        ]
        name, doc = f"{base.__name__}{kind.__name__}", {"__doc__": kind.__doc__}
        kinds.append(
            msgspec.defstruct(name, fields, bases=(base,), kw_only=True, tag_field="fault", tag=tag, namespace=doc)
        )
    return functools.reduce(operator.or_, kinds)


AnyNewRule: Any = _with_each_fault(NewRule)
AnyRule: Any = _with_each_fault(RuleState)
BY_ID = {"id": Number}


def rule_fields(rule: Rule) -> dict[str, Any]:
    """Return a rule as the fields of ``AnyRule``."""
    return {
        **msgspec.to_builtins(rule.fault),
        "times": rule.times,
        "share": rule.share,
        "client_id": rule.client_id,
        "endpoint": rule.endpoint,
        "id": rule.number,
        "met": rule.met,
        "provoked": rule.provoked,
    }


def rule_from(state: Any) -> Rule:
    """Return a rule from an ``AnyRule``. Raises ``Conflict`` when it can strike no more."""
    if state.times is not None and state.provoked >= state.times:
        raise Conflict(f"Fault {state.id} is used up.")
    fault = _fault(state)
    return Rule(state.id, fault, state.times, state.share, state.client_id, state.endpoint, state.met, state.provoked)


def _fault(rule: Any) -> Any:
    kind = KINDS[rule.__struct_config__.tag]
    return kind(**{name: getattr(rule, name) for name in kind.__struct_fields__})


def _list(sandbox: Sandbox, _call: Call) -> list[dict[str, Any]]:
    return [rule_fields(rule) for rule in sandbox.faults.rules]


def _add(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    body = call.body
    if body.client_id is not None and not sandbox.has_client(body.client_id):
        raise Conflict(f"There is no client {quoted(body.client_id)}.")
    only_at = _fault(body).only_at
    if None not in (only_at, body.endpoint) and only_at is not body.endpoint:
        raise Conflict(f"This fault strikes at {only_at} alone. Leave endpoint out.")
    _fault(body).check_effect(sandbox.configuration.api)
    _check_endpoint(sandbox.configuration.api, body.endpoint)
    share = 1.0 if body.share is UNSET else body.share
    default = 1 if body.share is UNSET else None
    times = default if body.times is UNSET else body.times
    try:
        rule = sandbox.faults.add(_fault(body), times, share, body.client_id, body.endpoint)
    except ValueError as error:
        raise Conflict(str(error)) from error
    return rule_fields(rule)


def _check_endpoint(api: Api, endpoint: Endpoint | None) -> None:
    """Raise ``Conflict`` for an endpoint that this API does not have."""
    if endpoint is not None and endpoint not in PATHS[api]:
        raise Conflict(f"The API {api} has no endpoint {endpoint}. Its endpoints: {', '.join(PATHS[api])}.")


def _show(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return rule_fields(sandbox.faults.rule(call.path["id"]))


def _remove(sandbox: Sandbox, call: Call) -> None:
    sandbox.faults.remove(call.path["id"])


def _clear(sandbox: Sandbox, _call: Call) -> None:
    sandbox.faults.clear()


OPERATIONS = (
    Operation("GET", "faults", "List the faults that may still strike", _list, GenericAlias(list, AnyRule)),
    Operation("POST", "faults", "Add a fault", _add, AnyRule, 201, body=AnyNewRule, conflicts=True),
    Operation("DELETE", "faults", "Remove every fault", _clear),
    Operation("GET", "faults/{id}", "Read a fault", _show, AnyRule, path_parameters=BY_ID),
    Operation("DELETE", "faults/{id}", "Remove a fault", _remove, path_parameters=BY_ID),
)
