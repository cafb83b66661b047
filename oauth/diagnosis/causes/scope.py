"""The requested scope, and the scope of a token (RFC 6749 §3.3, RFC 6750 §3.1)."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from oauth import challenges, parameters
from oauth.catalogue.subject import Subject, subjects
from oauth.diagnosis.before import OF_A_USER
from oauth.diagnosis.causes.fixes import put
from oauth.diagnosis.causes.rule import (
    Finding,
    Rule,
    Weight,
    likely,
    not_shown,
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
from oauth.exchange import Exchange, Step
from oauth.flow import Grant

OF_THE_PROFILE = "provider, documented scopes"
"""Source of the scopes that a call may need, if its response does not name them."""

NOT_SEPARATED = "The scopes cannot be distinguished: they are not separated correctly"

SEPARATORS = {",": "a comma", ";": "a semicolon", "+": "a plus sign", "|": "a bar", "\n": "a line break", "\t": "a tab"}
AROUND = "\"'[]()"


NEAR = 0.75
"""Similarity from which a scope is taken for a misspelt known one."""

LONGEST, MOST = 64, 20
"""The longest name that is compared, in characters, and the most names: a comparison takes the square of the length."""


@rule("scope.separators", "The scopes are not separated by single spaces", Weight.NAMED)
def separators(context: Context) -> Finding:
    """Check for a list of names separated by single spaces (RFC 6749 §3.3)."""
    scope = context.sent.value("scope")
    if not scope:
        return _no_scope(context, "The request has no scope")
    stray = _stray_separators(context)
    quoted = _quoted(context, scope)
    if not stray:
        separator = "spaces" if _separator(context) == " " else "the separator in the provider's profile"
        return ruled_out(right(f"Only {separator} between the scopes: {quoted}", "scope"))
    names = [name for name in re.split(r"[\s,;+|\"'\[\]()]+", scope) if name]
    after = _shown(context, names)
    by = "spaces" if _separator(context) == " " else f"'{_separator(context)}'"
    fix = put(context, "scope", quoted, after, f"Separate the scopes by {by}")
    text = f"{' and '.join(stray)} in {quoted}"
    if names and set(names) <= _known(context):
        return proven(
            wrong(text, "scope"), right(f"Split there, all names are known: {after}", "provider and history"), fix=fix
        )
    return possible(wrong(text, "scope"), fix=fix)


@rule("scope.letter_case", "A scope has the wrong letter case", Weight.NAMED)
def letter_case(context: Context) -> Finding:
    """Compare the scopes with known names, which are case-sensitive (RFC 6749 §3.3)."""
    names = _names(context, context.sent.value("scope"))
    if not names:
        return _no_scope(context, "The request has no scope")
    known = {name.lower(): name for name in _known(context)}
    off = {name: known[name.lower()] for name in names if name not in known.values() and name.lower() in known}
    if not known:
        return unknown("The valid scopes are unknown: no provider is selected, and none was granted before")
    if not off:
        return ruled_out(right("No scope differs from a known one only by letter case", "scope"))
    after = _shown(context, [off.get(name, name) for name in names])
    facts = [
        wrong(f"{_quoted(context, name)} was sent, but the name is {correct}", "scope") for name, correct in off.items()
    ]
    return proven(
        *facts,
        fix=put(context, "scope", _shown(context, names), after, "Correct the letter case of the scopes"),
    )


@rule("scope.never_granted", "The request asks for a scope that this client was never granted", Weight.ELIMINATED)
def never_granted(context: Context) -> Finding:
    """Find the refused scope by elimination: the others were granted before."""
    if _stray_separators(context):
        return unknown(NOT_SEPARATED, "scope")
    names = _meant(context)
    if not names:
        return _no_scope(context, "The request has no scope")
    if not context.past.reach:
        return unknown("The scopes granted to this client are unknown: no history was searched")
    granted = _granted(context)
    never = [name for name in names if name not in granted]
    if not never:
        return ruled_out(*(right(f"{name} was granted before", "history", granted[name]) for name in names))
    shown, rest = _quoted(context, ", ".join(never)), [name for name in names if name in granted]
    others = [name for name in sorted(_known(context) - set(names)) if len(name) <= LONGEST]
    short = [name for name in never[:MOST] if len(name) <= LONGEST]
    near = {name: close[0] for name in short if (close := get_close_matches(name, others, 1, NEAR))}
    fix = None
    if len(near) == len(never):
        # Without the scope, the token would lack what the person meant to ask for.
        after = _shown(context, dict.fromkeys(near.get(name, name) for name in names))
        fix = put(context, "scope", _shown(context, names), after, f"Correct {shown} to {', '.join(near.values())}")
    elif rest:
        fix = put(context, "scope", _shown(context, names), _shown(context, rest), f"Request the scope without {shown}")
    facts = [wrong(f"Never granted to this client {context.before.extent(context.client_id)}: {shown}", "history")]
    facts += [right(f"{name} was granted before", "history", granted[name]) for name in rest]
    if rest or (granted and len(names) == 1):
        return proven(*facts, fix=fix)
    return possible(
        *facts, open_fact("Nothing was granted to this client before, so the refused scope is unknown", "history")
    )


@rule("scope.taken_away", "The client was granted these scopes before, but no longer may have them", Weight.REPORTED)
def taken_away(context: Context) -> Finding:
    """Look for an earlier grant of all the scopes at once, in the same way."""
    names = _names(context, context.sent.value("scope"))
    granted = _granted(context)
    if not names:
        return _no_scope(context, "The request has no scope")
    if _stray_separators(context):
        return unknown(NOT_SEPARATED, "scope")
    if any(name not in granted for name in names):
        return ruled_out(open_fact("Not all of the scopes were granted before", "history"))
    if wider := _beyond_consent(context):
        return ruled_out(
            open_fact(f"{_quoted(context, ' '.join(wider))} exceeds the scope that this user authorized", "scope")
        )
    now = wrong("Now the provider refuses them", "response")
    together = _granted_together(context, names)
    facts = [right(f"{name} was granted before", "history", granted[name]) for name in dict.fromkeys(names)]
    if together is None:
        return possible(*facts, open_fact("As far as is known, never all at once and in this way", "history"), now)
    if context.step in (Step.TOKEN, Step.REFRESH) and context.grant in OF_A_USER and _consent(context) is None:
        return possible(*facts, open_fact("The scope that this user authorized is unknown", "history"), now)
    return proven(right(f"All were granted at once before: {context.row_text(together)}", "history", together.id), now)


@rule("scope.beyond_consent", "The request asks for more scope than the user authorized", Weight.NAMED)
def beyond_consent(context: Context) -> Finding:
    """Compare the scope with the authorized one: a token request may only narrow it (RFC 6749 §6)."""
    if _stray_separators(context):
        return unknown(NOT_SEPARATED, "scope")
    names = _meant(context)
    if not names:
        return _no_scope(context, "The request has no scope, so it cannot be too wide")
    authorized = _consent(context)
    if authorized is None:
        return unknown("The scope that the user authorized is unknown")
    consent, where, row = authorized
    wider = [name for name in names if name not in consent]
    if not wider:
        return ruled_out(right(f"The whole scope was authorized: {_quoted(context, ' '.join(consent))}", where, row))
    shown = _shown(context, wider)
    narrowed = [name for name in names if name in consent]
    fact = wrong(f"{shown} was not authorized; authorized: {_quoted(context, ' '.join(consent))}", where, row)
    title = "Request no more than was authorized"
    fix = put(context, "scope", _shown(context, names), _shown(context, narrowed or consent), title)
    if narrowed and context.grant == Grant.AUTHORIZATION_CODE:
        # A server may silently drop unauthorized scopes, as long as one remains.
        return possible(fact, fix=fix)
    return proven(fact, fix=fix)


@rule("scope.beyond_registration", "The request asks for more scope than this client is registered with", Weight.NAMED)
def beyond_registration(context: Context) -> Finding:
    """Compare the scope with that of the client's registration (RFC 7591 §2), or else listen to the server's words."""
    names = _meant(context)
    if not names:
        return _no_scope(context, "The request has no scope, so it cannot be too wide")
    if wider := _beyond_consent(context):
        return ruled_out(open_fact(f"{_shown(context, wider)} exceeds the scope that this user authorized", "scope"))
    registration = _registration(context)
    if registration is not None:
        registered = _names(context, parameters.member(registration.response, "scope"))
        where = f"registration: {context.row_text(registration)}"
        if wider := [name for name in names if name not in registered]:
            fact = wrong(
                f"Registered: {_shown(context, registered)}; not {_shown(context, wider)}", where, registration.id
            )
            after = _shown(context, [name for name in names if name in registered] or registered)
            title = "Request only registered scopes"
            return proven(fact, fix=put(context, "scope", _shown(context, names), after, title))
        return ruled_out(right(f"All are registered: {_shown(context, registered)}", where, registration.id))
    if Subject.SCOPE in subjects(context.description) and _OF_THE_CLIENT.search(context.description):
        return likely(wrong(f"The server says so of this client; requested: {_shown(context, names)}", "response"))
    return unknown("The scope that this client is registered with is unknown")


_OF_THE_CLIENT = re.compile(r"\b(?:client|application|app)\b", re.IGNORECASE)


@rule("scope.missing", "The request has no scope, and the server wants one", Weight.ELIMINATED)
def missing(context: Context) -> Finding:
    """Check for a scope, which a server without a default may want (RFC 6749 §3.3)."""
    if context.sent.value("scope"):
        return ruled_out(right("The request has a scope", "scope"))
    is_left_out = context.is_left_out("scope")
    if is_left_out is None:
        return not_shown("scope", "scope")
    supported = context.provider.scope if context.provider else ""
    needs = "" if supported else "a scope that the server's documentation names"
    fix = put(context, "scope", None if is_left_out else "", supported, "Request a scope", needs)
    return proven(
        wrong("The request has no scope" if is_left_out else "scope is sent without a value", "scope"), fix=fix
    )


def _registration(context: Context) -> Exchange | None:
    """Return the registration of this client, known by its members (RFC 7591 §3.2.1)."""
    secret = context.sent.value("client_secret") or (context.basic.secret if context.basic else "")
    rows = [*context.sightings(("client_secret",), secret), *context.before.rows]
    mine = (row for row in rows if parameters.member(row.response, "client_id") == context.client_id)
    return next((row for row in mine if parameters.member(row.response, "scope")), None)


WIDER: tuple[Rule, ...] = (beyond_registration, missing)
"""More rules for the scope of a refused authorization request, of servers other than the documented provider's."""

