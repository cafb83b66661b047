"""Who asks: the client id, its secret, and the way they are sent (RFC 6749 §2.3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus, unquote_plus

from oauth import parameters
from oauth.addresses import host_of
from oauth.diagnosis.causes.fixes import changed, put, value_for
from oauth.diagnosis.causes.rule import (
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
from oauth.diagnosis.causes.shape import bare, stray_text
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Evidence, Fix, Target, Verdict
from oauth.exchange import Exchange, Step
from oauth.parameters import BODY, QUERY
from oauth.providers import ClientAuthentication
from oauth.redaction.placeholders import is_live, parse

HEADER = "request header, Authorization"
PUBLISHED = "provider, published clients"
AROUND = "The right secret was sent with something around it, which is another cause"
AROUND_SHORT = "Something stands around the secret, and what is inside is too short for a fingerprint to compare"
INACTIVE_CLIENT = 5
"""The documented error that says so."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Id and secret as the server reads them, and the place they stand in."""

    id: str
    secret: str = field(repr=False)
    where: str
    hidden: bool = False


def _credentials(context: Context) -> Credentials:
    found = context.basic
    if found is not None and found.hidden:
        return Credentials(context.exchange.client_id, "", HEADER, hidden=True)
    if found is not None and not found.problem:
        return Credentials(unquote_plus(found.id), unquote_plus(found.secret), HEADER)
    where = QUERY if context.step is Step.AUTHORIZE else BODY
    return Credentials(context.sent.value("client_id"), context.sent.value("client_secret"), where)


@rule("client.credentials_missing", "The client id or the secret was left out")
def credentials_missing(context: Context) -> Finding:
    """Nowhere in body or header, or empty."""
    sent = _credentials(context)
    if sent.hidden or (context.basic is not None and context.basic.problem):
        return ruled_out(open_fact("Credentials were sent by HTTP Basic, whatever they are worth", HEADER))
    if not context.sent.body_known and context.basic is None:
        return unknown("The body of the request is not known: only its head was given", BODY)
    missing = [name for name, value in (("client_id", sent.id), ("client_secret", sent.secret)) if not value]
    if _without_a_secret(context):
        missing = [name for name in missing if name == "client_id"]
    if not missing and not sent.secret:
        return ruled_out(open_fact("client_id is sent, and this client proves itself without a secret", sent.where))
    if not missing:
        return ruled_out(right("client_id and client_secret are both sent", sent.where))
    changes = []
    for name in missing:
        after, needs = value_for(context, name)
        present = context.sent.get(name) is not None
        changes.append(Change(Target.FIELD, name, "" if present else None, after, needs))
    facts = [wrong(f"{name} is not sent, or is empty", sent.where) for name in missing]
    return proven(*facts, fix=changed(context, f"Send {' and '.join(missing)}", *changes))


@rule("client.white_space", "White space stands around the client id or the secret")
def white_space(context: Context) -> Finding:
    """Copied along with the value."""
    return _stray(context, "white-space", "No white space around id and secret")


@rule("client.quotes", "Quotes stand around the client id or the secret")
def quotes(context: Context) -> Finding:
    """Copied along with the value."""
    return _stray(context, "quote", "No quotes around id and secret")


def _stray(context: Context, sign: str, clean: str) -> Finding:
    sent = _credentials(context)
    facts, changes, hidden = [], [], sent.hidden
    for name, value in (("client_id", sent.id), ("client_secret", sent.secret)):
        found = [fact for fact in stray_text(value).split(", ") if sign in fact]
        hidden = hidden or (bool(value) and not is_live(value))
        if not found:
            continue
        facts.append(wrong(f"{name}: {', '.join(found)}", f"{sent.where}, {name}"))
        secret = name == "client_secret"
        before = context.secrets.quoted(name, value) if secret else context.secrets.swept(value)
        after = context.secrets.offered(name, bare(value)) if secret else context.secrets.swept(bare(value))
        changes.append(Change(Target.FIELD, name, before, after))
    if facts:
        return proven(*facts, fix=changed(context, "Send them without what is around them", *changes))
    if hidden:
        return unknown("Redaction hides whether anything stands around the secret", sent.where)
    if not sent.id and not sent.secret:
        return unknown("No credentials were sent", sent.where)
    return ruled_out(right(clean, sent.where))


