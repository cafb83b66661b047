"""The scope that was asked for, and the scope that a token has (RFC 6749 §3.3, RFC 6750 §3.1)."""

import re
from collections.abc import Iterable

from oauth import parameters
from oauth.catalogue import challenges
from oauth.diagnosis.before import OF_A_USER
from oauth.diagnosis.causes.fixes import put
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
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Origin
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.exchange import Exchange, Step
from oauth.flow import Grant

OF_THE_PROFILE = "provider, documented scopes"
"""The place of what a call may need, where its answer does not say."""

RUN_TOGETHER = "Which scopes are meant cannot be told: they are not separated as they should be"

SEPARATORS = {",": "a comma", ";": "a semicolon", "+": "a plus sign", "|": "a bar", "\n": "a line break", "\t": "a tab"}
AROUND = "\"'[]()"


@rule("scope.separators", "The scopes are not separated by single spaces")
def separators(context: Context) -> Finding:
    """RFC 6749 §3.3: a list of names with one space between them."""
    scope = context.sent.value("scope")
    if not scope:
        return ruled_out(open_fact("No scope was sent", "scope"))
    found = _run_together(context)
    quoted = _quoted(context, scope)
    if not found:
        own = "Only spaces stand" if _separator(context) == " " else "What the provider's profile says stands"
        return ruled_out(right(f"{own} between the scopes: {quoted}", "scope"))
    names = [name for name in re.split(r"[\s,;+|\"'\[\]()]+", scope) if name]
    after = _shown(context, names)
    by = "spaces" if _separator(context) == " " else f"'{_separator(context)}'"
    fix = put(context, "scope", quoted, after, f"Separate the scopes by {by}")
    text = f"{' and '.join(found)} in {quoted}"
    if names and set(names) <= _known(context):
        return proven(
            wrong(text, "scope"), right(f"Split there, every name is known: {after}", "provider and history"), fix=fix
        )
    return possible(wrong(text, "scope"), fix=fix)


@rule("scope.letter_case", "A scope has the wrong letter case")
def letter_case(context: Context) -> Finding:
    """Scope names are case-sensitive (RFC 6749 §3.3)."""
    names = _names(context, context.sent.value("scope"))
    if not names:
        return ruled_out(open_fact("No scope was sent", "scope"))
    known = {name.lower(): name for name in _known(context)}
    off = {name: known[name.lower()] for name in names if name not in known.values() and name.lower() in known}
    if not known:
        return unknown("Which scopes there are is not known: no provider is chosen, and nothing was granted before")
    if not off:
        return ruled_out(right("No scope differs from a known one by letter case alone", "scope"))
    after = _shown(context, [off.get(name, name) for name in names])
    facts = [
        wrong(f"{_quoted(context, name)} was sent, {right_one} is the name", "scope") for name, right_one in off.items()
    ]
    return proven(
        *facts,
        fix=put(context, "scope", _shown(context, names), after, "Write the scopes as they are named"),
    )


@rule("scope.never_granted", "The request asks for a scope that this client was never granted")
def never_granted(context: Context) -> Finding:
    """By elimination: the others were granted before, and one of those asked is refused."""
    if _run_together(context):
        return unknown(RUN_TOGETHER, "scope")
    names = _meant(context)
    if not names:
        return unknown("No scope was sent")
    if not context.past.reach:
        return unknown("No earlier exchange is known, so what was granted to this client is not known")
    granted = _granted(context)
    never = [name for name in names if name not in granted]
    if not never:
        return ruled_out(*(right(f"{name} was granted before", "history", granted[name]) for name in names))
    shown, rest = _quoted(context, ", ".join(never)), [name for name in names if name in granted]
    fix = None
    if rest:
        fix = put(context, "scope", _shown(context, names), _shown(context, rest), f"Ask without {shown}")
    facts = [wrong(f"Never granted to this client {context.before.extent(context.client_id)}: {shown}", "history")]
    facts += [right(f"{name} was granted before", "history", granted[name]) for name in rest]
    if rest or (granted and len(names) == 1):
        return proven(*facts, fix=fix)
    return possible(
        *facts, open_fact("Nothing was granted to this client before, so which of them it is cannot be told", "history")
    )


@rule("scope.taken_away", "The client was granted these scopes before, but no longer may have them")
def taken_away(context: Context) -> Finding:
    """All of them were granted at once, in the same way, and now the provider refuses."""
    names = _names(context, context.sent.value("scope"))
    granted = _granted(context)
    if not names:
        return unknown("No scope was sent")
    if _run_together(context):
        return unknown(RUN_TOGETHER, "scope")
    if any(name not in granted for name in names):
        return ruled_out(open_fact("Not all of the scopes were granted before", "history"))
    if wider := _beyond_consent(context):
        return ruled_out(
            open_fact(f"{_quoted(context, ' '.join(wider))} goes beyond what this user authorized", "scope")
        )
    now = wrong("The provider refuses them now", "response")
    together = _granted_together(context, names)
    facts = [right(f"{name} was granted before", "history", granted[name]) for name in dict.fromkeys(names)]
    if together is None:
        return possible(*facts, open_fact("Never all at once, and in this way, as far as is known", "history"), now)
    if context.step in (Step.TOKEN, Step.REFRESH) and context.grant in OF_A_USER and _consent(context) is None:
        return possible(*facts, open_fact("What this user authorized is not known", "history"), now)
    return proven(right(f"All were granted at once before: {context.row_text(together)}", "history", together.id), now)


