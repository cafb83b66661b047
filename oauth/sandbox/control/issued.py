"""Codes and tokens over HTTP: list them, issue them without a grant, revoke them by their serial."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from oauth.sandbox.clients import CLIENT_ID
from oauth.sandbox.configuration import USER_ID
from oauth.sandbox.control.operation import LIMIT, NOTHING, TIME, Call, Conflict, Operation
from oauth.sandbox.json_schema import Schema, table
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.scope import parse
from oauth.sandbox.store import Issued, Kind, State

SERIAL: Schema = {"type": "integer", "minimum": 1, "maximum": 10**15 - 1, "description": "Counts within its kind."}
SCOPE: Schema = {
    "type": "string",
    "pattern": r"^(?:[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*)?$",
    "maxLength": 1000,
    "description": "Scopes with a space between (RFC 6749 §3.3).",
}
SOMEBODY: Schema = {**USER_ID, "type": ["integer", "null"], "description": "Whose it is; null: the application's own."}
REDIRECT_URI: Schema = {"type": "string", "maxLength": 2000, "description": "Where the code goes."}
SECRET: Schema = {"type": "string", "pattern": r"^[0-9a-f]{40}$", "description": "The code or token itself."}
MEMBERS: Mapping[str, Schema] = {
    "serial": SERIAL,
    "client_id": CLIENT_ID,
    "scope": SCOPE,
    "user_id": SOMEBODY,
    "issued_at": TIME,
    "expires_at": TIME,
    "state": {"enum": list(State), "description": "Whether it can be used."},
}
OF_A_CODE: Mapping[str, Schema] = {
    "redirect_uri": REDIRECT_URI,
    "redirect_uri_sent": {
        "type": "boolean",
        "description": "Whether the authorization request had it, so that the token request must have it too.",
    },
}
PATHS = {Kind.CODE: "codes", Kind.ACCESS_TOKEN: "access-tokens", Kind.REFRESH_TOKEN: "refresh-tokens"}


def members_of(kind: Kind) -> dict[str, Schema]:
    """The schemas of what is shown of a kind."""
    return {**MEMBERS, **(OF_A_CODE if kind is Kind.CODE else {})}


def members(issued: Issued) -> dict[str, Any]:
    """As JSON, without the secret."""
    shown = {
        "serial": issued.serial,
        "client_id": issued.client_id,
        "scope": " ".join(issued.scope),
        "user_id": issued.user_id,
        "issued_at": issued.issued_at.isoformat(),
        "expires_at": issued.expires_at.isoformat(),
        "state": issued.state,
    }
    if issued.kind is Kind.CODE:
        shown |= {"redirect_uri": issued.redirect_uri, "redirect_uri_sent": issued.redirect_uri_sent}
    return shown


def _list(kind: Kind, sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    wanted = call.query.get("client_id")
    everything = sandbox.issued(kind, limit=LIMIT["maximum"] if wanted else call.query.get("limit", LIMIT["default"]))
    found = [members(issued) for issued in everything if wanted in (None, issued.client_id)]
    return found[: call.query.get("limit", LIMIT["default"])]


def _show(kind: Kind, sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return members(sandbox.issued_one(kind, call.path["serial"]))


def _issue(kind: Kind, sandbox: Sandbox, call: Call) -> dict[str, Any]:
    body = call.body
    if not sandbox.has_client(body["client_id"]):
        raise Conflict(f"There is no client {body['client_id']!r}.")
    first_user = next(iter(sandbox.users))
    user_id = body.get("user_id", first_user)
    if user_id is not None and user_id not in sandbox.users:
        raise Conflict(f"There is no user {user_id}. There are: {', '.join(map(str, sandbox.users))}.")
    try:
        scope = sandbox.checked_scopes(parse(body.get("scope", "")))
    except ValueError as error:
        raise Conflict(str(error)) from error
    secret = sandbox.issue(
        kind,
        body["client_id"],
        scope or sandbox.client(body["client_id"]).scopes,
        user_id,
        body.get("redirect_uri", ""),
        body.get("redirect_uri_sent", "redirect_uri" in body),
    )
    return {"secret": secret, **members(sandbox.issued(kind, limit=1)[0])}


def _revoke(kind: Kind, sandbox: Sandbox, call: Call) -> dict[str, Any]:
    sandbox.revoke(kind, call.path["serial"])
    return _show(kind, sandbox, call)


def _operations(kind: Kind) -> tuple[Operation, ...]:
    path, properties = PATHS[kind], members_of(kind)
    shown = table(properties, list(properties), f"One {kind}, without its secret.")
    fields: dict[str, Schema] = {"client_id": CLIENT_ID, "scope": SCOPE}
    fields["user_id"] = SOMEBODY if kind is Kind.ACCESS_TOKEN else USER_ID
    required = ["client_id"]
    if kind is Kind.CODE:
        fields |= OF_A_CODE
        required.append("redirect_uri")
    new = {"secret": SECRET, **properties}
    by_serial = {"serial": SERIAL}
    return (
        Operation(
            "GET",
            path,
            f"List the newest {kind}s",
            partial(_list, kind),
            {"type": "array", "items": shown},
            query_parameters={"limit": LIMIT, "client_id": CLIENT_ID},
        ),
        Operation(
            "POST",
            path,
            f"Issue a {kind}, with no grant; without scope it has the client's",
            partial(_issue, kind),
            table(new, list(new), f"The new {kind}."),
            201,
            body=table(fields, required),
            conflicts=True,
        ),
        Operation(
            "GET", f"{path}/{{serial}}", f"Read one {kind}", partial(_show, kind), shown, path_parameters=by_serial
        ),
        Operation(
            "POST",
            f"{path}/{{serial}}/revoke",
            f"Revoke one {kind}",
            partial(_revoke, kind),
            shown,
            body=NOTHING,
            path_parameters=by_serial,
        ),
    )


OPERATIONS = tuple(operation for kind in Kind for operation in _operations(kind))