ASKED: tuple[Rule, ...] = (separators, letter_case, beyond_consent, never_granted, taken_away)
"""Rules for a refused scope."""


@rule_of_origin("access_token", "token.lacks_scope", "The token lacks a scope that this call needs", Weight.NAMED)
def lacks(context: Context, origin: Origin) -> Finding:
    """Compare the scope in the challenge, or in the provider's profile, with the granted one."""
    needed, where = _needed(context)
    if not needed:
        return unknown("The scope that the call needs is unknown: the response names none, and no provider is selected")
    granted = _names(context, origin.scope)
    if not granted:
        return unknown("The token's scope is unknown: the token response names none", origin.where)
    missing = [name for name in needed if name not in granted]
    shown = _quoted(context, origin.scope)
    if not missing:
        return ruled_out(right(f"The token has every required scope: {shown}", origin.where, origin.row))
    lacking = _shown(context, missing)
    # The profile lists useful scopes; only the response says which ones this call needs.
    conclude = possible if where == OF_THE_PROFILE else proven
    return conclude(
        wrong(f"Missing: {lacking}", origin.where, origin.row),
        open_fact(f"Granted: {shown}", origin.where, origin.row),
        open_fact(f"Required: {_quoted(context, ' '.join(needed))}", where),
        fix=_ask_wider(context, origin, needed),
    )


