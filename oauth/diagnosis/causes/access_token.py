"""The access token of an API call: too old, replaced, another host's, or sent in the wrong way (RFC 6750 §2.1)."""

from datetime import timedelta

from oauth import parameters
from oauth.diagnosis.causes import shape
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
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Origin
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.exchange import Exchange, Step, header
from oauth.flow import Grant
from oauth.formatting import span
from oauth.redaction.placeholders import is_live

HEADER = "request header, Authorization"
NO_ORIGIN = "Where the token came from is not known: no token answer is known that gave it"


@rule("access_token.expired", "The access token had expired")
def expired(context: Context) -> Finding:
    """When it was issued, and ``expires_in`` by the server's own word."""
    origin = _origin(context)
    if origin is None:
        return unknown(NO_ORIGIN)
    life = origin.expires_in if origin.expires_in is not None else context.lifetimes.access_token
    if life is None:
        return unknown("It said no expires_in, and how long tokens live at this provider is not known", origin.where)
    said = (
        f"expires_in {life} s" if origin.expires_in is not None else f"it said no expires_in; documented are {life} s"
    )
    age = (context.at - origin.issued_at).total_seconds()
    text = f"Issued {context.clock(origin.issued_at)}, {said}; sent {span(age)} later"
    if age > life:
        return proven(wrong(text, origin.where, origin.row), fix=_renew(context, origin))
    if age > life - CLOSE:
        return possible(wrong(text, origin.where, origin.row), fix=_renew(context, origin))
    return ruled_out(right(text[0].upper() + text[1:], origin.where, origin.row))


@rule("access_token.scheme", "The word Bearer is missing, or doubled")
def scheme(context: Context) -> Finding:
    """``Authorization: Bearer TOKEN``, once and with one space."""
    given, credentials = parameters.authorization(context.exchange.request)
    if not given:
        return unknown("There is no Authorization header")
    if given.lower() == "dpop" and credentials:
        return ruled_out(open_fact("The scheme is DPoP, for a token that is bound to a key (RFC 9449 §7.1)", HEADER))
    fix = None
    if context.bearer:
        after = context.secrets.offered("access_token", context.bearer)
        before = f"{given} …" if given.lower() == "bearer" else "…"
        fix = Fix(
            Label.READY,
            "Send Bearer once, then the token",
            context.step,
            (Change(Target.HEADER, "Authorization", before, f"Bearer {after}"),),
        )
    doubled = sum(word.lower() in ("bearer", "bearer:") for word in (given, *credentials.split()))
    if doubled > 1:
        return proven(wrong(f"The word Bearer stands there {doubled} times", HEADER), fix=fix)
    if doubled == 0:
        if credentials and given.isalpha() and len(given) < 12:
            return proven(wrong(f"The scheme is {given}, where Bearer is needed", HEADER), fix=fix)
        return proven(wrong("The word Bearer is missing before the token", HEADER), fix=fix)
    if not credentials:
        return proven(wrong("After Bearer there is no token", HEADER), fix=_held(context))
    if not is_live(context.bearer) and _origin(context) is None:
        return unknown("Redaction hides what stands behind Bearer", HEADER)
    return ruled_out(right("Bearer stands there once", HEADER))


@rule("access_token.left_out", "No access token was sent")
def left_out(context: Context) -> Finding:
    """No ``Authorization`` header, or nothing in it."""
    value = header(context.exchange.request.headers, "Authorization")
    if value is None or not value.strip():
        return proven(wrong("There is no Authorization header", "request headers"), fix=_held(context))
    if not context.bearer:
        return proven(wrong("The Authorization header has no token in it", HEADER), fix=_held(context))
    return ruled_out(right("The Authorization header has a token", HEADER))


@rule("access_token.other_host", "The token was issued by another host")
def other_host(context: Context) -> Finding:
    """A token is good at the provider that issued it."""
    origin = _origin(context)
    if origin is None:
        return unknown(NO_ORIGIN)
    elsewhere = (
        origin.host != context.host
        if not (origin.provider and context.exchange.provider)
        else (origin.provider != context.exchange.provider)
    )
    text = f"Issued by {origin.host}"
    if elsewhere:
        return proven(wrong(f"{text}, sent to {context.host}", origin.where, origin.row), fix=_held(context))
    return ruled_out(right(f"{text[0].upper()}{text[1:]}, the provider that was called", origin.where, origin.row))


