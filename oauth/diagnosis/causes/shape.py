"""A code or token that is not the one that was given out: cut short, something around it, encoded twice, mistaken.

Made for each of them: the sentences say which.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from oauth.diagnosis.causes.fixes import put
from oauth.diagnosis.causes.rule import Finding, Rule, possible, proven, right, ruled_out, unknown, wrong
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Known
from oauth.diagnosis.model import Change, Fix, Label, Target
from oauth.diagnosis.secrets import SECRET_NAMES
from oauth.parameters import Sent
from oauth.redaction.placeholders import PLACEHOLDER, is_live, parse

ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
QUOTES = "\"'`“”‘’«»"
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
SHORTEST_PART = 4
"""Characters that two values must share before one is called a part of the other."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A thing that is presented: its parameter's name, and how sentences call it."""

    name: str
    words: str


CODE = Kind("code", "code")
REFRESH_TOKEN = Kind("refresh_token", "refresh token")
ACCESS_TOKEN = Kind("access_token", "access token")
WORDS = {kind.name: kind.words for kind in (CODE, REFRESH_TOKEN, ACCESS_TOKEN)} | {
    "state": "state",
    "client_secret": "client secret",
}


def altered(kind: Kind) -> tuple[Rule, ...]:
    """The rules about the value itself."""
    return (cut(kind), padded(kind), encoded_twice(kind), mistaken(kind), another(kind))


def cut(kind: Kind) -> Rule:
    """A part of the right one."""

    def judge(context: Context) -> Finding:
        sent, known, early = _pair(context, kind)
        if early or sent is None:
            return early or unknown(f"No {kind.words} was sent")
        length = context.secrets.length(sent.value)
        for right_one in known:
            whole = context.secrets.length(right_one.value)
            if length >= whole:
                continue
            shared = _shared(sent.value, right_one.value)
            text = f"{length} of {whole} characters were sent"
            if shared:
                return proven(
                    wrong(f"{text}, {shared}", _place(sent), right_one.row), fix=_use(context, kind, sent, right_one)
                )
            if not (is_live(sent.value) and is_live(right_one.value)):
                return possible(
                    wrong(f"{text}; redaction hides whether they are its part", _place(sent), right_one.row),
                    fix=_use(context, kind, sent, right_one),
                )
        if not known:
            return unknown(f"The {kind.words} that was given out is not known, so the length cannot be compared")
        return ruled_out(
            right(
                f"The {kind.words} is not shorter than the one that was given out: {length} characters", known[0].where
            )
        )

    return Rule(f"{kind.name}.cut", f"The {kind.words} was truncated", judge)


def padded(kind: Kind) -> Rule:
    """White space, quotes or the rest of an address around it."""

    def judge(context: Context) -> Finding:
        sent, known, early = _pair(context, kind)
        if early or sent is None:
            return early or unknown(f"No {kind.words} was sent")
        value = sent.value
        around = stray_text(value)
        for right_one in known:
            # The hex digit of an encoded character can be that character, which is another cause.
            if _contains(value, right_one.value) and unquote(value) != right_one.value:
                before, _, after = value.partition(right_one.value)
                facts = [stray_text(value)] if stray_text(value) else []
                if not facts:
                    facts = [
                        f"{len(text)} more characters {where} it"
                        for text, where in ((before, "before"), (after, "after"))
                        if text
                    ]
                return proven(
                    wrong("; ".join(facts), _place(sent), right_one.row), fix=_use(context, kind, sent, right_one)
                )
        if around:
            stripped = bare(value)
            fix = None
            if is_live(stripped) and stripped:
                fix = _put(
                    context,
                    kind,
                    sent,
                    context.secrets.offered(kind.name, stripped),
                    "Send it without what is around it",
                )
            seen = context.sightings((kind.name,), stripped)
            if seen or (parse(stripped) and parse(stripped) != parse(value)):
                return proven(wrong(around, _place(sent), seen[0].id if seen else None), fix=fix)
            return possible(wrong(around, _place(sent)), fix=fix)
        if not is_live(value):
            return unknown("Redaction hides whether anything stands around it", _place(sent))
        return ruled_out(right(f"No white space and no quotes around the {kind.words}", _place(sent)))

    return Rule(f"{kind.name}.padded", f"Extra characters were sent around the {kind.words}", judge)