@rule_of_origin("access_token", "token.granted_less", "Less scope was granted than requested", Weight.NAMED)
def granted_less(context: Context, origin: Origin) -> Finding:
    """Compare the granted scope with the requested one: a server may grant less (RFC 6749 §3.3)."""
    requested = _names(context, origin.requested_scope or (context.authorization.parameters or {}).get("scope", ""))
    if not requested:
        return unknown("The requested scope is unknown", origin.where, origin.row)
    if not origin.scope:
        return unknown("The granted scope is unknown: the token response names none", origin.where)
    less = [name for name in requested if name not in _names(context, origin.scope)]
    if not less:
        return ruled_out(
            right(f"The whole requested scope was granted: {_quoted(context, origin.scope)}", origin.where, origin.row)
        )
    shown = _shown(context, less)
    return proven(
        wrong(
            f"Requested {_quoted(context, ' '.join(requested))}, granted {_quoted(context, origin.scope)}",
            origin.where,
            origin.row,
        ),
        fix=Fix(Label.START_AGAIN, f"Authorize again, and have the user grant {shown}", Step.AUTHORIZE),
    )


@rule_of_origin("access_token", "token.asked_too_little", "The missing scope was never requested", Weight.NAMED)
def asked_too_little(context: Context, origin: Origin) -> Finding:
    """Check whether the authorization or token request contained the missing scope."""
    needed, where = _needed(context)
    if not needed:
        return unknown("The scope that was requested for this token is unknown")
    requested = _names(context, origin.requested_scope or (context.authorization.parameters or {}).get("scope", ""))
    if not requested:
        return unknown("The scope that was requested for this token is unknown", origin.where, origin.row)
    missing = [name for name in needed if name not in requested]
    shown = _shown(context, requested)
    if not missing:
        return ruled_out(right(f"Every required scope was requested: {shown}", origin.where, origin.row))
    conclude = possible if where == OF_THE_PROFILE else proven
    return conclude(
        wrong(f"Requested {shown}, without {_quoted(context, ' '.join(missing))}", origin.where, origin.row),
        open_fact(f"Required: {_quoted(context, ' '.join(needed))}", where),
        fix=_ask_wider(context, origin, needed),
    )


