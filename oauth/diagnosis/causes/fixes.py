"""Fixes shared by several causes."""

from collections.abc import Sequence

from oauth import parameters
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.exchange import Exchange, Step

NEW_CODE = Fix(Label.START_AGAIN, "Get a new code, and exchange it once", Step.AUTHORIZE)
"""The fix for a code that can no longer be used."""

NEW_TOKEN = Fix(Label.START_AGAIN, "Authorize again to get a new access and refresh token", Step.AUTHORIZE)


def put(context: Context, name: str, before: str | None, after: str, title: str, needs: str = "") -> Fix:
    """Return a fix that sets one field to another value; with ``needs`` the user types it."""
    return changed(context, title, Change(Target.FIELD, name, before, after, needs))


def changed(context: Context, title: str, *changes: Change) -> Fix:
    """Return a fix of several changes, ready to send unless one needs a value or the browser must be sent again."""
    if context.step is Step.CALLBACK:
        return Fix(Label.START_AGAIN, title, Step.AUTHORIZE, changes)
    label = Label.NEEDS_A_VALUE if any(change.needs for change in changes) else Label.READY
    return Fix(label, title, context.step, changes)


def new_access_token(context: Context) -> Fix:
    """Return a fix that refreshes the access token if the flow has a refresh token that may work, or starts again."""
    newest = next(iter(context.candidates("refresh_token")), None)
    origin = context.origin("refresh_token", newest.value) if newest else None
    if newest and origin and context.before.is_same_site(origin.provider, origin.host):
        life = context.lifetimes.refresh_token
        is_expired = life is not None and (context.now - origin.issued_at).total_seconds() > life
        if not is_expired and revocation_of(context, "refresh_token", newest.value) is None:
            return Fix(Label.START_AGAIN, "Refresh the access token", Step.REFRESH)
    return Fix(Label.START_AGAIN, "Get a new access token", Step.AUTHORIZE)


def revocation_of(context: Context, kind: str, token: str) -> Exchange | None:
    """Return the earlier exchange in which a token was revoked."""
    rows = context.sightings((kind,), token)
    return next((row for row in rows if row.step is Step.REVOKE and parameters.succeeded(row)), None)


def merged(fix: Fix, others: Sequence[Fix]) -> Fix:
    """Return a fix that also makes the changes of the others, each named in its title; one that clashes is left out.

    Fixes that can be merged in any order come out equal, so that a list of them shows one.
    """
    parts, changes = [fix], _by_place(fix)
    for other in others:
        further = _by_place(other)
        is_clash = any(place in changes and changes[place].after != after.after for place, after in further.items())
        if not is_clash and not further.keys() <= changes.keys():
            parts.append(other)
            changes |= further
    if len(parts) == 1:
        return fix
    parts.sort(key=lambda part: others.index(part) if part in others else -1)
    places = {place: change for part in parts for place, change in _by_place(part).items()}
    first, *more = (part.title for part in parts)
    title = "; also ".join([first, *(text[0].lower() + text[1:] for text in more)])
    label = Label.NEEDS_A_VALUE if any(change.needs for change in places.values()) else Label.READY
    return Fix(label, title, fix.step, tuple(places.values()))


def _by_place(fix: Fix) -> dict[tuple[Target, str], Change]:
    """Return the changes by what they affect: a request has one address, method, body format and authentication."""
    named = (Target.FIELD, Target.QUERY, Target.HEADER)
    return {(change.target, change.name if change.target in named else ""): change for change in fix.changes}


def value_for(context: Context, name: str) -> tuple[str, str]:
    """Return a value for a field, without secrets, and a description of the value needed if there is none."""
    flow = context.flow
    requested = context.authorization.parameters or {}
    match name:
        case "grant_type":
            grants = ("code", "authorization_code"), ("refresh_token", "refresh_token")
            present = {item.name for item in (*context.sent.parameters, *context.sent.meant, *context.sent.query)}
            default = "refresh_token" if context.step is Step.REFRESH else "authorization_code"
            return next((grant for field, grant in grants if field in present), default), ""
        case "client_id" if flow and flow.client.id:
            return flow.client.id, ""
        case "client_secret" if flow and flow.client.secret:
            return context.secrets.offered(name, flow.client.secret), ""
        case "redirect_uri" if requested.get(name) or flow:
            return requested.get(name) or (flow.redirect_uri if flow else ""), ""
        case "scope" if context.provider:
            return requested.get(name) or context.provider.scope, ""
        case "code" | "refresh_token" if candidates := context.candidates(name):
            return context.secrets.offered(name, candidates[0].value), ""
    return "", f"the {name} of your application" if name.startswith("client") else f"the value of {name}"
