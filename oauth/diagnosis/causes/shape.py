"""A code or token that differs from the issued one: truncated, padded, encoded twice, or another value.

The rules are made for each kind of value, which their texts name.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from oauth import parameters
from oauth.diagnosis.causes.fixes import changed, put
from oauth.diagnosis.causes.rule import Finding, Rule, likely, no_value, possible, proven, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Known
from oauth.diagnosis.model import Change, Fix, Target, open_fact, right, wrong
from oauth.diagnosis.secrets import SECRET_NAMES
from oauth.exchange import Exchange, Step
from oauth.flow import secrets_of
from oauth.parameters import Sent
from oauth.redaction.placeholders import PLACEHOLDER, is_live, length, parse

ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
QUOTES = "\"'`“”‘’«»"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
SHORTEST_PART = 4
"""Minimum length of a value that counts as a part of another one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: the name of its parameter, and its name in texts."""

    name: str
    words: str


CODE = Kind("code", "code")
REFRESH_TOKEN = Kind("refresh_token", "refresh token")
ACCESS_TOKEN = Kind("access_token", "access token")
WORDS = {kind.name: kind.words for kind in (CODE, REFRESH_TOKEN, ACCESS_TOKEN)} | {
    "id_token": "ID token",
    "state": "state",
    "client_secret": "client secret",
}


def altered(kind: Kind) -> tuple[Rule, ...]:
    """Return the rules about the value itself."""
    return (cut(kind), padded(kind), encoded_twice(kind), mistaken(kind), another(kind))


def cut(kind: Kind) -> Rule:
    """Return the rule for a part of the issued value."""

    def judge(context: Context, sent: Sent, known: Sequence[Known]) -> Finding:
        size = length(sent.value)
        for issued in known:
            if size >= issued.length:
                continue
            part = _part(sent.value, issued.value)
            text = f"{size} of {issued.length} characters were sent"
            if part:
                return proven(wrong(f"{text}: {part}", _place(sent), issued.row), fix=_use(context, kind, sent, issued))
            if not (is_live(sent.value) and is_live(issued.value)):
                return possible(
                    wrong(f"{text}; redaction hides whether they are a part of it", _place(sent), issued.row),
                    fix=_use(context, kind, sent, issued),
                )
        if not known:
            return unknown(f"The issued {kind.words} is unknown, so the length cannot be compared")
        return ruled_out(
            right(f"The {kind.words} is not shorter than the issued one: {size} characters", context.place_of(known[0]))
        )

    return _rule(kind, "cut", f"The {kind.words} was truncated", judge)


def padded(kind: Kind) -> Rule:
    """Return the rule for whitespace, quotes or the rest of a URL around the value."""

    def judge(context: Context, sent: Sent, known: Sequence[Known]) -> Finding:
        value = sent.value
        around = stray_text(value)
        for issued in known:
            # A percent-encoded value can contain the issued one; that is another cause.
            if _contains(value, issued.value) and unquote(value) != issued.value:
                before, _, after = value.partition(issued.value)
                facts = [around] if around else []
                if not facts:
                    facts = [
                        f"{len(text)} more characters {where} it"
                        for text, where in ((before, "before"), (after, "after"))
                        if text
                    ]
                return proven(wrong("; ".join(facts), _place(sent), issued.row), fix=_use(context, kind, sent, issued))
        if around:
            stripped = bare(value)
            fix = None
            if is_live(stripped) and stripped:
                after = context.secrets.offered(kind.name, stripped)
                fix = _put(context, kind, sent, after, "Send it without the extra characters")
            rows = context.sightings((kind.name,), stripped)
            if rows or (parse(stripped) and parse(stripped) != parse(value)):
                return proven(wrong(around, _place(sent), rows[0].id if rows else None), fix=fix)
            return possible(wrong(around, _place(sent)), fix=fix)
        if not is_live(value):
            return unknown("Redaction hides characters around it", _place(sent))
        return ruled_out(right(f"No whitespace or quotes around the {kind.words}", _place(sent)))

    return _rule(kind, "padded", f"Extra characters were sent around the {kind.words}", judge)


def encoded_twice(kind: Kind) -> Rule:
    """Return the rule for percent-encoding that is left after the server has decoded the request."""

    def judge(context: Context, sent: Sent, known: Sequence[Known]) -> Finding:
        value = sent.value
        if not is_live(value):
            return unknown("Redaction hides percent-encoding", _place(sent))
        signs = len(ENCODED.findall(value))
        if not signs:
            return ruled_out(right(f"The {kind.words} contains no percent-encoded character", _place(sent)))
        text = f"{signs} percent-encoded characters are left in it after the request is decoded"
        decoded = unquote(value)
        match = next((item for item in known if context.secrets.same_as(kind.name, decoded, item)), None)
        if match is not None:
            return proven(
                wrong(text, _place(sent)),
                wrong(f"Decoded once more, it is the issued {kind.words}", context.place_of(match), match.row),
                fix=_use(context, kind, sent, match),
            )
        fix = _put(context, kind, sent, context.secrets.offered(kind.name, decoded), "Send it decoded")
        return possible(wrong(text, _place(sent)), fix=fix)

    return _rule(kind, "encoded_twice", f"The {kind.words} was percent-encoded twice", judge)


def mistaken(kind: Kind) -> Rule:
    """Return the rule for another secret in place of the value."""

    def judge(context: Context, sent: Sent, known: Sequence[Known]) -> Finding:
        fix = _use(context, kind, sent, known[0]) if known else None
        for name, value, where in _others(context, kind):
            if context.secrets.same(name, sent.value, value):
                return proven(
                    wrong(f"The value is the {WORDS[name]}: {context.secrets.quoted(name, value)}", where), fix=fix
                )
        placeholder = parse(sent.value)
        names = [placeholder.kind] if placeholder and placeholder.kind else [*SECRET_NAMES, "id_token"]
        names = [name for name in names if name in WORDS and name != kind.name]
        for name in names if context.sightings(tuple(names), sent.value) else ():  # mostly it was seen as none of them
            # A value that a person once typed as a token proves nothing: it takes a response that issued it.
            for row in context.sightings((name,), sent.value):
                if not (row.step is Step.CALLBACK or parameters.succeeded(row)):
                    continue
                text = f"The value is the {WORDS[name]} {context.secrets.quoted(name, sent.value)}"
                return proven(wrong(text, context.row_text(row), row.id), fix=fix)
        known_kind = placeholder.kind if placeholder else context.vault.kind_of(sent.value) if context.vault else None
        if known_kind in WORDS and known_kind != kind.name:
            return possible(wrong(f"The value was used as {_article(WORDS[known_kind])} before", _place(sent)), fix=fix)
        if any(context.secrets.same_as(kind.name, sent.value, item) for item in known):
            text = f"The {kind.words} is not another secret: it is the issued one"
            return ruled_out(right(text, context.place_of(known[0]), known[0].row))
        if is_live(sent.value) and (context.flow is not None or context.vault is not None):
            return unknown("It is not a secret that this console knows; it may be another program's", _place(sent))
        return unknown("No other secret is known to compare it with", _place(sent))

    return _rule(kind, "mistaken", f"Something else was sent in place of the {kind.words}", judge)


def another(kind: Kind) -> Rule:
    """Return the rule for a value that was not issued to this flow."""

    def judge(context: Context, sent: Sent, known: Sequence[Known]) -> Finding:
        if not known:
            return _never_seen(context, kind, sent)
        matches = [context.secrets.same_as(kind.name, sent.value, item) for item in known]
        shown = context.secrets.quoted(kind.name, sent.value)
        if any(matches):
            match = known[matches.index(True)]
            return ruled_out(right(f"The {kind.words} is the issued one: {shown}", context.place_of(match), match.row))
        if None in matches:
            return unknown(f"Redaction hides whether it is the issued {kind.words}", _place(sent))
        fact = f"Sent {shown}; issued was {context.secrets.quoted(kind.name, known[0].value)}"
        # A value that another flow was issued may be good, and a redacted one may be a part of the issued one.
        is_comparable = is_live(sent.value) and all(item.is_live for item in known)
        is_foreign = is_comparable and context.past.reach and not _issuing(context, kind, sent)
        conclude = likely if is_foreign else possible
        return conclude(wrong(fact, context.place_of(known[0]), known[0].row), fix=_use(context, kind, sent, known[0]))

    return _rule(kind, "another", f"The {kind.words} is not the one issued to this flow", judge)


def _never_seen(context: Context, kind: Kind, sent: Sent) -> Finding:
    """Look for the exchange that issued a value, where the flow does not know it."""
    if not context.past.reach or not context.secrets.fingerprints((kind.name,), sent.value):
        return unknown(f"The {kind.words} issued to this flow is unknown")
    if issued := _issuing(context, kind, sent):
        return ruled_out(right(f"It was issued: {context.row_text(issued[0])}", "history", issued[0].id))
    text = f"No response or callback among the newest {context.past.reach:,} rows contains this {kind.words}"
    # Of a flow of this console the history knows what it was issued; a customer's has been elsewhere before.
    is_of_flow = context.flow is not None and context.explanation is not None and is_live(sent.value)
    return (likely if is_of_flow else possible)(open_fact(text, "history"))


def _issuing(context: Context, kind: Kind, sent: Sent) -> list[Exchange]:
    return [
        row
        for row in context.sightings((kind.name,), sent.value)
        if row.step is Step.CALLBACK or (row.step in (Step.TOKEN, Step.REFRESH) and parameters.succeeded(row))
    ]


def stray_text(value: str) -> str:
    """Describe the whitespace and quotes around a value; empty without any."""
    facts = []
    core = value.strip().strip(INVISIBLE)
    lead, trail = len(value) - len(value.lstrip().lstrip(INVISIBLE)), len(value) - len(value.rstrip().rstrip(INVISIBLE))
    if core:
        if lead:
            facts.append(f"{_count(lead, 'whitespace character')} before it")
        if trail:
            facts.append(f"{_count(trail, 'whitespace character')} after it")
    if len(core) > 1 and core[0] in QUOTES and parse(core) is None:
        facts.append("a quote before it")
    if len(core) > 1 and core[-1] in QUOTES and parse(core) is None:
        facts.append("a quote after it")
    return ", ".join(facts)


def bare(value: str) -> str:
    """Strip whitespace and quotes from a value."""
    core = value.strip().strip(INVISIBLE)
    hidden = PLACEHOLDER.search(core)
    if hidden and not (core[: hidden.start()] + core[hidden.end() :]).strip(QUOTES + " "):
        return hidden[0]
    return core.strip(QUOTES).strip()


def _article(thing: str) -> str:
    return f"{'an' if thing[0].lower() in 'aeiou' else 'a'} {thing}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _rule(kind: Kind, name: str, title: str, judge: Callable[[Context, Sent, Sequence[Known]], Finding]) -> Rule:
    """Make a rule of a function of the value in the request and the known ones."""

    def judge_value(context: Context) -> Finding:
        sent = context.presented(kind.name)
        if sent is None or not sent.value:
            return no_value(context, kind.name)
        return judge(context, sent, context.resolved(kind.name))

    return Rule(f"{kind.name}.{name}", title, judge_value)


def _others(context: Context, kind: Kind) -> list[tuple[str, str, str]]:
    """Return kind, value and place of the flow's other secrets."""
    places = {"state": "flow, state", "client_secret": "flow, client secret", "code": "flow, callback"}
    return [
        (name, value, places.get(name, "flow, token response"))
        for name, value in (secrets_of(context.flow) if context.flow else ())
        if value and name in WORDS and name != kind.name
    ]


def _contains(value: str, part: str) -> bool:
    return part in value and part != value and len(part) >= SHORTEST_PART and is_live(part)


def _part(part: str, whole: str) -> str:
    if not (is_live(part) and is_live(whole)) or len(part) < SHORTEST_PART:
        return ""
    if whole.startswith(part):
        return "the beginning of it"
    return "the end of it" if whole.endswith(part) else "a part of its middle" if part in whole else ""


def _place(sent: Sent) -> str:
    return f"{sent.place}, {sent.name}"


def _use(context: Context, kind: Kind, sent: Sent, known: Known) -> Fix:
    return _put(context, kind, sent, context.secrets.offered(kind.name, known.value), f"Send the issued {kind.words}")


def _put(context: Context, kind: Kind, sent: Sent, after: str, title: str) -> Fix:
    before = context.secrets.quoted(kind.name, sent.value)
    if kind is ACCESS_TOKEN:
        return changed(context, title, Change(Target.HEADER, "Authorization", f"Bearer {before}", f"Bearer {after}"))
    return put(context, kind.name, before, after, title)