@rule("client.swapped", "Client id and secret are swapped")
def swapped(context: Context) -> Finding:
    """Each stands in the other's place."""
    sent, flow = _credentials(context), context.flow
    if not sent.id or not (sent.secret or sent.hidden):
        return unknown("Id and secret were not both sent", sent.where)
    if _is_secret(context, sent.id):
        facts = [wrong("What stands in client_id is the client's secret", f"{sent.where}, client_id")]
        after_id, needs_id = value_for(context, "client_id")
        after_secret, needs_secret = value_for(context, "client_secret")
        if flow and context.secrets.same("client_secret", sent.secret, flow.client.id):
            facts.append(wrong("What stands in client_secret is the client's id", f"{sent.where}, client_secret"))
        return proven(
            *facts,
            fix=changed(
                context,
                "Send each in its own place",
                Change(Target.FIELD, "client_id", context.secrets.quoted("client_secret", sent.id), after_id, needs_id),
                Change(
                    Target.FIELD,
                    "client_secret",
                    context.secrets.quoted("client_secret", sent.secret),
                    after_secret,
                    needs_secret,
                ),
            ),
        )
    if context.successes or (flow and sent.id == flow.client.id):
        row = context.successes[-1].id if context.successes else None
        return ruled_out(right(f"client_id is the id of a client: {context.secrets.swept(sent.id)}", sent.where, row))
    return unknown("Neither the id nor the secret of this client is known, so they cannot be told apart", sent.where)


@rule("client.secret_differs", "The secret is not the one that last worked")
def secret_differs(context: Context) -> Finding:
    """Compared by fingerprint with the newest success, and with the provider's published one."""
    sent = _credentials(context)
    if sent.hidden or not sent.secret:
        return unknown("Which secret was sent is not known" if sent.hidden else "No secret was sent", sent.where)
    for compare in (_with_published_secret, _with_last_success, _with_flow):
        if finding := compare(context, sent):
            return finding
    return unknown("No secret of this client is known to have worked before", "history")


def _with_published_secret(context: Context, sent: Credentials) -> Finding | None:
    clients = context.provider.clients if context.provider else ()
    client = next((client for client in clients if client.id == bare(sent.id)), None)
    same = context.secrets.same("client_secret", sent.secret, client.secret) if client else None
    if client is None or same is None:
        return None
    if same:
        return ruled_out(right(f"It is the published secret of {client.id}", PUBLISHED))
    if context.secrets.same("client_secret", bare(sent.secret), client.secret):
        return unknown(AROUND, PUBLISHED)
    shown, expected = (context.secrets.quoted("client_secret", secret) for secret in (sent.secret, client.secret))
    fact = wrong(f"Sent {shown}; the published secret of {client.id} is {expected}", PUBLISHED)
    return proven(fact, fix=_send_right_secret(context, sent))


def _with_last_success(context: Context, sent: Credentials) -> Finding | None:
    row = next((row for row in reversed(context.successes_here) if _secret_of(row)), None)
    if row is None:
        return None
    last, time = _secret_of(row), context.row_text(row)
    shown = context.secrets.quoted("client_secret", sent.secret)
    same = context.secrets.same("client_secret", sent.secret, last)
    if same:
        return ruled_out(right(f"The same secret worked before: {time}", "history", row.id))
    if same is None:
        return unknown(f"Both are {shown}: too short for a fingerprint, so they cannot be compared", "history", row.id)
    inside = context.secrets.same("client_secret", bare(sent.secret), last)
    if inside is not False:
        return unknown(AROUND if inside else AROUND_SHORT, "history", row.id)
    fact = wrong(f"Sent {shown}, and what last worked was {last}: {time}", "history", row.id)
    return proven(fact, fix=_send_right_secret(context, sent))


