"""The client's credentials: its id, its secret, and the way they are sent (RFC 6749 §2.3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus, unquote_plus

from oauth import parameters
from oauth.addresses import host_of
from oauth.catalogue.subject import Subject, missing_parameter, subjects
from oauth.diagnosis.causes.fixes import changed, put, value_for
from oauth.diagnosis.causes.rule import (
    Finding,
    Rule,
    Weight,
    broken,
    likely,
    no_value,
    possible,
    proven,
    rule,
    ruled_out,
    unknown,
)
from oauth.diagnosis.causes.shape import bare, stray_text
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Evidence, Fix, Target, Verdict, open_fact, right, wrong
from oauth.exchange import Exchange, Part, Step
from oauth.flow import Grant
from oauth.parameters import BODY, QUERY
from oauth.providers import ClientAuthentication
from oauth.redaction.placeholders import is_live, parse

HEADER = "request header, Authorization"
PUBLISHED = "provider, published clients"
AROUND = "The right secret was sent with extra characters around it, which is another cause"
AROUND_SHORT = "Extra characters surround the secret, and the rest is too short for a fingerprint to compare"
NO_HISTORY = "Earlier requests of this client id are unknown: no history was searched"
NO_CLIENT = "The client id of the request is unknown"
INACTIVE_CLIENT = 5
"""Number of the documented error for an inactive client."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Id and secret as the server reads them, and their place in the request."""

    id: str
    secret: str = field(repr=False)
    where: str
    hidden: bool = False


def _credentials(context: Context) -> Credentials:
    basic = context.basic
    if basic is not None and basic.hidden:
        return Credentials(context.exchange.client_id, "", HEADER, hidden=True)
    if basic is not None and not basic.problem:
        return Credentials(unquote_plus(basic.id), unquote_plus(basic.secret), HEADER)
    where = QUERY if context.step is Step.AUTHORIZE else BODY
    return Credentials(context.sent.value("client_id"), context.sent.value("client_secret"), where)


@rule("client.credentials_missing", "The client id or secret is missing", Weight.NAMED)
def credentials_missing(context: Context) -> Finding:
    """Check that body or header contains both, and neither is empty."""
    sent = _credentials(context)
    if sent.hidden or (context.basic is not None and context.basic.problem):
        return ruled_out(open_fact("Credentials were sent by HTTP Basic, correct or not", HEADER))
    if context.sent.anywhere("client_assertion") is not None:
        return ruled_out(open_fact("The client authenticates with an assertion (RFC 7521 §4.2)", sent.where))
    missing = [name for name, value in (("client_id", sent.id), ("client_secret", sent.secret)) if not value]
    if _has_no_secret(context):
        missing = [name for name in missing if name == "client_id"]
    elsewhere = [item for name in missing if (item := context.sent.anywhere(name)) and item.value]
    if elsewhere:
        return possible(
            *(wrong(f"{item.name} is sent where a server may not look for it", item.place) for item in elsewhere)
        )
    if any(context.is_left_out(name) is None for name in missing):
        return unknown("The text does not show both credentials", sent.where)
    if not missing and not sent.secret:
        return ruled_out(open_fact("client_id is present, and this client authenticates without a secret", sent.where))
    if not missing:
        return ruled_out(right("client_id and client_secret are both present", sent.where))
    worked = next((row for row in reversed(context.successes_here) if _secret_of(row)), None)
    changes = []
    for name in missing:
        after, needs = value_for(context, name)
        is_present = context.sent.get(name) is not None
        changes.append(Change(Target.FIELD, name, "" if is_present else None, after, needs))
    fix = changed(context, f"Send {' and '.join(missing)}", *changes)
    facts = [wrong(f"{name} is missing or empty", sent.where) for name in missing]
    if worked is not None and "client_secret" in missing:
        facts.append(wrong(f"This client authenticated before: {context.row_text(worked)}", "history", worked.id))
        return (possible if context.before_sending else proven)(*facts, fix=fix)
    if _must_authenticate(context, missing) or missing_parameter(context.description) in missing:
        return broken(context)(*facts, fix=fix)
    has_secret = context.flow is not None and bool(context.flow.client.secret)
    if "client_id" not in missing and not has_secret:
        return possible(open_fact("client_secret is not sent, as is right for a public client", sent.where), fix=fix)
    return possible(*facts, fix=fix)