def encoded_twice(kind: Kind) -> Rule:
    """Percent-encoding that the server does not undo, because it undid its own already."""

    def judge(context: Context) -> Finding:
        sent, known, early = _pair(context, kind)
        if early or sent is None:
            return early or unknown(f"No {kind.words} was sent")
        value = sent.value
        if not is_live(value):
            return unknown("Redaction hides whether it is percent-encoded", _place(sent))
        signs = len(ENCODED.findall(value))
        if not signs:
            return ruled_out(right(f"The {kind.words} has no percent sign with two hex digits", _place(sent)))
        text = f"{signs} percent-encoded characters are left in it after the request was decoded"
        decoded = unquote(value)
        match = next((item for item in known if context.secrets.same(kind.name, decoded, item.value)), None)
        if match is not None:
            return proven(
                wrong(text, _place(sent)),
                wrong(f"Decoded once more it is the {kind.words} that was given out", match.where, match.row),
                fix=_use(context, kind, sent, match),
            )
        fix = _put(context, kind, sent, context.secrets.offered(kind.name, decoded), "Send it decoded")
        return possible(wrong(text, _place(sent)), fix=fix)

    return Rule(f"{kind.name}.encoded_twice", f"The {kind.words} was percent-encoded twice", judge)


def mistaken(kind: Kind) -> Rule:
    """Another secret of the flow in its place."""

    def judge(context: Context) -> Finding:
        sent, known, early = _pair(context, kind)
        if early or sent is None:
            return early or unknown(f"No {kind.words} was sent")
        fix = _use(context, kind, sent, known[0]) if known else None
        for name, value, where in _others(context, kind):
            if context.secrets.same(name, sent.value, value):
                return proven(
                    wrong(f"What was sent is the {WORDS[name]}: {context.secrets.quoted(name, value)}", where), fix=fix
                )
        found = parse(sent.value)
        told = found.kind if found else (context.vault.kind_of(sent.value) if context.vault else None)
        if told in WORDS and told != kind.name:
            return proven(wrong(f"What was sent is known as a {WORDS[told]}", _place(sent)), fix=fix)
        for name in (name for name in SECRET_NAMES if name != kind.name and not found):
            for row in context.sightings((name,), sent.value):
                text = f"What was sent is the {WORDS[name]} {context.secrets.quoted(name, sent.value)}"
                return proven(wrong(text, context.row_text(row), row.id), fix=fix)
        if _is_one_of(context, kind, sent, known):
            return ruled_out(
                right(
                    f"The {kind.words} is no other secret: it is the one that was given out",
                    known[0].where,
                    known[0].row,
                )
            )
        if is_live(sent.value) and (context.flow is not None or context.vault is not None):
            return unknown(
                "It is no other secret that this console knows of; another program's may be it", _place(sent)
            )
        return unknown("No other secret is known to compare it with", _place(sent))

    return Rule(f"{kind.name}.mistaken", f"Something else was sent in place of the {kind.words}", judge)


def another(kind: Kind) -> Rule:
    """Not the one that this flow was given."""

    def judge(context: Context) -> Finding:
        sent, known, early = _pair(context, kind)
        if early or sent is None:
            return early or unknown(f"No {kind.words} was sent")
        if not known:
            return unknown(f"The {kind.words} that this flow was given is not known")
        answers = [context.secrets.same(kind.name, sent.value, item.value) for item in known]
        shown = context.secrets.quoted(kind.name, sent.value)
        if any(answers):
            match = known[answers.index(True)]
            return ruled_out(right(f"The {kind.words} is the one that was given out: {shown}", match.where, match.row))
        if None in answers:
            return unknown(f"Redaction hides whether it is the {kind.words} that was given out", _place(sent))
        return possible(
            wrong(
                f"What was sent, {shown}, is not what came: {context.secrets.quoted(kind.name, known[0].value)}",
                known[0].where,
                known[0].row,
            ),
            fix=_use(context, kind, sent, known[0]),
        )

    return Rule(f"{kind.name}.another", f"The {kind.words} is not the one issued to this flow", judge)