def _with_flow(context: Context, sent: Credentials) -> Finding | None:
    client = context.flow.client if context.flow else None
    if client is None or sent.id != client.id:
        return None
    if context.secrets.same("client_secret", sent.secret, client.secret) is not False:
        return None
    shown, expected = (context.secrets.quoted("client_secret", secret) for secret in (sent.secret, client.secret))
    fact = wrong(f"Sent {shown}, and this flow was begun with {expected}", "flow, client secret")
    return possible(fact, fix=_send_right_secret(context, sent))


@rule("client.id_differs", "The client id is not one that is known here")
def id_differs(context: Context) -> Finding:
    """Against the flow's client, the published ones, and those that worked."""
    sent = _credentials(context)
    if not sent.id:
        return unknown("No client_id was sent", sent.where)
    if _is_secret(context, sent.id):
        return ruled_out(open_fact("A secret stands in its place", sent.where))
    shown, row = context.secrets.swept(sent.id), _last(context.successes_here)
    where = f"{sent.where}, client_id"
    if row is not None:
        return ruled_out(_worked(context, row))
    published = [item.id for item in context.provider.clients] if context.provider else []
    if sent.id in published:
        return ruled_out(right(f"{shown} is a published client", PUBLISHED))
    flow_id = context.flow.client.id if context.flow else context.exchange.client_id
    if flow_id and flow_id != sent.id and bare(sent.id) == flow_id:
        return ruled_out(open_fact(f"It is {context.secrets.swept(flow_id)}, with something around it", where))
    if flow_id and flow_id != sent.id:
        fix = put(context, "client_id", shown, context.secrets.swept(flow_id), "Send the client id of this flow")
        worked = _last([row for row in context.before.token_requests(flow_id) if context.before.is_here(row)])
        fact = wrong(f"Sent {shown}, and the client of this flow is {context.secrets.swept(flow_id)}", where)
        if flow_id in published:
            return proven(fact, right(f"{flow_id} is a published client", PUBLISHED), fix=fix)
        if worked is not None:
            # The other one may be a client as well, which this history knows nothing of.
            return possible(
                fact, right(f"{flow_id} worked before: {context.row_text(worked)}", "history", worked.id), fix=fix
            )
        return possible(fact, fix=fix)
    if not context.past.reach:
        return unknown("No history was looked at for this client id", where)
    text = f"{shown} never worked here, in the newest {context.past.reach:,} rows"
    return possible(
        open_fact(text, "history"),
        fix=put(context, "client_id", shown, "", "Send the right client id", "the client id of your application"),
    )


@rule("client.other_provider", "The client id belongs to another provider or country")
def other_provider(context: Context) -> Finding:
    """It worked elsewhere with the same secret, and never here: credentials work on one site only."""
    sent = _credentials(context)
    if not sent.id:
        return unknown("No client_id was sent", sent.where)
    row = _last(context.successes_here)
    if row is not None:
        return ruled_out(_worked(context, row))
    elsewhere = _last([row for row in context.successes if not context.before.is_here(row)])
    if elsewhere is not None:
        place = elsewhere.provider or host_of(elsewhere.request.url)
        here = context.exchange.provider or context.host
        text = f"This client id worked at {place}, never at {here}: {context.row_text(elsewhere)}"
        after, needs = "", f"the client id that {here} gave you"
        fix = put(context, "client_id", context.secrets.swept(sent.id), after, "Send the id for this site", needs)
        if context.secrets.same("client_secret", sent.secret, _secret_of(elsewhere)):
            return proven(
                wrong(text, "history", elsewhere.id), wrong("With the same secret", "history", elsewhere.id), fix=fix
            )
        return possible(
            wrong(text, "history", elsewhere.id),
            open_fact("That it was the same secret cannot be told", "history", elsewhere.id),
            fix=fix,
        )
    if context.provider and any(item.id == sent.id for item in context.provider.clients):
        return ruled_out(right("It is a published client of this provider", PUBLISHED))
    return unknown("The client id worked nowhere yet, so where it belongs cannot be told", "history")