@rule("client.white_space", "The client id or secret has whitespace around it", Weight.NAMED)
def white_space(context: Context) -> Finding:
    """Check for whitespace that was copied along with the value."""
    return _stray(context, "whitespace", "No whitespace around id and secret")


@rule("client.quotes", "The client id or secret has quotes around it", Weight.NAMED)
def quotes(context: Context) -> Finding:
    """Check for quotes that were copied along with the value."""
    return _stray(context, "quote", "No quotes around id and secret")


def _stray(context: Context, sign: str, clean: str) -> Finding:
    sent = _credentials(context)
    facts, changes, hidden = [], [], sent.hidden
    for name, value in (("client_id", sent.id), ("client_secret", sent.secret)):
        stray = [fact for fact in stray_text(value).split(", ") if sign in fact]
        hidden = hidden or (bool(value) and not is_live(value))
        if not stray:
            continue
        facts.append(wrong(f"{name}: {', '.join(stray)}", f"{sent.where}, {name}"))
        before = context.secrets.quoted(name, value) if name == "client_secret" else context.secrets.swept(value)
        after = context.secrets.sendable(name, bare(value))
        changes.append(Change(Target.FIELD, name, before, after))
    if facts:
        return proven(*facts, fix=changed(context, "Send them without the extra characters", *changes))
    if hidden:
        return unknown("Redaction hides characters around the secret", sent.where)
    if not sent.id and not sent.secret:
        return unknown("No credentials were sent", sent.where)
    if not (sent.id and sent.secret) and not context.is_body_known:
        return unknown("The body of the request is not in the pasted text", BODY)
    return ruled_out(right(clean, sent.where))


@rule("client.swapped", "The client id and secret are swapped", Weight.NAMED)
def swapped(context: Context) -> Finding:
    """Check whether the id is known as a secret."""
    sent, flow = _credentials(context), context.flow
    if not sent.id or not (sent.secret or sent.hidden):
        return unknown("Id and secret are not both present", sent.where)
    if _is_secret(context, sent.id):
        facts = [wrong("client_id contains the client's secret", f"{sent.where}, client_id")]
        changes = []
        for name, value in (("client_id", sent.id), ("client_secret", sent.secret)):
            after, needs = value_for(context, name)
            before = context.secrets.quoted("client_secret", value)
            changes.append(Change(Target.FIELD, name, before, after, needs))
        if flow and context.secrets.same("client_secret", sent.secret, flow.client.id):
            facts.append(wrong("client_secret contains the client's id", f"{sent.where}, client_secret"))
        return proven(*facts, fix=changed(context, "Send each in its own place", *changes))
    if context.successes or (flow and sent.id == flow.client.id):
        row = context.successes[-1].id if context.successes else None
        return ruled_out(right(f"client_id is the id of a client: {context.secrets.swept(sent.id)}", sent.where, row))
    return unknown("Neither the id nor the secret of this client is known, so they cannot be distinguished", sent.where)


@rule("client.secret_differs", "The secret is not the one that last worked", Weight.ELIMINATED)
def secret_differs(context: Context) -> Finding:
    """Compare the secret with the provider's published one, the newest success, and the flow's."""
    sent = _credentials(context)
    if sent.hidden:
        return unknown("The secret in the request is unknown", sent.where)
    if not sent.secret:
        return no_value(context, "client_secret")
    for compare in (_with_published_secret, _with_last_success, _with_flow):
        if finding := compare(context, sent):
            return finding
    if Subject.CLIENT in subjects(context.description) and "secret" in context.description.lower():
        fix = _send_right_secret(context, sent)
        return likely(
            wrong(f"The server says so of {context.secrets.quoted('client_secret', sent.secret)}", "response"), fix=fix
        )
    if context.successes_here:
        return possible(
            open_fact("No secret of this client is known to have worked, so it cannot be compared", "history")
        )
    return unknown("No secret of this client is known to have worked", "history")


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
    shown, expected = _both_shown(context, sent.secret, client.secret)
    fact = wrong(f"Sent {shown}; the published secret of {client.id} is {expected}", PUBLISHED)
    return proven(fact, fix=_send_right_secret(context, sent))


