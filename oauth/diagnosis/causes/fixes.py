"""Fixes shared by several causes."""

from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.exchange import Step

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