@rule("client.both", "The credentials were sent by Basic and in the body at once")
def both(context: Context) -> Finding:
    """RFC 6749 §2.3: one way to authenticate in a request."""
    if context.basic is None:
        return ruled_out(right("There is no HTTP Basic header: the credentials are in the body only", HEADER))
    body_id, body_secret = context.sent.value("client_id"), context.sent.value("client_secret")
    if not body_secret and body_id in ("", unquote_plus(context.basic.id)):
        return ruled_out(right("The body has no secret: the credentials are in the header only", BODY))
    title = "Send them in the body only"
    fix = changed(
        context,
        title,
        Change(Target.AUTHENTICATION, "Authorization", "basic and body", ClientAuthentication.BODY.value),
        Change(Target.HEADER, "Authorization", "Basic …", None),
    )
    names = " and ".join(name for name, value in (("client_id", body_id), ("client_secret", body_secret)) if value)
    facts = [wrong("The Authorization header has Basic credentials", HEADER), wrong(f"The body has {names} too", BODY)]
    if context.basic.problem and (alone := secret_differs.judge(context)).verdict is Verdict.RULED_OUT:
        # What stands in the body would have been enough: the unreadable header beside it is what was refused.
        return proven(*facts, *alone.evidence, fix=fix)
    if context.basic.hidden or context.basic.problem:
        return possible(*facts, fix=fix)
    header_secret = unquote_plus(context.basic.secret)
    differ = body_id not in ("", unquote_plus(context.basic.id))
    if not differ and body_secret:
        differ = context.secrets.same("client_secret", body_secret, header_secret) is False
    if differ:
        return proven(*facts, wrong("The two differ", f"{HEADER} and body"), fix=fix)
    return possible(*facts, open_fact("The two are not known to differ", f"{HEADER} and body"), fix=fix)


@rule("client.basic_encoding", "The Basic credentials are not encoded as RFC 6749 §2.3.1 asks")
def basic_encoding(context: Context) -> Finding:
    """Each form-encoded, joined by a colon, then base64."""
    found, flow = context.basic, context.flow
    if found is None:
        return ruled_out(right("There are no Basic credentials", HEADER))
    if found.hidden:
        return unknown("Redaction hides how the Basic credentials are encoded", HEADER)
    fix = changed(
        context,
        "Encode id and secret, join them by a colon, then base64",
        Change(Target.AUTHENTICATION, "Authorization", "Basic …", ClientAuthentication.BASIC.value),
    )
    if found.problem:
        return proven(wrong(found.problem, HEADER), fix=fix)
    facts, sure = [], False
    right_ones = {"client_id": flow.client.id, "client_secret": flow.client.secret} if flow else {}
    for name, raw in (("client_id", found.id), ("client_secret", found.secret)):
        expected = right_ones.get(name, "")
        if expected and raw == expected and unquote_plus(raw) != expected:
            facts.append(wrong(f"{name} is not form-encoded, so the server reads something else", HEADER))
            sure = True
        elif (
            expected
            and raw != quote_plus(expected)
            and unquote_plus(unquote_plus(raw)) == expected != unquote_plus(raw)
        ):
            facts.append(wrong(f"{name} is form-encoded twice", HEADER))
            sure = True
        elif is_live(raw) and quote_plus(unquote_plus(raw)) != raw and any(sign in raw for sign in "+%: "):
            facts.append(wrong(f"{name} has characters that form-encoding would have replaced", HEADER))
    if not facts and not is_live(found.secret):
        return unknown("Redaction hides how the Basic credentials are encoded", HEADER)
    if not facts:
        return ruled_out(right("Id and secret are form-encoded, joined by a colon, and base64", HEADER))
    return proven(*facts, fix=fix) if sure else possible(*facts, fix=fix)