def _both_shown(context: Context, sent: str, expected: str) -> tuple[str, str]:
    """Return how two different secrets are shown; short ones of one length have the same placeholder."""
    shown, other = (context.secrets.quoted("client_secret", secret) for secret in (sent, expected))
    return shown, "another one of the same length" if shown == other else other


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
    fact = wrong(f"Sent {shown}; the secret that last worked was {last}: {time}", "history", row.id)
    return proven(fact, fix=_send_right_secret(context, sent))


def _with_flow(context: Context, sent: Credentials) -> Finding | None:
    client = context.flow.client if context.flow else None
    if client is None or sent.id != client.id:
        return None
    if context.secrets.same("client_secret", sent.secret, client.secret) is not False:
        return None
    shown, expected = _both_shown(context, sent.secret, client.secret)
    fact = wrong(f"Sent {shown}; this flow started with {expected}", "flow, client secret")
    return possible(fact, fix=_send_right_secret(context, sent))


@rule("client.id_differs", "The client id is unknown here", Weight.ELIMINATED)
def id_differs(context: Context) -> Finding:
    """Compare the id with the flow's client, the published clients, and those that worked."""
    sent = _credentials(context)
    if not sent.id:
        return no_value(context, "client_id")
    if _is_secret(context, sent.id):
        return ruled_out(open_fact("It is a secret, not an id", sent.where))
    shown, row = context.secrets.swept(sent.id), _last(context.successes_here)
    where = f"{sent.where}, client_id"
    if row is not None:
        return ruled_out(_worked(context, row))
    published = [item.id for item in context.provider.clients] if context.provider else []
    if sent.id in published:
        return ruled_out(right(f"{shown} is a published client", PUBLISHED))
    flow_id = context.flow.client.id if context.flow else context.exchange.client_id
    if flow_id and flow_id != sent.id and bare(sent.id) == flow_id:
        return ruled_out(open_fact(f"It is {context.secrets.swept(flow_id)}, with extra characters around it", where))
    if flow_id and flow_id != sent.id:
        fix = put(context, "client_id", shown, context.secrets.swept(flow_id), "Send the client id of this flow")
        worked = _last([row for row in context.before.token_requests(flow_id) if context.before.is_here(row)])
        fact = wrong(f"Sent {shown}; the client of this flow is {context.secrets.swept(flow_id)}", where)
        if flow_id in published:
            return proven(fact, right(f"{flow_id} is a published client", PUBLISHED), fix=fix)
        if worked is not None:
            # The id in the request may also be a client's, although this history does not know it.
            return possible(
                fact, right(f"{flow_id} worked before: {context.row_text(worked)}", "history", worked.id), fix=fix
            )
        return possible(fact, fix=fix)
    if not context.past.reach:
        return unknown("No history was searched for this client id", where)
    text = f"{shown} has never worked here, in the newest {context.past.reach:,} rows"
    return possible(
        open_fact(text, "history"),
        fix=put(context, "client_id", shown, "", "Send the right client id", "the client id of your application"),
    )


@rule("client.other_provider", "The client id belongs to another provider or country", Weight.ELIMINATED)
def other_provider(context: Context) -> Finding:
    """Look for successes at another provider: credentials work on one site only."""
    sent = _credentials(context)
    if not sent.id:
        return no_value(context, "client_id")
    row = _last(context.successes_here)
    if row is not None:
        return ruled_out(_worked(context, row))
    elsewhere = _last([row for row in context.successes if not context.before.is_here(row)])
    if elsewhere is not None:
        place = elsewhere.provider or host_of(elsewhere.request.url)
        here = context.exchange.provider or context.host
        text = f"This client id worked at {place}, but never at {here}: {context.row_text(elsewhere)}"
        needs = f"the client id that {here} issued to you"
        fix = put(context, "client_id", context.secrets.swept(sent.id), "", "Send the client id for this site", needs)
        if context.secrets.same("client_secret", sent.secret, _secret_of(elsewhere)):
            return proven(
                wrong(text, "history", elsewhere.id), wrong("It used the same secret", "history", elsewhere.id), fix=fix
            )
        return possible(
            wrong(text, "history", elsewhere.id),
            open_fact("Whether it used the same secret is unknown", "history", elsewhere.id),
            fix=fix,
        )
    if context.provider and any(item.id == sent.id for item in context.provider.clients):
        return ruled_out(right("It is a published client of this provider", PUBLISHED))
    return unknown("The client id has not worked anywhere yet, so its provider is unknown", "history")


