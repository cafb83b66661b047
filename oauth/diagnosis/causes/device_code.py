"""The device code that a client polls with: unknown, expired, used, or refused by the user (RFC 8628 §3.5)."""

from oauth import parameters
from oauth.diagnosis.causes.rule import (
    UNDATED,
    Finding,
    Rule,
    by_age,
    likely,
    no_value,
    proven,
    rule,
    ruled_out,
    unknown,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Fix, Label, right, wrong
from oauth.exchange import Exchange, Part, Step
from oauth.flow.response_body import seconds
from oauth.formatting import span
from oauth.parameters import BODY

NEW_DEVICE_CODE = Fix(Label.START_AGAIN, "Start the device authorization again", Step.DEVICE)
WHERE = f"{BODY}, device_code"


@rule("device_code.another", "The device code is not the issued one")
def another(context: Context) -> Finding:
    """Compare the device code with those that were issued."""
    sent = context.sent.value("device_code")
    if not sent:
        return no_value(context, "device_code")
    if origin := _origin(context, sent):
        return ruled_out(right(f"It was issued before: {context.row_text(origin)}", "history", origin.id))
    issued = [row for row in context.before.rows if row.step is Step.DEVICE and parameters.succeeded(row)]
    if not issued:
        return unknown("The device authorization that issued the device code is unknown")
    value = parameters.member(issued[-1].response, "device_code")
    if context.secrets.same("device_code", sent, value) is not False:
        return unknown("Redaction hides whether it is the issued device code", WHERE)
    shown, due = (context.secrets.quoted("device_code", text) for text in (sent, value))
    return likely(wrong(f"Sent {shown}; issued was {due}", WHERE, issued[-1].id), fix=NEW_DEVICE_CODE)


@rule("device_code.expired", "The device code had expired")
def expired(context: Context) -> Finding:
    """Compare the age of the device code with its ``expires_in``."""
    sent = context.sent.value("device_code")
    origin = _origin(context, sent) if sent else None
    life = seconds(parameters.members(origin.response).get("expires_in")) if origin else None
    if origin is None or life is None:
        return unknown("The age or the lifetime of the device code is unknown")
    if not context.is_known(Part.TIME):
        return unknown(UNDATED, context.row_text(origin), origin.id)
    age = (context.at - origin.started_at).total_seconds()
    text = f"Issued {context.clock(origin.started_at)}, expires_in {life} s; sent {span(age)} later"
    return by_age(age, life, text, context.row_text(origin), origin.id, NEW_DEVICE_CODE)


@rule("device_code.used", "The device code was already exchanged")
def used(context: Context) -> Finding:
    """Look for an earlier success with the same device code."""
    sent = context.sent.value("device_code")
    if not sent:
        return no_value(context, "device_code")
    for row in context.sightings(("device_code",), sent):
        if row.step in (Step.TOKEN, Step.REFRESH) and parameters.succeeded(row):
            text = f"The same device code was exchanged before: {context.row_text(row)}, {context.outcome(row)}"
            return proven(wrong(text, "history", row.id), fix=NEW_DEVICE_CODE)
    if _origin(context, sent) is None:
        return unknown("The device authorization that issued the device code is unknown")
    return ruled_out(right("No earlier success with this device code is known", "history"))


@rule("device_code.denied", "The user refused on the other device")
def denied(context: Context) -> Finding:
    """Check for access_denied, which some servers also send for a device code that they do not know."""
    error = context.explanation.error if context.explanation else ""
    if error != "access_denied":
        return ruled_out(right("The response has no access_denied", "response"))
    return likely(wrong("The server sent error=access_denied", "response"), fix=NEW_DEVICE_CODE)


RULES: tuple[Rule, ...] = (another, expired, used, denied)
"""Rules for a refused device code."""


def _origin(context: Context, code: str) -> Exchange | None:
    """Return the device authorization that issued a device code."""
    rows = (row for row in context.sightings(("device_code",), code) if row.step is Step.DEVICE)
    return next((row for row in rows if parameters.member(row.response, "device_code")), None)
