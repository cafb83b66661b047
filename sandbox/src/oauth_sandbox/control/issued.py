"""Codes and tokens over HTTP: list them, issue them without a grant, revoke them by their serial."""

from functools import partial
from types import GenericAlias
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.clients import ClientId
from oauth_sandbox.configuration import UserId
from oauth_sandbox.control.operation import MOST_ITEMS, Call, Conflict, Count, Limit, Nothing, Number, Operation, Time
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.scope import parse
from oauth_sandbox.store import Issued, Kind, State
from oauth_sandbox.validation import Fields, quoted

ScopeText = Annotated[
    str,
    Meta(
        pattern=r"^(?:[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*)?$(?!\n)",
        max_length=1000,
        description="Scopes separated by spaces (RFC 6749 §3.3).",
    ),
]
RedirectUri = Annotated[str, Meta(max_length=2000, description="Where the code goes.")]
Secret = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{20,4000}$(?!\n)",
        description="The code or token itself: 20 to 4,000 letters, digits and . _ -",
    ),
]
PATHS = {Kind.CODE: "codes", Kind.ACCESS_TOKEN: "access-tokens", Kind.REFRESH_TOKEN: "refresh-tokens"}


class TokenFields(Fields):
    """A token without its secret; ``user_id`` is null for a token of the application itself."""

    serial: Number
    client_id: ClientId
    scope: ScopeText
    user_id: UserId | None
    issued_at: Time
    expires_at: Time
    state: State
    family: Annotated[Count, Meta(description="The consent that it comes from; 0 for one issued over the control.")] = 0
    ended_at: Annotated[Time | None, Meta(description="When it was used, replaced or revoked.")] = None


class CodeFields(TokenFields, kw_only=True):
    """A code without its secret.

    ``redirect_uri_sent`` is true when the authorization request had the redirect URI: the token request needs it then.
    """

    redirect_uri: RedirectUri
    redirect_uri_sent: bool
    code_challenge: Annotated[str, Meta(description="The challenge of PKCE behind its method: S256 CHALLENGE.")] = ""


class TokenWithSecret(TokenFields, kw_only=True):
    """A token."""

    secret: Secret


class CodeWithSecret(CodeFields, kw_only=True):
    """A code."""

    secret: Secret


class NewRefreshToken(Fields):
    """A refresh token to issue: by default with the client's scopes, for the first user."""

    client_id: ClientId
    scope: ScopeText = ""
    user_id: UserId | UnsetType = UNSET


class NewAccessToken(Fields):
    """An access token to issue: by default with the client's scopes, for the first user; null: for no user.

    That is the default for a client with the grant client_credentials alone.
    """

    client_id: ClientId
    scope: ScopeText = ""
    user_id: UserId | UnsetType | None = UNSET


class NewCode(NewRefreshToken, kw_only=True):
    """A code to issue: by default with the client's scopes, for the first user."""

    redirect_uri: RedirectUri
    redirect_uri_sent: bool = True


class IssuedQuery(Fields):
    """The selection of what to list."""

    limit: Limit = 100
    client_id: ClientId | UnsetType = UNSET


def issued_fields(issued: Issued) -> dict[str, Any]:
    """Return a code or token without the secret, as the fields of ``CodeFields`` or ``TokenFields``."""
    fields = {
        "serial": issued.serial,
        "client_id": issued.client_id,
        "scope": " ".join(issued.scope),
        "user_id": issued.user_id,
        "issued_at": issued.issued_at,
        "expires_at": issued.expires_at,
        "state": issued.state,
        "family": issued.family,
        "ended_at": issued.ended_at,
    }
    if issued.kind is Kind.CODE:
        names = ("redirect_uri", "redirect_uri_sent", "code_challenge")
        fields |= {name: getattr(issued, name) for name in names}
    return fields


def _list(kind: Kind, sandbox: Sandbox, call: Call) -> list[dict[str, Any]]:
    query: IssuedQuery = call.query
    newest = sandbox.issued(kind, limit=MOST_ITEMS if query.client_id else query.limit)
    of_client = [issued for issued in newest if query.client_id in (UNSET, issued.client_id)]
    return [issued_fields(issued) for issued in of_client[: query.limit]]


def _show(kind: Kind, sandbox: Sandbox, call: Call) -> dict[str, Any]:
    return issued_fields(sandbox.issued_one(kind, call.path["serial"]))


def _issue(kind: Kind, sandbox: Sandbox, call: Call) -> dict[str, Any]:
    body = call.body
    if not sandbox.has_client(body.client_id):
        raise Conflict(f"There is no client {quoted(body.client_id)}.")
    has_users = sandbox.client(body.client_id).has_users
    default = next(iter(sandbox.users)) if has_users or kind is not Kind.ACCESS_TOKEN else None
    user_id = default if body.user_id is UNSET else body.user_id
    check_user(sandbox, user_id)
    if user_id is not None and not has_users:
        raise Conflict(
            f"The client {quoted(body.client_id)} has only the grant client_credentials: it gets no {kind} of a user."
        )
    try:
        scope = sandbox.checked_scopes(parse(body.scope))
    except ValueError as error:
        raise Conflict(str(error)) from error
    more = {name: getattr(body, name) for name in ("redirect_uri", "redirect_uri_sent") if kind is Kind.CODE}
    secret = sandbox.issue(kind, body.client_id, scope or sandbox.client(body.client_id).scopes, user_id, **more)
    return {"secret": secret, **issued_fields(sandbox.issued(kind, limit=1)[0])}


def check_user(sandbox: Sandbox, user_id: int | None) -> None:
    """Raise ``Conflict`` for an unknown user."""
    if user_id is not None and user_id not in sandbox.users:
        raise Conflict(f"There is no user {user_id}. Known users: {', '.join(map(str, sandbox.users))}.")


def _revoke(kind: Kind, sandbox: Sandbox, call: Call) -> dict[str, Any]:
    sandbox.revoke(kind, call.path["serial"])
    return _show(kind, sandbox, call)


def _operations(kind: Kind, new: type[Fields], fields: type[Fields], with_secret: type[Fields]) -> list[Operation]:
    path, by_serial = PATHS[kind], {"serial": Number}
    one = f"{path}/{{serial}}"
    listing, issuing = partial(_list, kind), partial(_issue, kind)
    showing, revoking = partial(_show, kind), partial(_revoke, kind)
    issue = f"Issue a {kind} without a grant"
    return [
        Operation("GET", path, f"List the newest {kind}s", listing, GenericAlias(list, fields), query=IssuedQuery),
        Operation("POST", path, issue, issuing, with_secret, 201, body=new, conflicts=True),
        Operation("GET", one, f"Read one {kind}", showing, fields, path_parameters=by_serial),
        Operation(
            "POST", f"{one}/revoke", f"Revoke one {kind}", revoking, fields, body=Nothing, path_parameters=by_serial
        ),
    ]


OPERATIONS = (
    *_operations(Kind.CODE, NewCode, CodeFields, CodeWithSecret),
    *_operations(Kind.ACCESS_TOKEN, NewAccessToken, TokenFields, TokenWithSecret),
    *_operations(Kind.REFRESH_TOKEN, NewRefreshToken, TokenFields, TokenWithSecret),
)
