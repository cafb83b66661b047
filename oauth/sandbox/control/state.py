"""The whole state over HTTP: reset, snapshot, restore."""

from collections.abc import Mapping
from typing import Any

from oauth.sandbox.clients import client_from
from oauth.sandbox.control.clients import SHOWN as CLIENT
from oauth.sandbox.control.clock import time_from
from oauth.sandbox.control.faults import COUNTERS, rule_from, rule_members
from oauth.sandbox.control.faults import SHOWN as FAULT
from oauth.sandbox.control.issued import PATHS, SECRET, members, members_of
from oauth.sandbox.control.operation import NOTHING, TIME, Call, Conflict, Operation
from oauth.sandbox.control.settings import PROPERTIES as SETTINGS
from oauth.sandbox.control.settings import change_settings, settings_members
from oauth.sandbox.faults.rules import MOST_RULES, Rule
from oauth.sandbox.json_schema import Schema, ShapeError, table
from oauth.sandbox.provider import CAPACITY, Sandbox, StoredIssued
from oauth.sandbox.scope import parse
from oauth.sandbox.store import Issued, Kind, State

COUNT: Schema = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}


def _stored(kind: Kind) -> Schema:
    properties = {"secret": SECRET, **members_of(kind)}
    item = table(properties, list(properties))
    content = {"type": "array", "items": item, "maxItems": CAPACITY, "description": "Oldest first."}
    return table({"last_serial": COUNT, "content": content}, ["last_serial", "content"])


PROPERTIES: dict[str, Schema] = {
    "version": {"const": 1},
    "now": TIME,
    "settings": table(
        SETTINGS,
        ["lifetimes", "refresh_token_replaced", "fault_header"],
        "A setting that an older snapshot has not got stays as it is.",
    ),
    "clients": {"type": "array", "items": CLIENT},
    **{PATHS[kind].replace("-", "_"): _stored(kind) for kind in Kind},
    "faults": table(
        {"last_number": COUNT, "rules": {"type": "array", "items": FAULT, "maxItems": MOST_RULES}},
        ["last_number", "rules"],
    ),
}
SNAPSHOT = table(
    PROPERTIES,
    list(PROPERTIES),
    "The whole state, with its secrets; not the lint, the request log and the count for the request limit.",
)


def take(sandbox: Sandbox) -> dict[str, Any]:
    """The whole state as JSON."""
    stores = {}
    for kind in Kind:
        last_serial, content = sandbox.stored(kind)
        issued = [{"secret": secret, **members(one)} for secret, one in content]
        stores[PATHS[kind].replace("-", "_")] = {"last_serial": last_serial, "content": issued}
    return {
        "version": 1,
        "now": sandbox.clock.now().isoformat(),
        "settings": settings_members(sandbox),
        "clients": [client.members for client in sandbox.clients()],
        **stores,
        "faults": {
            "last_number": sandbox.faults.last_number,
            "rules": [rule_members(rule) for rule in sandbox.faults.rules],
        },
    }


def restore(sandbox: Sandbox, snapshot: Mapping[str, Any]) -> None:
    """Have this state; the clock goes on from the snapshot's time, so that what was live is live again.

    Raises ``ShapeError`` and ``Conflict``, and then nothing has changed.
    """
    now = time_from(snapshot["now"], "now")
    try:
        clients = [client_from(members, sandbox.configuration.scopes) for members in snapshot["clients"]]
        stores = {kind: _refill(sandbox, kind, snapshot[PATHS[kind].replace("-", "_")]) for kind in Kind}
        rules = [_rule(members) for members in snapshot["faults"]["rules"]]
        sandbox.clock.set(now)
    except ShapeError:
        raise
    except (ValueError, OverflowError) as error:
        raise Conflict(str(error)) from error
    sandbox.replace_state(clients, stores)
    sandbox.limiter.clear()
    sandbox.faults.refill(snapshot["faults"]["last_number"], rules)
    change_settings(sandbox, snapshot["settings"])


def _refill(sandbox: Sandbox, kind: Kind, stored: Mapping[str, Any]) -> StoredIssued:
    content = []
    for entry in stored["content"]:
        issued = Issued(
            serial=entry["serial"],
            kind=kind,
            client_id=entry["client_id"],
            scope=sandbox.checked_scopes(parse(entry["scope"])),
            user_id=entry["user_id"],
            issued_at=time_from(entry["issued_at"], "issued_at"),
            expires_at=time_from(entry["expires_at"], "expires_at"),
            # Expired is what the clock makes of it.
            state=State.LIVE if entry["state"] == State.EXPIRED else State(entry["state"]),
            redirect_uri=entry.get("redirect_uri", ""),
            redirect_uri_sent=entry.get("redirect_uri_sent", False),
        )
        if issued.user_id is not None and issued.user_id not in sandbox.users:
            raise Conflict(f"There is no user {issued.user_id}. There are: {', '.join(map(str, sandbox.users))}.")
        content.append((entry["secret"], issued))
    return stored["last_serial"], content


def _rule(members: Mapping[str, Any]) -> Rule:
    rule = rule_from({name: value for name, value in members.items() if name not in COUNTERS}, members["id"])
    if rule.times is not None and members["provoked"] >= rule.times:
        raise Conflict(f"Fault {rule.number} is used up.")
    rule.met, rule.provoked = members["met"], members["provoked"]
    return rule


def _take(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    del call
    return take(sandbox)


def _restore(sandbox: Sandbox, call: Call) -> None:
    restore(sandbox, call.body)


def _reset(sandbox: Sandbox, call: Call) -> None:
    del call
    sandbox.reset()


OPERATIONS = (
    Operation("GET", "snapshot", "The whole state, with its secrets", _take, SNAPSHOT),
    Operation("PUT", "snapshot", "Restore a state", _restore, body=SNAPSHOT, conflicts=True),
    Operation("POST", "reset", "As it was at the start", _reset, body=NOTHING),
)