@rule("access_token.replaced", "A later token took its place")
def replaced(context: Context) -> Finding:
    """A refresh after it, and whether the old one still worked before that."""
    origin = _origin(context)
    if origin is None:
        return unknown(NO_ORIGIN)
    if origin.grant == Grant.CLIENT_CREDENTIALS:
        return ruled_out(
            open_fact("It is an application's token: those are not replaced by a refresh", origin.where, origin.row)
        )
    later = _later_tokens(context, origin)
    if later:
        return _judge_replacement(context, origin, later)
    if elsewhere := context.before.later_elsewhere(origin):
        text = (
            f"A later token was issued in another flow of this client: {context.row_text(elsewhere)}; "
            "whether for the same user is not known"
        )
        return possible(open_fact(text, "history", elsewhere.id), fix=_held(context))
    return ruled_out(right("No later token of this client is known", "history"))


def _later_tokens(context: Context, origin: Origin) -> list[Exchange]:
    """Return the refreshes of this flow that issued another access token after ``origin``."""
    return [
        row
        for row in context.before.rows
        if row.step is Step.REFRESH
        and parameters.succeeded(row)
        and row.started_at >= origin.issued_at
        and context.secrets.same("access_token", parameters.member(row.response, "access_token"), context.bearer)
        is False
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
    if before and life is not None and context.at <= origin.issued_at + timedelta(seconds=life):
        text = f"The old one worked before that: {context.row_text(before[-1])}, and it had not expired"
        return proven(fact, open_fact(text, "history", before[-1].id), fix=_held(context))
    return possible(fact, fix=_held(context))


REFUSED: tuple[Rule, ...] = (scheme, expired, replaced, other_host, *shape.altered(shape.ACCESS_TOKEN))
"""The rules for an access token that is refused."""


@rule("token.of_application", "The token is the application's, and this call needs a user's")
def of_application(context: Context) -> Finding:
    """By the grant that gave it (RFC 6749 §4.4: no user takes part)."""
    origin = _origin(context)
    if origin is None:
        return unknown(NO_ORIGIN)
    if not origin.grant:
        return unknown("By which grant the token was given is not known", origin.where, origin.row)
    if origin.grant == Grant.CLIENT_CREDENTIALS:
        text = "The token came from client_credentials: it stands for the application, and for no user"
        return proven(wrong(text, origin.where, origin.row), fix=_users(context))
    return ruled_out(right(f"The token came from {origin.grant}: it is a user's", origin.where, origin.row))


def _origin(context: Context) -> Origin | None:
    return context.origin("access_token", context.bearer) if context.bearer else None


def _is_before(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one < other


def _renew(context: Context, origin: Origin) -> Fix:
    held = _held(context)
    if held.label is Label.READY:
        return held
    if origin.grant == Grant.CLIENT_CREDENTIALS:
        return Fix(Label.START_AGAIN, "Get a new application's token", Step.TOKEN)
    return Fix(Label.START_AGAIN, "Refresh the access token", Step.REFRESH)


def _held(context: Context) -> Fix:
    """The newest token that the flow holds and that still lives, or else a way to get one."""
    for known in context.candidates("access_token"):
        origin = context.origin("access_token", known.value)
        life = (origin.expires_in if origin else None) or context.lifetimes.access_token
        age = (context.now - origin.issued_at).total_seconds() if origin else 0
        alive = origin is not None and (life is None or age <= life)
        here = origin is not None and (not context.exchange.provider or origin.provider == context.exchange.provider)
        if alive and here and context.secrets.same("access_token", known.value, context.bearer) is not True:
            change = _authorization(context, known.value)
            return Fix(Label.READY, "Send the newest access token", context.step, (change,))
    return Fix(Label.START_AGAIN, "Get a new access token", Step.AUTHORIZE)


def _users(context: Context) -> Fix:
    tokens = context.flow.tokens if context.flow else None
    if tokens and context.secrets.same("access_token", tokens.access_token, context.bearer) is False:
        return Fix(Label.READY, "Send the user's token", context.step, (_authorization(context, tokens.access_token),))
    return Fix(Label.START_AGAIN, "Authorize with a user: grant_type authorization_code", Step.AUTHORIZE)


def _authorization(context: Context, token: str) -> Change:
    before = header(context.exchange.request.headers, "Authorization")
    shown = None if before is None else f"Bearer {context.secrets.quoted('access_token', context.bearer)}"
    return Change(Target.HEADER, "Authorization", shown, f"Bearer {context.secrets.offered('access_token', token)}")