@rule("client.both", "The credentials were sent both by HTTP Basic and in the body", Weight.NAMED)
def both(context: Context) -> Finding:
    """Check for a single authentication method per request (RFC 6749 §2.3)."""
    if context.basic is None:
        return _without_basic(context, "There is no HTTP Basic header: the credentials are only in the body")
    body_id, body_secret = context.sent.value("client_id"), context.sent.value("client_secret")
    if not body_secret and not context.is_body_known:
        return unknown("The body of the request is not in the pasted text", BODY)
    if not body_secret and body_id in ("", unquote_plus(context.basic.id)):
        return ruled_out(right("The body has no secret: the credentials are only in the header", BODY))
    fix = changed(
        context,
        "Send them only in the body",
        Change(Target.AUTHENTICATION, "Authorization", "basic and body", ClientAuthentication.BODY.value),
        Change(Target.HEADER, "Authorization", "Basic …", None),
    )
    names = " and ".join(name for name, value in (("client_id", body_id), ("client_secret", body_secret)) if value)
    facts = [
        wrong("The Authorization header contains Basic credentials", HEADER),
        wrong(f"The body also contains {names}", BODY),
    ]
    if context.basic.problem and (alone := secret_differs.judge(context)).verdict is Verdict.RULED_OUT:
        # The body alone would have been accepted, so the unreadable header must be the reason.
        return proven(*facts, *alone.evidence, fix=fix)
    if context.basic.hidden or context.basic.problem:
        return possible(*facts, fix=fix)
    header_secret = unquote_plus(context.basic.secret)
    is_different = body_id not in ("", unquote_plus(context.basic.id))
    if not is_different and body_secret:
        is_different = context.secrets.same("client_secret", body_secret, header_secret) is False
    if is_different:
        return broken(context)(*facts, wrong("The two differ", f"{HEADER} and body"), fix=fix)
    return possible(*facts, open_fact("Whether the two differ is unknown", f"{HEADER} and body"), fix=fix)


@rule("client.basic_encoding", "The HTTP Basic credentials are not encoded as RFC 6749 §2.3.1 requires", Weight.NAMED)
def basic_encoding(context: Context) -> Finding:
    """Check the encoding: id and secret form-encoded, joined by a colon, then base64."""
    basic, flow = context.basic, context.flow
    if basic is None:
        return _without_basic(context, "There are no Basic credentials")
    if basic.hidden:
        return unknown("Redaction hides the encoding of the Basic credentials", HEADER)
    fix = changed(
        context,
        "Form-encode id and secret, join them by a colon, then base64-encode",
        Change(Target.AUTHENTICATION, "Authorization", "Basic …", ClientAuthentication.BASIC.value),
    )
    if basic.problem:
        return proven(wrong(basic.problem, HEADER), fix=fix)
    facts, is_sure = [], False
    own_id, own_secret = (flow.client.id, flow.client.secret) if flow else ("", "")
    for name, raw, expected in (("client_id", basic.id, own_id), ("client_secret", basic.secret, own_secret)):
        if expected and raw == expected and unquote_plus(raw) != expected:
            facts.append(wrong(f"{name} is not form-encoded, so the server reads another value", HEADER))
            is_sure = True
        elif (
            expected
            and raw != quote_plus(expected)
            and unquote_plus(unquote_plus(raw)) == expected != unquote_plus(raw)
        ):
            facts.append(wrong(f"{name} is form-encoded twice", HEADER))
            is_sure = True
        elif is_live(raw) and quote_plus(unquote_plus(raw)) != raw and any(sign in raw for sign in "+%: "):
            facts.append(wrong(f"{name} contains characters that form-encoding would have replaced", HEADER))
    if not facts and not is_live(basic.secret):
        return unknown("Redaction hides the encoding of the Basic credentials", HEADER)
    if not facts:
        return ruled_out(right("Id and secret are form-encoded, joined by a colon, and base64", HEADER))
    return proven(*facts, fix=fix) if is_sure else possible(*facts, fix=fix)


