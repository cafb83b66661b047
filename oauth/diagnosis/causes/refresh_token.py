"""The refresh token: replaced, too old, another client's (RFC 6749 §6)."""

from oauth import parameters
from oauth.diagnosis.causes import shape
from oauth.diagnosis.causes.fixes import NEW_TOKEN, put
from oauth.diagnosis.causes.rule import (
    CLOSE,
    Finding,
    Rule,
    open_fact,
    possible,
    proven,
    right,
    rule,
    ruled_out,
    unknown,
    wrong,
)
from oauth.diagnosis.context import Subject
from oauth.diagnosis.model import Fix
from oauth.exchange import Exchange, Step
from oauth.formatting import span

NO_TOKEN = "No refresh token was sent"
NO_ORIGIN = "Where the refresh token came from is not known: no token answer is known that gave it"


@rule("refresh_token.replaced", "The refresh token was replaced by a later refresh")
def replaced(subject: Subject) -> Finding:
    """An earlier refresh that presented it and was given another one."""
    sent = subject.sent.value("refresh_token")
    if not sent:
        return unknown(NO_TOKEN)
    if not subject.secrets.fingerprints(("refresh_token",), sent):
        return unknown(
            "The token is too short for a fingerprint, or was given without one: the history cannot be asked"
        )
    if not subject.past.reach:
        return unknown("No history was looked at for a later refresh")
    used = [row for row in subject.sightings(("refresh_token",), sent) if _presented(subject, row, sent)]
    for row in reversed(used):
        given = parameters.member(row.response, "refresh_token")
        if parameters.succeeded(row) and given and subject.secrets.same("refresh_token", given, sent) is False:
            later = subject.secrets.quoted("refresh_token", given)
            text = f"It was used before and replaced by {later}: {subject.row_text(row)}"
            return proven(wrong(text, "history", row.id), fix=_newest(subject))
    for row in used:
        if parameters.unanswered(row):
            text = f"It was sent before, and no answer came: {subject.row_text(row)}. It may have been replaced"
            return possible(wrong(text, "history", row.id), fix=NEW_TOKEN)
    origin = subject.origin("refresh_token", sent)
    if origin is None:
        return unknown(NO_ORIGIN)
    if elsewhere := subject.later_elsewhere(origin):
        text = (
            f"A later token was issued in another flow of this client: {subject.row_text(elsewhere)}; "
            "whether for the same user is not known"
        )
        return possible(open_fact(text, "history", elsewhere.id), fix=_newest(subject))
    return ruled_out(right(f"No later refresh replaced it, in the newest {subject.past.reach:,} rows", "history"))


@rule("refresh_token.expired", "The refresh token was too old")
def expired(subject: Subject) -> Finding:
    """Its age against the provider's lifetime."""
    sent, life = subject.sent.value("refresh_token"), subject.lifetimes.refresh_token
    if not sent:
        return unknown(NO_TOKEN)
    origin = subject.origin("refresh_token", sent)
    if origin is None:
        return unknown("The age of the refresh token is not known: no token answer is known that gave it")
    if life is None:
        return unknown("How long refresh tokens live at this provider is not known", "provider")
    age = (subject.at - origin.issued_at).total_seconds()
    text = f"Issued {subject.clock(origin.issued_at)}, {span(age)} before it was sent; refresh tokens live {span(life)}"
    if age > life:
        return proven(wrong(text, origin.where, origin.row), fix=NEW_TOKEN)
    if age > life - CLOSE:
        return possible(wrong(text, origin.where, origin.row), fix=NEW_TOKEN)
    return ruled_out(right(text[0].upper() + text[1:], origin.where, origin.row))


@rule("refresh_token.other_client", "The refresh token belongs to another client")
def other_client(subject: Subject) -> Finding:
    """The client it was issued to, against the client that presents it."""
    sent, client_id = subject.sent.value("refresh_token"), subject.client_id
    if not sent:
        return unknown(NO_TOKEN)
    origin = subject.origin("refresh_token", sent)
    if origin is None or not origin.client_id or not client_id:
        return unknown("Which client the refresh token was issued to is not known")
    owner, other = subject.secrets.swept(origin.client_id), subject.secrets.swept(client_id)
    if origin.client_id == client_id:
        return ruled_out(right(f"It was issued to the client that presents it: {owner}", origin.where, origin.row))
    fix = put(subject, "client_id", other, owner, "Refresh it as the client it was issued to")
    return proven(wrong(f"Issued to {owner}, and {other} presents it", origin.where, origin.row), fix=fix)


@rule("refresh_token.other_host", "The refresh token was issued by another host")
def other_host(subject: Subject) -> Finding:
    """A token is good at the provider that issued it."""
    sent = subject.sent.value("refresh_token")
    if not sent:
        return unknown(NO_TOKEN)
    origin = subject.origin("refresh_token", sent)
    if origin is None:
        return unknown(NO_ORIGIN)
    if subject.exchange.provider and origin.provider:
        here = origin.provider == subject.exchange.provider
    else:
        here = origin.host == subject.host
    if here:
        return ruled_out(right(f"Issued by {origin.host}, the provider it was sent to", origin.where, origin.row))
    return proven(wrong(f"Issued by {origin.host}, sent to {subject.host}", origin.where, origin.row), fix=NEW_TOKEN)


REFUSED: tuple[Rule, ...] = (replaced, expired, other_client, other_host, *shape.altered(shape.REFRESH_TOKEN))
"""The rules for a refresh token that is refused."""


def _presented(subject: Subject, row: Exchange, token: str) -> bool:
    sent = parameters.read(row.request).value("refresh_token")
    return row.step in (Step.REFRESH, Step.TOKEN) and subject.secrets.same("refresh_token", sent, token) is True


def _newest(subject: Subject) -> Fix:
    sent = subject.sent.value("refresh_token")
    for known in subject.candidates("refresh_token"):
        if subject.secrets.same("refresh_token", known.value, sent) is False:
            before = subject.secrets.quoted("refresh_token", sent)
            after = subject.secrets.offered("refresh_token", known.value)
            return put(subject, "refresh_token", before, after, "Send the newest refresh token")
    return NEW_TOKEN