def stray_text(value: str) -> str:
    """What stands around a value that does not belong to it, in words; empty when nothing does."""
    facts = []
    core = value.strip().strip(INVISIBLE)
    lead, trail = len(value) - len(value.lstrip().lstrip(INVISIBLE)), len(value) - len(value.rstrip().rstrip(INVISIBLE))
    if core:
        if lead:
            facts.append(f"{_count(lead, 'white-space character')} before it")
        if trail:
            facts.append(f"{_count(trail, 'white-space character')} after it")
    if len(core) > 1 and core[0] in QUOTES and parse(core) is None:
        facts.append("a quote before it")
    if len(core) > 1 and core[-1] in QUOTES and parse(core) is None:
        facts.append("a quote after it")
    return ", ".join(facts)


def bare(value: str) -> str:
    """A value without white space and quotes around it."""
    core = value.strip().strip(INVISIBLE)
    hidden = PLACEHOLDER.search(core)
    if hidden and not (core[: hidden.start()] + core[hidden.end() :]).strip(QUOTES + " "):
        return hidden[0]
    return core.strip(QUOTES).strip()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _pair(context: Context, kind: Kind) -> tuple[Sent | None, Sequence[Known], Finding | None]:
    sent = context.presented(kind.name)
    if sent is None or not sent.value:
        return None, (), unknown(f"No {kind.words} was sent")
    return sent, context.candidates(kind.name), None


def _is_one_of(context: Context, kind: Kind, sent: Sent, known: Sequence[Known]) -> bool:
    return any(context.secrets.same(kind.name, sent.value, item.value) for item in known)


def _others(context: Context, kind: Kind) -> list[tuple[str, str, str]]:
    flow = context.flow
    if flow is None:
        return []
    found = [("state", flow.state, "flow, state"), ("client_secret", flow.client.secret, "flow, client secret")]
    found.append(("code", flow.code, "flow, callback"))
    for tokens in (flow.tokens, flow.application_tokens):
        if tokens is not None:
            found.append(("access_token", tokens.access_token, "flow, token answer"))
            found.append(("refresh_token", tokens.refresh_token, "flow, token answer"))
    return [item for item in found if item[1] and item[0] != kind.name]


def _contains(value: str, part: str) -> bool:
    return is_live(part) and len(part) >= SHORTEST_PART and part in value and part != value


def _shared(part: str, whole: str) -> str:
    if not (is_live(part) and is_live(whole)) or len(part) < SHORTEST_PART:
        return ""
    if whole.startswith(part):
        return "the same beginning"
    return "the same end" if whole.endswith(part) else "a part from its middle" if part in whole else ""


def _place(sent: Sent) -> str:
    return f"{sent.place}, {sent.name}"


def _use(context: Context, kind: Kind, sent: Sent, known: Known) -> Fix:
    return _put(
        context,
        kind,
        sent,
        context.secrets.offered(kind.name, known.value),
        f"Send the {kind.words} that was given out",
    )


def _put(context: Context, kind: Kind, sent: Sent, after: str, title: str) -> Fix:
    before = context.secrets.quoted(kind.name, sent.value)
    if kind is ACCESS_TOKEN:
        change = Change(Target.HEADER, "Authorization", f"Bearer {before}", f"Bearer {after}")
        return Fix(Label.READY, title, context.step, (change,))
    return put(context, kind.name, before, after, title)
