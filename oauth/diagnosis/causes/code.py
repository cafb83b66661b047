"""The authorization code: expired, used, or another client's (RFC 6749 §4.1.2)."""

from oauth import parameters
from oauth.diagnosis.causes import shape
from oauth.diagnosis.causes.fixes import NEW_CODE, put
from oauth.diagnosis.causes.rule import CLOSE, UNDATED, Finding, no_value, possible, proven, rule, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import open_fact, right, wrong
from oauth.exchange import Part, Step
from oauth.formatting import span


@rule("code.expired", "The code had expired")
def expired(context: Context) -> Finding:
    """Compare the code's age, from the callback to the request, with the provider's lifetime."""
    life = context.lifetimes.code
    known = context.behind_code
    sent, code = context.sent.value("code"), known.code
    if not sent:
        return no_value(context, "code")
    if code is None:
        return unknown("The age of the code is unknown: no callback with it is known")
    where = context.place_of(code)
    if context.secrets.same("code", sent, code.value) is False:
        return unknown("The age of this code is unknown: the callback contains another one", where, code.row)
    if life is None:
        return unknown("The lifetime of codes at this provider is unknown", "provider")
    if not context.is_known(Part.TIME):
        return unknown(UNDATED, where, code.row)
    age = (context.at - code.at).total_seconds()
    times = f"callback {context.clock(code.at)}, sent {context.clock(context.at)}"
    text = f"The code was {span(age)} old ({times}); codes live {span(life)}"
    if age > life:
        return proven(wrong(text, where, code.row), fix=NEW_CODE)
    if known.pasted:
        start = known.at
        if start is not None and (context.at - start).total_seconds() <= life:
            before = span((context.at - start).total_seconds())
            text = f"The authorization request was sent {before} before: the code cannot be older"
            return ruled_out(right(text, known.where, known.row))
        text = f"The code was pasted {span(age)} before it was sent; its age at that time is unknown"
        return possible(open_fact(text, where, code.row), fix=NEW_CODE)
    if age > life - CLOSE:
        return possible(wrong(text, where, code.row), fix=NEW_CODE)
    return ruled_out(right(f"The code was {span(age)} old; codes live {span(life)}", where, code.row))


@rule("code.used", "The code was already exchanged")
def used(context: Context) -> Finding:
    """Look for an earlier request with the same code."""
    sent = context.sent.value("code")
    if not sent:
        return no_value(context, "code")
    earlier = context.exchanged(sent)
    for row in earlier:
        if parameters.succeeded(row):
            text = f"The same code was exchanged before: {context.row_text(row)}, {context.outcome(row)}"
            return proven(wrong(text, "history", row.id), fix=NEW_CODE)
    for row in earlier:
        if parameters.unanswered(row):
            text = f"The same code was sent before without a response: {context.row_text(row)}. It may be spent"
            return possible(wrong(text, "history", row.id), fix=NEW_CODE)
    flow = context.flow
    if flow and flow.tokens and context.secrets.same("code", sent, flow.code):
        text = f"This flow has had its tokens since {context.clock(flow.tokens.issued_at)}: its code is spent"
        return proven(wrong(text, "flow, token response"), fix=NEW_CODE)
    if not context.secrets.fingerprints(("code",), sent):
        return unknown(
            "The code is too short for a fingerprint, or was pasted without one: the history cannot be searched"
        )
    if not context.past.reach:
        return unknown("No history was searched for an earlier exchange of this code")
    nothing = right(f"No successful exchange of this code among the newest {context.past.reach:,} rows", "history")
    known = context.behind_code
    if known.pasted:
        redirect = context.secrets.swept((known.parameters or {}).get("redirect_uri", "the redirect URI"))
        text = f"The code was pasted: the server at {redirect} got it first and may have exchanged it"
        return possible(nothing, open_fact(text, "flow, callback"), fix=NEW_CODE)
    if known.code is None or context.secrets.same("code", sent, known.code.value) is False:
        return unknown("No callback with this code is known, so another program may have exchanged it")
    return ruled_out(nothing)


@rule("code.other_client", "The code was issued to another client")
def other_client(context: Context) -> Finding:
    """Compare the client that requested the code with the client that presents it."""
    sent, client_id = context.sent.value("code"), context.client_id
    if not sent:
        return no_value(context, "code")
    known = context.behind_code
    if (
        known.code
        and known.parameters is not None
        and context.secrets.same("code", sent, known.code.value) is not False
    ):
        owner, where, row = known.parameters.get("client_id", ""), f"{known.where}, client_id", known.row
    else:
        callback = next((row for row in context.sightings(("code",), sent) if row.step is Step.CALLBACK), None)
        if callback is None:
            return unknown("The client to which the code was issued is unknown")
        owner, where, row = callback.client_id, "history, callback", callback.id
    if not owner or not client_id:
        return unknown("The client to which the code was issued is unknown")
    quoted, other = context.secrets.swept(owner), context.secrets.swept(client_id)
    if owner == client_id:
        return ruled_out(right(f"client_id equals the one in the authorization request: {quoted}", where, row))
    fix = put(context, "client_id", other, quoted, "Exchange it as the client that requested it")
    text = f"The code was issued to {quoted}, but {other} presents it"
    return proven(wrong(text, where, row), fix=fix)


LIFE = (used, expired, other_client, *shape.altered(shape.CODE))
"""Rules for a refused code."""
