"""Clients over HTTP."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from oauth_sandbox.clients import Client, ClientChange, ClientId, NewClient, UnknownScope, client_from
from oauth_sandbox.control.operation import Call, Conflict, Operation
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import InvalidInput, quoted

NotEmptyChange: Any = Annotated[ClientChange, Meta(extra_json_schema={"minProperties": 1})]
BY_ID = {"client_id": ClientId}
PATH = "clients/{client_id}"


def _list(sandbox: Sandbox, _call: Call) -> tuple[Client, ...]:
    return sandbox.clients()


def _add(sandbox: Sandbox, call: Call) -> Client:
    if sandbox.has_client(call.body.client_id):
        raise Conflict(f"There is a client {quoted(call.body.client_id)} already. Change it with PATCH.")
    try:
        client = client_from(call.body, sandbox.configuration.scopes)
    except UnknownScope as error:
        raise Conflict(str(error)) from error
    sandbox.put_client(client)
    return client


def _show(sandbox: Sandbox, call: Call) -> Client:
    return sandbox.client(call.path["client_id"])


def _change(sandbox: Sandbox, call: Call) -> Client:
    changes = msgspec.to_builtins(call.body)
    if not changes:
        raise InvalidInput((), "There is nothing to change. Give at least one field.")
    try:
        return sandbox.change_client(call.path["client_id"], **changes)
    except UnknownScope as error:
        raise Conflict(str(error)) from error


def _remove(sandbox: Sandbox, call: Call) -> None:
    sandbox.remove_client(call.path["client_id"])


OPERATIONS = (
    Operation("GET", "clients", "List the clients", _list, list[Client]),
    Operation("POST", "clients", "Add a client", _add, Client, 201, body=NewClient, conflicts=True),
    Operation("GET", PATH, "Read a client", _show, Client, path_parameters=BY_ID),
    Operation(
        "PATCH",
        PATH,
        "Change a client: grants, scopes, redirect URIs, secret, name; deactivate it with active",
        _change,
        Client,
        body=NotEmptyChange,
        path_parameters=BY_ID,
        conflicts=True,
    ),
    Operation("DELETE", PATH, "Remove a client with its codes and tokens", _remove, path_parameters=BY_ID),
)
