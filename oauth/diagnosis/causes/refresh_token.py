"""The refresh token: replaced, expired, or another client's (RFC 6749 §6)."""

from oauth import parameters
from oauth.diagnosis.causes import shape
from oauth.diagnosis.causes.fixes import NEW_TOKEN, put
from oauth.diagnosis.causes.rule import (
    NO_ORIGIN,
    UNDATED,
    Finding,
    Rule,
    Weight,
    by_age,
    no_value,
    possible,
    proven,
    rule,
    rule_of_origin,
    ruled_out,
    unknown,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Origin
from oauth.diagnosis.model import Fix, open_fact, right, wrong
from oauth.exchange import Exchange, Part, Step
from oauth.formatting import span


@rule("refresh_token.replaced", "The refresh token was replaced by a later refresh", Weight.NAMED)
def replaced(context: Context) -> Finding:
    """Look for an earlier refresh with this token that issued another one."""
    sent = context.sent.value("refresh_token")
    if not sent:
        return no_value(context, "refresh_token")
    if not context.secrets.fingerprints(("refresh_token",), sent):
        return unknown(
            "The token is too short for a fingerprint, or was pasted without one: the history cannot be searched"
        )
    if not context.past.reach:
        return unknown("No history was searched for a later refresh")
    used = [row for row in context.sightings(("refresh_token",), sent) if _presented(context, row, sent)]
    for row in reversed(used):
        issued = context.readings.of(row).text("refresh_token")
        if parameters.succeeded(row) and issued and context.secrets.same("refresh_token", issued, sent) is False:
            later = context.secrets.quoted("refresh_token", issued)
            text = f"It was used before and replaced by {later}: {context.row_text(row)}"
            return proven(wrong(text, "history", row.id), fix=_newest(context))
    for row in used:
        if parameters.unanswered(row):
            text = f"It was sent before without a response: {context.row_text(row)}. It may have been replaced"
            return possible(wrong(text, "history", row.id), fix=NEW_TOKEN)
    origin = context.origin("refresh_token", sent)
    if origin is None:
        return unknown(NO_ORIGIN)
    if elsewhere := context.before.later_elsewhere(origin):
        text = (
            f"A later token was issued in another flow of this client: {context.row_text(elsewhere)}; "
            "it may be for another user"
        )
        return possible(open_fact(text, "history", elsewhere.id), fix=_newest(context))
    return ruled_out(right(f"No later refresh replaced it, in the newest {context.past.reach:,} rows", "history"))


@rule_of_origin("refresh_token", "refresh_token.expired", "The refresh token had expired")
def expired(context: Context, origin: Origin) -> Finding:
    """Compare the token's age with the provider's lifetime."""
    life = context.lifetimes.refresh_token
    if life is None:
        return unknown("The lifetime of refresh tokens at this provider is unknown", "provider")
    if not context.is_known(Part.TIME):
        return unknown(UNDATED, origin.where, origin.row)
    age = (context.at - origin.issued_at).total_seconds()
    text = f"Issued {context.clock(origin.issued_at)}, {span(age)} before it was sent; refresh tokens live {span(life)}"
    return by_age(age, life, text, origin.where, origin.row, NEW_TOKEN)


@rule_of_origin("refresh_token", "refresh_token.other_client", "The refresh token was issued to another client")
def other_client(context: Context, origin: Origin) -> Finding:
    """Compare the client to which the token was issued with the client that presents it."""
    client_id = context.client_id
    if not origin.client_id or not client_id:
        return unknown("The client to which the refresh token was issued is unknown")
    owner, other = context.secrets.swept(origin.client_id), context.secrets.swept(client_id)
    if origin.client_id == client_id:
        return ruled_out(right(f"It was issued to the client that presents it: {owner}", origin.where, origin.row))
    fix = put(context, "client_id", other, owner, "Refresh it as the client it was issued to")
    return proven(wrong(f"Issued to {owner}, but {other} presents it", origin.where, origin.row), fix=fix)


@rule_of_origin("refresh_token", "refresh_token.other_host", "The refresh token was issued by another host")
def other_host(context: Context, origin: Origin) -> Finding:
    """Compare the host with the one that issued the token, the only one that accepts it."""
    if context.before.is_same_site(origin.provider, origin.host):
        return ruled_out(right(f"Issued by {origin.host}, the provider of this request", origin.where, origin.row))
    return proven(wrong(f"Issued by {origin.host}, sent to {context.host}", origin.where, origin.row), fix=NEW_TOKEN)


REFUSED: tuple[Rule, ...] = (replaced, expired, other_client, other_host, *shape.altered(shape.REFRESH_TOKEN))
"""Rules for a refused refresh token."""


def _presented(context: Context, row: Exchange, token: str) -> bool:
    if row.step not in (Step.REFRESH, Step.TOKEN):
        return False
    sent = context.readings.of(row).sent.value("refresh_token")
    return context.secrets.same("refresh_token", sent, token) is True


def _newest(context: Context) -> Fix:
    sent = context.sent.value("refresh_token")
    for known in context.candidates("refresh_token"):
        if context.secrets.same_as("refresh_token", sent, known) is False:
            before = context.secrets.quoted("refresh_token", sent)
            after = context.secrets.offered("refresh_token", known.value)
            return put(context, "refresh_token", before, after, "Send the newest refresh token")
    return NEW_TOKEN