TOKEN: tuple[Rule, ...] = (lacks, granted_less, asked_too_little)
"""Rules for a token that lacks a scope."""


def _no_scope(context: Context, text: str) -> Finding:
    """Return the finding about a request that shows no scope."""
    if context.is_left_out("scope") is None:
        return not_shown("scope", "scope")
    return ruled_out(open_fact(text, "scope"))


def _ask_wider(context: Context, origin: Origin, needed: Iterable[str]) -> Fix:
    before = origin.requested_scope or origin.scope
    wider = _shown(context, dict.fromkeys([*_names(context, before), *needed]))
    change = Change(Target.FIELD, "scope", _quoted(context, before), _quoted(context, wider))
    step = Step.TOKEN if origin.grant == Grant.CLIENT_CREDENTIALS else Step.AUTHORIZE
    return Fix(Label.START_AGAIN, f"Request {_quoted(context, wider)}", step, (change,))


def _needed(context: Context) -> tuple[list[str], str]:
    """Return the scopes that the call needs, from the challenge (RFC 6750 §3) or else from the profile."""
    response = context.exchange.response
    for name, value in response.headers if response else ():
        if name.lower() == "www-authenticate":
            for challenge in challenges.parse(value):
                if scope := challenge.parameters.get("scope", ""):
                    return scope.split(), "response header, WWW-Authenticate"
    if context.step is Step.USERINFO:
        return ["openid"], "OpenID Connect Core §5.3"
    provider = context.provider
    return (_names(context, provider.scope), OF_THE_PROFILE) if provider else ([], "")


def _granted(context: Context) -> dict[str, int | None]:
    """Return every scope that was granted to this client before, with its newest row."""
    return {name: row.id for row in context.successes_here for name in _names(context, _scope_of(context, row))}


def _scope_of(context: Context, row: Exchange) -> str:
    """Return the scope granted by a token response: the requested one when it names none (RFC 6749 §5.1)."""
    reading = context.readings.of(row)
    return reading.text("scope") or reading.sent.value("scope")


def _granted_together(context: Context, names: Iterable[str]) -> Exchange | None:
    """Return the newest success with all these scopes, for a user or an application like this request."""
    scopes, is_user = set(names), context.grant in OF_A_USER
    rows = [
        row
        for row in context.successes_here
        if scopes <= set(_names(context, _scope_of(context, row)))
        and (context.readings.of(row).sent.value("grant_type") in OF_A_USER) is is_user
    ]
    return rows[-1] if rows else None


def _known(context: Context) -> set[str]:
    return {*_names(context, context.provider.scope if context.provider else ""), *_granted(context)}


def _consent(context: Context) -> tuple[list[str], str, int | None] | None:
    """Return the scope authorized for the code or refresh token, and its source."""
    if context.grant == Grant.REFRESH_TOKEN:
        origin = context.origin("refresh_token", context.sent.value("refresh_token"))
        if origin is None:
            return None
        # A refresh may have narrowed the access token; the refresh token keeps the whole scope.
        readings = map(context.readings.of, context.before.rows)
        of_user = (reading for reading in readings if reading.sent.value("grant_type") in OF_A_USER)
        granted = [name for reading in of_user for name in _names(context, reading.text("scope"))]
        return list(dict.fromkeys([*_names(context, origin.scope), *granted])), origin.where, origin.row
    known = context.authorization
    if context.grant != Grant.AUTHORIZATION_CODE or known.parameters is None or not known.parameters.get("scope"):
        return None
    return _names(context, known.parameters["scope"]), f"{known.where}, scope", known.row


def _beyond_consent(context: Context) -> list[str]:
    consent = _consent(context)
    return [name for name in _meant(context) if name not in consent[0]] if consent else []


def _separator(context: Context) -> str:
    """Return this provider's scope separator: a space by RFC 6749 §3.3, but some use another one."""
    return (context.provider.scope_separator if context.provider else "") or " "


def _names(context: Context, text: str) -> list[str]:
    return context.provider.scopes(text) if context.provider else text.split()


def _stray_separators(context: Context) -> list[str]:
    """Name the characters between or around the scopes that a server reads as a part of their names."""
    scope = context.sent.value("scope")
    names = [words for sign, words in SEPARATORS.items() if sign in scope and sign != _separator(context)]
    return names + ["quotes or brackets"] * any(sign in scope for sign in AROUND)


def _meant(context: Context) -> list[str]:
    """Return the scopes in the request in their known letter case, for the case is a cause of its own."""
    known = {name.lower(): name for name in _known(context)}
    return [known.get(name.lower(), name) for name in _names(context, context.sent.value("scope"))]


def _shown(context: Context, names: Iterable[str]) -> str:
    return _quoted(context, _separator(context).join(names))


def _quoted(context: Context, text: str) -> str:
    return context.secrets.swept(text)
