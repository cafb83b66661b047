"""The access token of an API call: expired, replaced, from another host, or sent incorrectly (RFC 6750 §2.1)."""

from oauth import moments, parameters
from oauth.diagnosis.causes import shape
from oauth.diagnosis.causes.fixes import changed, new_access_token
from oauth.diagnosis.causes.rule import (
    UNDATED,
    Finding,
    Rule,
    Weight,
    broken,
    by_age,
    possible,
    proven,
    rule,
    rule_of_origin,
    ruled_out,
    unknown,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Origin
from oauth.diagnosis.model import Change, Fix, Label, Target, open_fact, right, wrong
from oauth.exchange import Exchange, Part, Step, header
from oauth.flow import Grant
from oauth.formatting import span
from oauth.redaction.placeholders import is_live

HEADER = "request header, Authorization"
NO_HEADERS = "The text shows no value of the Authorization header"


@rule_of_origin("access_token", "access_token.expired", "The access token had expired")
def expired(context: Context, origin: Origin) -> Finding:
    """Compare the token's age with its ``expires_in``, or else with the provider's lifetime."""
    life = origin.expires_in if origin.expires_in is not None else context.lifetimes.access_token
    if life is None:
        return unknown(
            "The response has no expires_in, and the lifetime of tokens at this provider is unknown", origin.where
        )
    lifetime = (
        f"expires_in {life} s" if origin.expires_in is not None else f"without expires_in; documented are {life} s"
    )
    if not context.is_known(Part.TIME):
        return unknown(UNDATED, origin.where, origin.row)
    age = (context.at - origin.issued_at).total_seconds()
    text = f"Issued {context.clock(origin.issued_at)}, {lifetime}; sent {span(age)} later"
    return by_age(age, life, text, origin.where, origin.row, _renew(context, origin))


@rule("access_token.scheme", "The word Bearer is missing or repeated")
def scheme(context: Context) -> Finding:
    """Check for ``Authorization: Bearer TOKEN``, with the word once and one space."""
    name, credentials = parameters.authorization(context.exchange.request)
    if not name:
        return unknown("There is no Authorization header")
    if name.lower() == "dpop" and credentials:
        return ruled_out(open_fact("The scheme is DPoP, for a token that is bound to a key (RFC 9449 §7.1)", HEADER))
    fix = None
    if context.bearer:
        after = context.secrets.offered("access_token", context.bearer)
        before = f"{name} …" if name.lower() == "bearer" else "…"
        change = Change(Target.HEADER, "Authorization", before, f"Bearer {after}")
        fix = changed(context, "Send Bearer once, then the token", change)
    count = sum(word.lower() in ("bearer", "bearer:") for word in (name, *credentials.split()))
    if count > 1:
        return proven(wrong(f"The word Bearer appears {count} times", HEADER), fix=fix)
    if count == 0:
        if credentials and name.isalpha() and len(name) < 12:
            return broken(context)(wrong(f"The scheme is {name}, but must be Bearer", HEADER), fix=fix)
        return broken(context)(wrong("The word Bearer is missing in front of the token", HEADER), fix=fix)
    if not credentials:
        return proven(wrong("There is no token after Bearer", HEADER), fix=_send_newest(context))
    if not is_live(context.bearer) and context.origin("access_token", context.bearer) is None:
        return unknown("Redaction hides the text after Bearer", HEADER)
    return ruled_out(right("The word Bearer appears once", HEADER))


@rule("access_token.left_out", "No access token was sent")
def left_out(context: Context) -> Finding:
    """Check for an ``Authorization`` header with a token."""
    value = header(context.exchange.request.headers, "Authorization")
    if value is None and not context.is_known(Part.REQUEST_HEADERS):
        return unknown(NO_HEADERS, "request headers")
    if value is None and (elsewhere := context.sent.anywhere("access_token")):
        return possible(
            wrong("The access token is sent outside the Authorization header", elsewhere.place),
            fix=_send_newest(context),
        )
    if value is None or not value.strip():
        # Before sending, a server whose profile is unknown may have another way to authenticate.
        conclude = broken(context) if context.is_left_out("access_token") else possible
        return conclude(wrong("There is no Authorization header", "request headers"), fix=_send_newest(context))
    if not context.bearer:
        return proven(wrong("The Authorization header contains no token", HEADER), fix=_send_newest(context))
    return ruled_out(right("The Authorization header contains a token", HEADER))


@rule_of_origin("access_token", "access_token.other_host", "The token was issued by another host")
def other_host(context: Context, origin: Origin) -> Finding:
    """Compare the host with the one that issued the token, the only one that accepts it."""
    text = f"Issued by {origin.host}"
    if context.before.is_same_site(origin.provider, origin.host):
        return ruled_out(right(f"{text}, the provider of this call", origin.where, origin.row))
    return proven(wrong(f"{text}, sent to {context.host}", origin.where, origin.row), fix=_send_newest(context))


@rule_of_origin("access_token", "access_token.replaced", "A later token replaced it", Weight.ELIMINATED)
def replaced(context: Context, origin: Origin) -> Finding:
    """Look for a later refresh, and for calls in which the old token still worked."""
    if origin.grant == Grant.CLIENT_CREDENTIALS:
        return ruled_out(
            open_fact("It is an application token: a refresh does not replace those", origin.where, origin.row)
        )
    later = _later_tokens(context, origin)
    if later:
        return _judge_replacement(context, origin, later)
    if elsewhere := context.before.later_elsewhere(origin):
        text = (
            f"A later token was issued in another flow of this client: {context.row_text(elsewhere)}; "
            "it may be for another user"
        )
        return possible(open_fact(text, "history", elsewhere.id), fix=_send_newest(context))
    return ruled_out(right("No later token of this client is known", "history"))


def _later_tokens(context: Context, origin: Origin) -> list[Exchange]:
    """Return the refreshes of this flow that issued another access token after ``origin``."""
    return [
        row
        for row in context.before.rows
        if row.step is Step.REFRESH
        and row.started_at >= origin.issued_at
        and parameters.succeeded(row)
        and context.secrets.same("access_token", context.readings.of(row).text("access_token"), context.bearer) is False
    ]


def _judge_replacement(context: Context, origin: Origin, later: list[Exchange]) -> Finding:
    """Compare the time of the first replacement with the calls in which the old token still worked."""
    sightings = context.sightings(("access_token",), context.bearer)
    calls = [row for row in sightings if row.step is Step.API and parameters.succeeded(row)]
    after = [row for row in calls if not _is_before(row.id, later[0].id)]
    before = [row for row in calls if _is_before(row.id, later[0].id)]
    if after:
        text = f"The old token still worked after that: {context.row_text(after[-1])}"
        return ruled_out(right(text, "history", after[-1].id))
    fact = wrong(f"A later access token was issued: {context.row_text(later[-1])}", "history", later[-1].id)
    life = origin.expires_in or context.lifetimes.access_token
    if before and life is not None and context.at <= moments.later(origin.issued_at, life):
        text = f"The old token worked before that: {context.row_text(before[-1])}, and it had not expired"
        return proven(fact, open_fact(text, "history", before[-1].id), fix=_send_newest(context))
    return possible(fact, fix=_send_newest(context))


REFUSED: tuple[Rule, ...] = (scheme, expired, replaced, other_host, *shape.altered(shape.ACCESS_TOKEN))
"""Rules for a refused access token."""


@rule_of_origin(
    "access_token",
    "token.of_application",
    "The token is an application token, but this call needs a user token",
    Weight.ELIMINATED,
)
def of_application(context: Context, origin: Origin) -> Finding:
    """Check the grant that issued the token (RFC 6749 §4.4: client_credentials involves no user)."""
    if not origin.grant:
        return unknown("The grant that issued the token is unknown", origin.where, origin.row)
    if origin.grant == Grant.CLIENT_CREDENTIALS:
        text = "The token came from client_credentials: it represents the application, not a user"
        if context.before_sending and not context.is_about_user:
            return possible(open_fact(text, origin.where, origin.row))
        return proven(wrong(text, origin.where, origin.row), fix=_send_user_token(context))
    return ruled_out(right(f"The token came from {origin.grant}: it is a user token", origin.where, origin.row))


def _is_before(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one < other


def _renew(context: Context, origin: Origin) -> Fix:
    newest = _send_newest(context)
    if newest.label is not Label.READY and origin.grant == Grant.CLIENT_CREDENTIALS:
        return Fix(Label.START_AGAIN, "Get a new application token", Step.TOKEN)
    return newest


def _send_newest(context: Context) -> Fix:
    """Return a fix that sends the flow's newest valid token, or else one that gets a new token."""
    for known in context.candidates("access_token"):
        origin = context.origin("access_token", known.value)
        life = (origin.expires_in if origin else None) or context.lifetimes.access_token
        age = (context.now - origin.issued_at).total_seconds() if origin else 0
        is_valid = origin is not None and (life is None or age <= life)
        is_here = origin is not None and (not context.exchange.provider or origin.provider == context.exchange.provider)
        if is_valid and is_here and context.secrets.same_as("access_token", context.bearer, known) is not True:
            return changed(context, "Send the newest access token", _authorization_header(context, known.value))
    return new_access_token(context)


def _send_user_token(context: Context) -> Fix:
    tokens = context.flow.tokens if context.flow else None
    if tokens and context.secrets.same("access_token", tokens.access_token, context.bearer) is False:
        return changed(context, "Send the user token", _authorization_header(context, tokens.access_token))
    return Fix(Label.START_AGAIN, "Authorize with a user: grant_type authorization_code", Step.AUTHORIZE)


def _authorization_header(context: Context, token: str) -> Change:
    before = header(context.exchange.request.headers, "Authorization")
    quoted = None if before is None else f"Bearer {context.secrets.quoted('access_token', context.bearer)}"
    return Change(Target.HEADER, "Authorization", quoted, f"Bearer {context.secrets.offered('access_token', token)}")