@rule("client.deactivated", "The client was deactivated")
def deactivated(context: Context) -> Finding:
    """It worked before with this provider."""
    row = _last(context.successes_here)
    if row is not None:
        facts = (
            _worked(context, row),
            wrong(f"Now the provider answers {context.outcome(context.exchange)}", "response"),
        )
        return proven(*facts) if _told_inactive(context) else possible(*facts)
    if not context.past.reach:
        return unknown("Whether this client id worked before is not known: no history was looked at")
    return ruled_out(_never_worked(context))


@rule("client.never_active", "The client is not active, and no request of it worked here yet")
def never_active(context: Context) -> Finding:
    """The provider says the one, this history the other; a provider activates new applications by hand."""
    row = _last(context.successes_here)
    if row is not None:
        return ruled_out(_worked(context, row))
    if not context.past.reach:
        return unknown("Whether this client id worked before is not known: no history was looked at")
    facts = (wrong(f"The provider answers {context.outcome(context.exchange)}", "response"), _never_worked(context))
    # What worked elsewhere may be active there and nowhere else, which is another cause.
    return proven(*facts) if _told_inactive(context) and not context.successes else possible(*facts)


CREDENTIALS: tuple[Rule, ...] = (
    credentials_missing,
    white_space,
    quotes,
    swapped,
    basic_encoding,
    both,
    secret_differs,
    id_differs,
    other_provider,
)
"""The rules for credentials that are refused."""

INACTIVE: tuple[Rule, ...] = (deactivated, never_active, other_provider)
"""The rules for a client that is not active."""


def _worked(context: Context, row: Exchange) -> Evidence:
    return right(
        f"The same client_id worked before: {context.row_text(row)}, {context.outcome(row)}", "history", row.id
    )


def _never_worked(context: Context) -> Evidence:
    name = context.secrets.swept(context.client_id) or "This client"
    return open_fact(f"{name} never worked here, in the newest {context.past.reach:,} rows", "history")


def _told_inactive(context: Context) -> bool:
    """Whether the provider says that it is the client, and not its secret, that is refused: only error 5 does."""
    return context.explanation is not None and context.explanation.number == INACTIVE_CLIENT


def _without_a_secret(context: Context) -> bool:
    """Whether the client is a public one, or signs an assertion (RFC 6749 §2.1, RFC 7523 §2.2)."""
    others = (ClientAuthentication.NONE, ClientAuthentication.PRIVATE_KEY_JWT)
    return bool(context.sent.value("client_assertion")) or bool(context.flow and context.flow.authentication in others)


def _is_secret(context: Context, client_id: str) -> bool:
    """Whether what stands in the id's place is known as a secret."""
    if found := parse(client_id):
        return found.kind == "client_secret"
    told = context.vault.kind_of(client_id) if context.vault else None
    return told == "client_secret" or bool(context.flow and client_id == context.flow.client.secret)


def _send_right_secret(context: Context, sent: Credentials) -> Fix:
    """Send the flow's secret, unless that is the very one that was refused."""
    shown, flow = context.secrets.quoted("client_secret", sent.secret), context.flow
    after, needs = "", "the client secret of your application"
    if flow and flow.client.secret and context.secrets.same("client_secret", sent.secret, flow.client.secret) is False:
        after, needs = context.secrets.offered("client_secret", flow.client.secret), ""
    return put(context, "client_secret", shown, after, "Send the right secret", needs)


def _secret_of(row: Exchange) -> str:
    found = parameters.basic(row.request)
    return parameters.read(row.request).value("client_secret") or (unquote_plus(found.secret) if found else "")


def _last(rows: Sequence[Exchange]) -> Exchange | None:
    return rows[-1] if rows else None