@rule("client.basic_not_decoded", "The server does not decode the HTTP Basic credentials", Weight.ELIMINATED)
def basic_not_decoded(context: Context) -> Finding:
    """Check for characters that form-encoding replaces (RFC 6749 §2.3.1), and that some servers take as they come."""
    basic = context.basic
    if basic is None or basic.problem:
        return _without_basic(context, "There are no Basic credentials that can be read")
    if basic.hidden or not is_live(basic.secret):
        return unknown("Redaction hides the encoding of the Basic credentials", HEADER)
    pairs = (("client_id", basic.id), ("client_secret", basic.secret))
    encoded = [name for name, raw in pairs if unquote_plus(raw) != raw]
    if not encoded:
        return ruled_out(right("Id and secret have no characters that form-encoding replaces", HEADER))
    is_right = bool(context.flow and context.flow.client.secret == unquote_plus(basic.secret))
    facts = [wrong(f"{' and '.join(encoded)} had to be form-encoded, and some servers do not decode it", HEADER)]
    if is_right:
        facts.append(right("Decoded, the secret is the one that was entered or registered here", "client"))
    method = ClientAuthentication.BODY.value
    change = Change(Target.AUTHENTICATION, "client authentication", ClientAuthentication.BASIC.value, method)
    return (likely if is_right else possible)(*facts, fix=changed(context, f"Authenticate by {method}", change))


@rule("client.deactivated", "The client was deactivated", Weight.REPORTED)
def deactivated(context: Context) -> Finding:
    """Look for earlier successes of the client at this provider."""
    if not context.client_id:
        return unknown(NO_CLIENT)
    row = _last(context.successes_here)
    if row is not None:
        facts = (
            _worked(context, row),
            wrong(f"Now the provider returns {context.outcome(context.exchange)}", "response"),
        )
        return proven(*facts) if _is_reported_inactive(context) else possible(*facts)
    if not context.past.reach:
        return unknown(NO_HISTORY)
    return ruled_out(_never_worked(context))


@rule("client.never_active", "The client is inactive, and none of its requests has succeeded here yet", Weight.REPORTED)
def never_active(context: Context) -> Finding:
    """Check that the client has never worked: some providers activate new applications by hand."""
    if not context.client_id:
        return unknown(NO_CLIENT)
    row = _last(context.successes_here)
    if row is not None:
        return ruled_out(_worked(context, row))
    if context.before_sending:
        published = context.provider.clients if context.provider else ()
        if any(item.id == context.client_id and not item.active for item in published):
            return proven(wrong(f"{context.secrets.swept(context.client_id)} is published as inactive", PUBLISHED))
        return unknown("Only the provider knows whether the client is active")
    if not context.past.reach:
        return unknown(NO_HISTORY)
    facts = (wrong(f"The provider returns {context.outcome(context.exchange)}", "response"), _never_worked(context))
    # A client that worked elsewhere may be active there only, which is another cause.
    return proven(*facts) if _is_reported_inactive(context) and not context.successes else possible(*facts)


@rule("client.other_method", "The client authenticated in another way before", Weight.ELIMINATED)
def other_method(context: Context) -> Finding:
    """Compare the authentication method with those that worked for this client (RFC 7591 §2)."""
    sent = parameters.authentication_of(context.exchange.request)
    if not context.is_known(Part.REQUEST_HEADERS) or not context.is_body_known:
        return unknown("The authentication of the request is not wholly in the pasted text")
    row = _last(context.successes_here)
    if row is None:
        return unknown("No request of this client is known to have worked", "history")
    if sent == ClientAuthentication.NONE:
        return ruled_out(open_fact("The request has no client authentication, which is another cause", BODY))
    worked = {parameters.authentication_of(row.request): row for row in context.successes_here}
    if sent in worked:
        return ruled_out(right(f"{sent} worked before: {context.row_text(worked[sent])}", "history", worked[sent].id))
    method = parameters.authentication_of(row.request)
    fact = wrong(f"Sent by {sent}; {method} worked before: {context.row_text(row)}", "history", row.id)
    change = Change(Target.AUTHENTICATION, "client authentication", sent, method)
    return proven(fact, fix=changed(context, f"Authenticate by {method}", change))


@rule("client.not_by_basic", "The credentials are in the body, and this provider reads them from HTTP Basic only")
def not_by_basic(context: Context) -> Finding:
    """Check for an ``Authorization`` header with Basic, where the provider documents no other way."""
    if context.basic is not None:
        return ruled_out(right("The credentials were sent by HTTP Basic", HEADER))
    if not context.is_known(Part.REQUEST_HEADERS):
        return unknown("The headers of the request are not in the pasted text", HEADER)
    if not context.sent.value("client_secret"):
        return ruled_out(open_fact("There is no secret in the body, which is another cause", BODY))
    change = Change(Target.AUTHENTICATION, "client authentication", "body", ClientAuthentication.BASIC.value)
    fact = wrong("id and secret are in the body, and there is no Authorization header", BODY)
    return proven(fact, fix=changed(context, "Send them by HTTP Basic", change))


