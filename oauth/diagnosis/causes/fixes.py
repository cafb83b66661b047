"""The fixes that several causes offer."""

from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.exchange import Step

NEW_CODE = Fix(Label.START_AGAIN, "Get a new code, and exchange it once", Step.AUTHORIZE)
"""A code that cannot be used any more is not sent again."""

NEW_TOKEN = Fix(Label.START_AGAIN, "Authorize again: that gives a new access and refresh token", Step.AUTHORIZE)


def put(context: Context, name: str, before: str | None, after: str, title: str, needs: str = "") -> Fix:
    """One field that gets another value, or is switched on; with ``needs`` a person types it."""
    return changed(context, title, Change(Target.FIELD, name, before, after, needs))


def changed(context: Context, title: str, *changes: Change) -> Fix:
    """Several changes of the request; it is ready unless one of them needs a value, or the browser has to go again."""
    if context.step is Step.CALLBACK:
        return Fix(Label.START_AGAIN, title, Step.AUTHORIZE, changes)
    label = Label.NEEDS_A_VALUE if any(change.needs for change in changes) else Label.READY
    return Fix(label, title, context.step, changes)


def value_for(context: Context, name: str) -> tuple[str, str]:
    """A value for a field, as it may be written down, and what is needed when there is none."""
    flow = context.flow
    asked = context.authorization.asked or {}
    match name:
        case "grant_type":
            known = ("code", "authorization_code"), ("refresh_token", "refresh_token")
            present = {item.name for item in (*context.sent.parameters, *context.sent.meant, *context.sent.query)}
            step = "refresh_token" if context.step is Step.REFRESH else "authorization_code"
            return next((grant for field, grant in known if field in present), step), ""
        case "client_id" if flow and flow.client.id:
            return flow.client.id, ""
        case "client_secret" if flow and flow.client.secret:
            return context.secrets.offered(name, flow.client.secret), ""
        case "redirect_uri" if asked.get(name) or flow:
            return asked.get(name) or (flow.redirect_uri if flow else ""), ""
        case "scope" if context.provider:
            return asked.get(name) or context.provider.scope, ""
        case "code" | "refresh_token" if found := context.candidates(name):
            return context.secrets.offered(name, found[0].value), ""
    return "", f"the {name} of your application" if name.startswith("client") else f"the value of {name}"