@rule("scope.beyond_consent", "The request asks for more scope than the user authorized")
def beyond_consent(context: Context) -> Finding:
    """The token request may narrow the scope, and never widen it (RFC 6749 §6)."""
    if _run_together(context):
        return unknown(RUN_TOGETHER, "scope")
    names = _meant(context)
    if not names:
        return ruled_out(open_fact("No scope was sent, so none can be too wide", "scope"))
    found = _consent(context)
    if found is None:
        return unknown("What the user authorized is not known")
    consent, where, row = found
    wider = [name for name in names if name not in consent]
    if not wider:
        return ruled_out(right(f"All of it was authorized: {_quoted(context, ' '.join(consent))}", where, row))
    shown = _shown(context, wider)
    kept = [name for name in names if name in consent]
    fact = wrong(f"{shown} was not authorized; what was: {_quoted(context, ' '.join(consent))}", where, row)
    title = "Ask for no more than was authorized"
    fix = put(context, "scope", _shown(context, names), _shown(context, kept or consent), title)
    if kept and context.grant == Grant.AUTHORIZATION_CODE:
        # Servers may just leave out what was not authorized, as long as something remains.
        return possible(fact, fix=fix)
    return proven(fact, fix=fix)


ASKED: tuple[Rule, ...] = (separators, letter_case, beyond_consent, never_granted, taken_away)
"""The rules for a scope that is refused."""


@rule("token.lacks_scope", "The token lacks a scope that this call needs")
def lacks(context: Context) -> Finding:
    """What the challenge or the provider names, against what was granted."""
    origin = context.origin("access_token", context.bearer)
    if origin is None:
        return unknown("Which scopes the token has is not known: no token answer is known that gave it")
    needed, where = _needed(context)
    if not needed:
        return unknown("Which scopes the call needs is not known: the answer names none, and no provider is chosen")
    granted = _names(context, origin.scope)
    if not granted:
        return unknown("Which scopes the token has is not known: the answer that gave it names none", origin.where)
    missing = [name for name in needed if name not in granted]
    shown = _quoted(context, origin.scope)
    if not missing:
        return ruled_out(right(f"The token has every scope needed: {shown}", origin.where, origin.row))
    lacked = _shown(context, missing)
    # A profile says what is worth asking for, and the answer what this call needs.
    sure = possible if where == OF_THE_PROFILE else proven
    return sure(
        wrong(f"Missing: {lacked}", origin.where, origin.row),
        open_fact(f"Granted {shown}", origin.where, origin.row),
        open_fact(f"Needed {_quoted(context, ' '.join(needed))}", where),
        fix=_ask_wider(context, origin, needed),
    )


@rule("token.granted_less", "Less scope was granted than requested")
def granted_less(context: Context) -> Finding:
    """RFC 6749 §3.3: the server may grant less, and says so in its answer."""
    origin = context.origin("access_token", context.bearer)
    if origin is None:
        return unknown("What was granted is not known: no token answer is known that gave this token")
    asked = _names(context, origin.asked_scope or (context.authorization.asked or {}).get("scope", ""))
    if not asked:
        return unknown("What was asked for is not known", origin.where, origin.row)
    if not origin.scope:
        return unknown("What was granted is not known: the answer that gave the token names no scope", origin.where)
    less = [name for name in asked if name not in _names(context, origin.scope)]
    if not less:
        return ruled_out(
            right(f"All that was asked was granted: {_quoted(context, origin.scope)}", origin.where, origin.row)
        )
    shown = _shown(context, less)
    return proven(
        wrong(
            f"Asked {_quoted(context, ' '.join(asked))}, granted {_quoted(context, origin.scope)}",
            origin.where,
            origin.row,
        ),
        fix=Fix(Label.START_AGAIN, f"Authorize again, and have {shown} granted", Step.AUTHORIZE),
    )


@rule("token.asked_too_little", "The missing scope was never requested")
def asked_too_little(context: Context) -> Finding:
    """Neither in the authorization nor in the token request."""
    origin = context.origin("access_token", context.bearer)
    needed, where = _needed(context)
    if origin is None or not needed:
        return unknown("What was asked for when the token was given is not known")
    asked = _names(context, origin.asked_scope or (context.authorization.asked or {}).get("scope", ""))
    if not asked:
        return unknown("What was asked for when the token was given is not known", origin.where, origin.row)
    missing = [name for name in needed if name not in asked]
    shown = _shown(context, asked)
    if not missing:
        return ruled_out(right(f"Everything needed was asked for: {shown}", origin.where, origin.row))
    sure = possible if where == OF_THE_PROFILE else proven
    return sure(
        wrong(f"Asked {shown}, without {_quoted(context, ' '.join(missing))}", origin.where, origin.row),
        open_fact(f"Needed {_quoted(context, ' '.join(needed))}", where),
        fix=_ask_wider(context, origin, needed),
    )


