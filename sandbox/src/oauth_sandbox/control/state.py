"""The whole state over HTTP: reset, snapshot, restore."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from oauth_sandbox.clients import Client, InvalidRedirectUri, client_from
from oauth_sandbox.configuration import KnownUser
from oauth_sandbox.control.faults import AnyRule, rule_fields, rule_from
from oauth_sandbox.control.issued import PATHS, CodeWithSecret, TokenWithSecret, check_user, issued_fields
from oauth_sandbox.control.operation import Call, Conflict, Count, Nothing, Operation, Time
from oauth_sandbox.control.settings import SettingsChange, change_settings, current_settings
from oauth_sandbox.control.users import NewUser
from oauth_sandbox.faults.rules import MOST_RULES
from oauth_sandbox.openid.logins import MOST, Consent, Login, Session
from oauth_sandbox.partner.state import PartnerState
from oauth_sandbox.provider import CAPACITY, Sandbox, StoredIssued
from oauth_sandbox.scope import parse
from oauth_sandbox.store import Issued, Kind, State
from oauth_sandbox.validation import Fields, validated


class StoredCodes(Fields):
    """The codes, oldest first."""

    last_serial: Count
    content: Annotated[list[CodeWithSecret], Meta(max_length=CAPACITY)]


class StoredTokens(Fields):
    """The tokens of a kind, oldest first."""

    last_serial: Count
    content: Annotated[list[TokenWithSecret], Meta(max_length=CAPACITY)]


class FaultRules(Fields):
    """The fault rules, oldest first."""

    last_number: Count
    rules: Annotated[list[AnyRule], Meta(max_length=MOST_RULES)]


class Logins(Fields):
    """Who is signed in at the OpenID provider, the logins behind its tokens, and what users let clients have."""

    session: Session | None = None
    logins: Annotated[list[Login], Meta(max_length=MOST)] = field(default_factory=list)
    consents: Annotated[list[Consent], Meta(max_length=MOST)] = field(default_factory=list)


class Snapshot(Fields):
    """The whole state, with its secrets, except the lint, the request log and the counts for the request limit.

    A setting that an older snapshot does not have stays as it is.
    """

    version: Literal[1]
    now: Time
    settings: SettingsChange
    clients: list[Client]
    codes: StoredCodes
    access_tokens: StoredTokens
    refresh_tokens: StoredTokens
    faults: FaultRules
    partner: PartnerState | UnsetType = UNSET
    users: Annotated[list[NewUser], Meta(min_length=1)] | UnsetType = UNSET
    logins: Logins = field(default_factory=Logins)


def field_of(kind: Kind) -> str:
    """Return the name of the field with the codes or tokens of a kind."""
    return PATHS[kind].replace("-", "_")


def take(sandbox: Sandbox) -> dict[str, Any]:
    """Return the whole state as the fields of a ``Snapshot``."""
    stores = {}
    for kind in Kind:
        last_serial, content = sandbox.stored(kind)
        fields = [{"secret": secret, **issued_fields(issued)} for secret, issued in content]
        stores[field_of(kind)] = {"last_serial": last_serial, "content": fields}
    logins, consents = sandbox.logins.content()
    return {
        "version": 1,
        "now": sandbox.clock.now(),
        "settings": current_settings(sandbox),
        "clients": sandbox.clients(),
        "users": list(sandbox.users.values()),
        **stores,
        "logins": {"session": sandbox.logins.session, "logins": logins, "consents": consents},
        "faults": {
            "last_number": sandbox.faults.last_number,
            "rules": [rule_fields(rule) for rule in sandbox.faults.rules],
        },
        "partner": sandbox.partner.content(),
    }


def restore(sandbox: Sandbox, snapshot: Snapshot) -> None:
    """Restore a state; the clock continues from the snapshot's time, so that what was live is live again.

    Raises ``Conflict``, and then nothing has changed.
    """
    before = tuple(sandbox.users.values())
    try:
        if snapshot.users is not UNSET:
            sandbox.replace_users(_checked(snapshot.users))  # the codes and tokens are theirs
        clients = [client_from(client, sandbox.configuration.scopes) for client in snapshot.clients]
        stores = {kind: _stored(sandbox, kind, getattr(snapshot, field_of(kind))) for kind in Kind}
        rules = [rule_from(rule) for rule in snapshot.faults.rules]
        sandbox.clock.set(snapshot.now)
    except InvalidRedirectUri:
        sandbox.replace_users(before)
        raise
    except (ValueError, OverflowError) as error:
        sandbox.replace_users(before)
        raise Conflict(str(error)) from error
    sandbox.replace_state(clients, stores)
    sandbox.logins.refill(snapshot.logins.session, snapshot.logins.logins, snapshot.logins.consents)
    sandbox.limiter.clear()
    sandbox.faults.refill(snapshot.faults.last_number, rules)
    change_settings(sandbox, snapshot.settings)
    if snapshot.partner is not UNSET:
        sandbox.partner.refill(snapshot.partner)


def _checked(users: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for user in users:
        validated(user, KnownUser)
    return users


def _stored(sandbox: Sandbox, kind: Kind, stored: StoredCodes | StoredTokens) -> StoredIssued:
    for user_id in dict.fromkeys(entry.user_id for entry in stored.content):
        check_user(sandbox, user_id)
    for scope in dict.fromkeys(entry.scope for entry in stored.content):
        sandbox.checked_scopes(parse(scope))
    return stored.last_serial, [issued_from(kind, entry) for entry in stored.content]


def issued_from(kind: Kind, entry: TokenWithSecret | CodeWithSecret) -> tuple[str, Issued]:
    """Return the secret of a code or token, and what it stands for."""
    issued = Issued(
        serial=entry.serial,
        kind=kind,
        client_id=entry.client_id,
        scope=parse(entry.scope),
        user_id=entry.user_id,
        issued_at=entry.issued_at,
        expires_at=entry.expires_at,
        # Whether it has expired depends on the clock.
        state=State.LIVE if entry.state is State.EXPIRED else entry.state,
        redirect_uri=getattr(entry, "redirect_uri", ""),
        redirect_uri_sent=getattr(entry, "redirect_uri_sent", False),
        code_challenge=getattr(entry, "code_challenge", ""),
        family=entry.family,
        ended_at=entry.ended_at,
    )
    return entry.secret, issued


def _take(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    return take(sandbox)


def _restore(sandbox: Sandbox, call: Call) -> None:
    restore(sandbox, call.body)


def _reset(sandbox: Sandbox, _call: Call) -> None:
    sandbox.reset()


OPERATIONS = (
    Operation("GET", "snapshot", "Take a snapshot of the whole state, with its secrets", _take, Snapshot),
    Operation("PUT", "snapshot", "Restore a snapshot", _restore, body=Snapshot, conflicts=True),
    Operation("POST", "reset", "Return to the initial state", _reset, body=Nothing),
)