@rule("client.id_in_body", "The server wants client_id in the body beside HTTP Basic")
def id_in_body(context: Context) -> Finding:
    """Check for a client_id in the body of a request with HTTP Basic, where the server says that it is missing."""
    if context.basic is None:
        return _without_basic(context, "There is no HTTP Basic header")
    if not context.is_body_known:
        return unknown("The body of the request is not in the pasted text", BODY)
    if context.sent.value("client_id"):
        return ruled_out(right("client_id is in the body too", BODY))
    if missing_parameter(context.description) != "client_id":
        return unknown("The server does not say that client_id is missing", "response")
    after, needs = (unquote_plus(context.basic.id), "") if context.basic.id else value_for(context, "client_id")
    fact = wrong("client_id is in the Authorization header only, and the server says that it is missing", BODY)
    return likely(fact, fix=put(context, "client_id", None, after, "Send client_id in the body too", needs))


def _without_basic(context: Context, text: str) -> Finding:
    """Return the finding about a request without HTTP Basic credentials that can be read."""
    if context.basic is None and not context.is_known(Part.REQUEST_HEADERS):
        return unknown("The headers of the request are not in the pasted text", HEADER)
    return ruled_out(right(text, HEADER))


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
"""Rules for refused credentials."""

INACTIVE: tuple[Rule, ...] = (deactivated, never_active, other_provider)
"""Rules for an inactive client."""


def _worked(context: Context, row: Exchange) -> Evidence:
    return right(
        f"The same client_id worked before: {context.row_text(row)}, {context.outcome(row)}", "history", row.id
    )


def _never_worked(context: Context) -> Evidence:
    name = context.secrets.swept(context.client_id) or "This client"
    return open_fact(f"{name} has never worked here, in the newest {context.past.reach:,} rows", "history")


def _is_reported_inactive(context: Context) -> bool:
    """Return whether the provider refuses the client itself, and not its secret: only error 5 says so."""
    return context.explanation is not None and context.explanation.number == INACTIVE_CLIENT


def _has_no_secret(context: Context) -> bool:
    """Return whether the client is public, or signs an assertion (RFC 6749 §2.1, RFC 7523 §2.2)."""
    methods = (ClientAuthentication.NONE, ClientAuthentication.PRIVATE_KEY_JWT)
    is_signed = context.sent.anywhere("client_assertion") is not None
    return is_signed or bool(context.flow and context.flow.authentication in methods)


def _must_authenticate(context: Context, missing: Sequence[str]) -> bool:
    """Return whether no client can be without these: one without a secret is public, and some grants need no client."""
    if context.is_documented:
        return True
    needs_client = context.grant in ("", Grant.AUTHORIZATION_CODE, Grant.CLIENT_CREDENTIALS)
    is_public = "client_id" not in missing and context.grant != Grant.CLIENT_CREDENTIALS
    return needs_client and not is_public and context.header("Authorization") is None


def _is_secret(context: Context, client_id: str) -> bool:
    """Return whether the value sent as the id is known as a secret."""
    if placeholder := parse(client_id):
        return placeholder.kind == "client_secret"
    kind = context.vault.kind_of(client_id) if context.vault else None
    return kind == "client_secret" or bool(context.flow and client_id == context.flow.client.secret)


def _send_right_secret(context: Context, sent: Credentials) -> Fix:
    """Return a fix that sends the flow's secret, unless that is the refused one."""
    shown, flow = context.secrets.quoted("client_secret", sent.secret), context.flow
    after, needs = "", "the client secret of your application"
    if flow and flow.client.secret and context.secrets.same("client_secret", sent.secret, flow.client.secret) is False:
        after, needs = context.secrets.offered("client_secret", flow.client.secret), ""
    return put(context, "client_secret", shown, after, "Send the right secret", needs)


def _secret_of(row: Exchange) -> str:
    basic = parameters.basic(row.request)
    return parameters.read(row.request).value("client_secret") or (unquote_plus(basic.secret) if basic else "")


def _last(rows: Sequence[Exchange]) -> Exchange | None:
    return rows[-1] if rows else None
