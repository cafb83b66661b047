"""Clients over HTTP."""

from typing import Any

from oauth.sandbox.clients import CLIENT, CLIENT_ID, PROPERTIES, client_from
from oauth.sandbox.control.operation import Call, Conflict, Operation
from oauth.sandbox.json_schema import table
from oauth.sandbox.provider import Sandbox

SHOWN = table({"client_id": CLIENT_ID, **PROPERTIES}, ["client_id", *PROPERTIES], "A client, with its secret.")
CHANGE = table(PROPERTIES, description="What is to change.", minProperties=1)
BY_ID = {"client_id": CLIENT_ID}
PATH = "clients/{client_id}"


def _list(sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    del call
    return [client.members for client in sandbox.clients()]


def _add(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    if sandbox.has_client(call.body["client_id"]):
        raise Conflict(f"There is a client {call.body['client_id']!r} already. Change it with PATCH.")
    return _put(sandbox, call.body)


def _show(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return sandbox.client(call.path["client_id"]).members


def _change(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return _put(sandbox, sandbox.client(call.path["client_id"]).members | call.body)


def _remove(sandbox: Sandbox, call: Call) -> None:
    sandbox.remove_client(call.path["client_id"])


def _put(sandbox: Sandbox, members: dict[str, Any]) -> dict[str, Any]:
    try:
        client = client_from(members, sandbox.configuration.scopes)
    except ValueError as error:
        raise Conflict(str(error)) from error
    sandbox.put_client(client)
    return client.members


OPERATIONS = (
    Operation("GET", "clients", "List the clients", _list, {"type": "array", "items": SHOWN}),
    Operation("POST", "clients", "Add a client", _add, SHOWN, 201, body=CLIENT, conflicts=True),
    Operation("GET", PATH, "Read a client", _show, SHOWN, path_parameters=BY_ID),
    Operation(
        "PATCH",
        PATH,
        "Change a client: grants, scopes, redirect URIs, secret, name; deactivate it with active",
        _change,
        SHOWN,
        body=CHANGE,
        path_parameters=BY_ID,
        conflicts=True,
    ),
    Operation("DELETE", PATH, "Remove a client with all that it was given", _remove, path_parameters=BY_ID),
)
