"""Sandboxes of their own over HTTP."""

from typing import Annotated

import msgspec
from msgspec import Meta

from oauth_sandbox.behaviour import Preset
from oauth_sandbox.clients import Address, InvalidRedirectUri, NewClient, ScopeName, check_redirect_uri
from oauth_sandbox.configuration import Api, Replacement, Seed, check_effect, from_fields
from oauth_sandbox.control.operation import Call, Conflict, Operation, Time
from oauth_sandbox.control.settings import (
    BehaviourChange,
    LifetimesChange,
    OpenIdChange,
    RequestLimitChange,
    current_settings,
)
from oauth_sandbox.control.users import NewUser
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.sandboxes import PATH, Own, Sandboxes
from oauth_sandbox.validation import Fields, InvalidInput

Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$(?!\n)", description="The id of the sandbox.")]
AnyId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$(?!\n)", description="The id of the sandbox: letters and digits.")
]

Scopes = Annotated[dict[ScopeName, Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]


class Given(Fields):
    """The configuration of a sandbox of its own; what is left out is the server's, or with another API its default."""

    api: Api | msgspec.UnsetType = msgspec.UNSET
    redirect_uris: Annotated[tuple[Address, ...], Meta(description="Registered for each ready-made client.")] = ()
    preset: Preset | msgspec.UnsetType = msgspec.UNSET
    lifetimes: LifetimesChange | msgspec.UnsetType = msgspec.UNSET
    request_limit: RequestLimitChange | msgspec.UnsetType = msgspec.UNSET
    behaviour: BehaviourChange | msgspec.UnsetType = msgspec.UNSET
    openid: OpenIdChange | msgspec.UnsetType = msgspec.UNSET
    refresh_token_replaced: Replacement | msgspec.UnsetType = msgspec.UNSET
    refresh_ends_access_tokens: bool | msgspec.UnsetType = msgspec.UNSET
    seed: Seed | msgspec.UnsetType = msgspec.UNSET
    scopes: Scopes | msgspec.UnsetType = msgspec.UNSET
    users: Annotated[list[NewUser], Meta(min_length=1)] | msgspec.UnsetType = msgspec.UNSET
    clients: list[NewClient] | msgspec.UnsetType = msgspec.UNSET


class OwnFields(Fields):
    """A sandbox of its own. Its provider's paths and its control are below ``url``."""

    id: Id
    url: str
    made_at: Time
    used_at: Time


def _fields(own: Own, call: Call) -> OwnFields:
    return OwnFields(id=own.id, url=f"{call.origin}{PATH}{own.id}", made_at=own.made_at, used_at=own.used_at)


def _of(call: Call) -> Sandboxes:
    if call.sandboxes is None:
        raise Conflict("A sandbox of its own has no others below it: use the control of the server.")
    return call.sandboxes


def _list(_sandbox: Sandbox, call: Call) -> list[OwnFields]:
    return [_fields(own, call) for own in _of(call).all()]


def _make(sandbox: Sandbox, call: Call) -> OwnFields:
    document = msgspec.to_builtins(call.body)
    server = sandbox.configuration
    api, redirect_uris = Api(document.pop("api", server.api)), document.pop("redirect_uris")
    defaults = msgspec.to_builtins(current_settings(sandbox)) if api is server.api else {}
    check_effect(api, document, defaults)
    sandboxes = _of(call)
    for uri in redirect_uris:
        check_redirect_uri(uri)
    try:
        own = sandboxes.make(from_fields(document, server, api), fault_header=sandbox.fault_header)
    except ValueError as error:
        if isinstance(error.__cause__, InvalidInput | InvalidRedirectUri):  # and not, say, an id that is used twice
            raise InvalidInput((), str(error)) from error
        raise Conflict(str(error)) from error
    own.sandbox.log.listener = sandbox.log.listener
    if own.sandbox.openid.issuer and "issuer" not in document.get("openid", {}):  # the server's, of which it is a part
        own.sandbox.publish(f"{own.sandbox.openid.issuer}{PATH}{own.id}")
    for uri in redirect_uris:
        own.sandbox.register(uri)
    return _fields(own, call)


def _remove(_sandbox: Sandbox, call: Call) -> None:
    _of(call).remove(call.path["id"])


OPERATIONS = (
    Operation("GET", "sandboxes", "List the sandboxes of their own", _list, list[OwnFields], conflicts=True),
    Operation("POST", "sandboxes", "Make a sandbox of its own", _make, OwnFields, 201, body=Given, conflicts=True),
    Operation("DELETE", "sandboxes/{id}", "Remove one", _remove, path_parameters={"id": AnyId}, conflicts=True),
)