TOKEN: tuple[Rule, ...] = (lacks, granted_less, asked_too_little)
"""The rules for a token that lacks a scope."""


def _ask_wider(context: Context, origin: Origin, needed: Iterable[str]) -> Fix:
    before = origin.asked_scope or origin.scope
    wanted = _shown(context, dict.fromkeys([*_names(context, before), *needed]))
    change = Change(Target.FIELD, "scope", _quoted(context, before), _quoted(context, wanted))
    step = Step.TOKEN if origin.grant == Grant.CLIENT_CREDENTIALS else Step.AUTHORIZE
    return Fix(Label.START_AGAIN, f"Ask for {_quoted(context, wanted)}", step, (change,))


def _needed(context: Context) -> tuple[list[str], str]:
    """The scopes the call needs: as the challenge names them (RFC 6750 §3), or else what the provider documents."""
    response = context.exchange.response
    for name, value in response.headers if response else ():
        if name.lower() == "www-authenticate":
            for challenge in challenges.parse(value):
                if scope := challenge.parameters.get("scope", ""):
                    return scope.split(), "response header, WWW-Authenticate"
    provider = context.provider
    return (_names(context, provider.scope), OF_THE_PROFILE) if provider else ([], "")


def _granted(context: Context) -> dict[str, int | None]:
    """Every scope that was granted to this client before, with the newest row that says so."""
    found: dict[str, int | None] = {}
    for row in context.successes_here:
        for name in _names(context, _given(row)):
            found[name] = row.id
    return found


def _given(row: Exchange) -> str:
    """The scope that a token answer gave (RFC 6749 §5.1: what was asked for when it names none)."""
    return parameters.member(row.response, "scope") or parameters.read(row.request).value("scope")


def _granted_together(context: Context, names: Iterable[str]) -> Exchange | None:
    """The newest success that had all these scopes, for a user or the application as this request is."""
    wanted, of_a_user = set(names), context.grant in OF_A_USER
    found = [
        row
        for row in context.successes_here
        if wanted <= set(_names(context, _given(row))) and (parameters.grant_of(row) in OF_A_USER) is of_a_user
    ]
    return found[-1] if found else None


def _known(context: Context) -> set[str]:
    return {*_names(context, context.provider.scope if context.provider else ""), *_granted(context)}


def _consent(context: Context) -> tuple[list[str], str, int | None] | None:
    """The scope that code or refresh token stand for, and where that is written."""
    if context.grant == Grant.REFRESH_TOKEN:
        origin = context.origin("refresh_token", context.sent.value("refresh_token"))
        if origin is None:
            return None
        # A refresh may have narrowed the access token; the refresh token still stands for all of it.
        granted = [
            name
            for row in context.before.rows
            if parameters.grant_of(row) in OF_A_USER
            for name in _names(context, parameters.member(row.response, "scope"))
        ]
        return list(dict.fromkeys([*_names(context, origin.scope), *granted])), origin.where, origin.row
    known = context.authorization
    if context.grant != Grant.AUTHORIZATION_CODE or known.asked is None or not known.asked.get("scope"):
        return None
    return _names(context, known.asked["scope"]), f"{known.where}, scope", known.row


def _beyond_consent(context: Context) -> list[str]:
    consent = _consent(context)
    return [name for name in _meant(context) if name not in consent[0]] if consent else []


def _separator(context: Context) -> str:
    """What this provider wants between two scopes: RFC 6749 §3.3 says a space, and some have another sign."""
    return (context.provider.scope_separator if context.provider else "") or " "


def _names(context: Context, text: str) -> list[str]:
    return context.provider.scopes(text) if context.provider else text.split()


def _run_together(context: Context) -> list[str]:
    """What stands between the scopes, or around them, that a server takes for a part of their names; in words."""
    scope = context.sent.value("scope")
    found = [words for sign, words in SEPARATORS.items() if sign in scope and sign != _separator(context)]
    return found + ["quotes or brackets"] * any(sign in scope for sign in AROUND)


def _meant(context: Context) -> list[str]:
    """The scopes that were sent, each in the letter case that it is known by: the case is a cause of its own."""
    known = {name.lower(): name for name in _known(context)}
    return [known.get(name.lower(), name) for name in _names(context, context.sent.value("scope"))]


def _shown(context: Context, names: Iterable[str]) -> str:
    return _quoted(context, _separator(context).join(names))


def _quoted(context: Context, text: str) -> str:
    return context.secrets.swept(text)
