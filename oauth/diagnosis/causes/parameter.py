"""A parameter that did not arrive: missing, empty, under another name, in the wrong place or in an unreadable body.

RFC 6749 §3.2: a parameter without a value is treated as missing.
"""

import re
from collections import Counter
from difflib import SequenceMatcher

from oauth.catalogue.subject import Subject, subjects
from oauth.diagnosis.causes.fixes import changed, put, value_for
from oauth.diagnosis.causes.rule import (
    Finding,
    Rule,
    Weight,
    broken,
    likely,
    not_shown,
    possible,
    proven,
    ruled_out,
    unknown,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Known
from oauth.diagnosis.model import Change, Fix, Target, open_fact, right, wrong
from oauth.exchange import Part
from oauth.parameters import BODY, QUERY, Sent, Shape, read

OTHER_NAMES = {
    "code": ("authorization_code", "auth_code", "authcode", "oauth_code", "authorization", "authorizationcode"),
    "grant_type": ("grant", "type", "granttype", "grant_types"),
    "client_id": ("id", "clientid", "app_id", "application_id", "consumer_key"),
    "client_secret": ("secret", "clientsecret", "app_secret", "password", "consumer_secret"),
    "refresh_token": ("token", "refresh", "refreshtoken"),
    "redirect_uri": ("redirect_url", "redirecturi", "callback", "callback_url", "redirect"),
}
"""Wrong names under which a parameter is often sent, in lower case and without dashes."""

KNOWN_NAMES = frozenset({*OTHER_NAMES, "scope", "state", "response_type", "code_verifier", "nonce"})
NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")
"""Names that may be quoted. Anything else may be a value in place of a name."""

REQUIRED = frozenset({"code", "refresh_token", "device_code", "token"})
"""Parameters without which no server can do what the request asks."""

MOST_COMPARED = 100
"""Parameters of a request that are compared with the one that is missing."""

ALIKE = 0.85
"""Minimum similarity at which a name counts as misspelled; 1 is equal."""


def missing(name: str) -> tuple[Rule, ...]:
    """Return the rules for every way in which a parameter can fail to arrive."""
    return (*absent(name), BODY_UNREADABLE)


def absent(name: str) -> tuple[Rule, ...]:
    """Return the rules for a parameter that is not where the server looks for it."""
    return (left_out(name), empty(name), other_name(name), in_query(name))


def left_out(name: str) -> Rule:
    """Return the rule for a parameter that is nowhere in the request."""

    def judge(context: Context) -> Finding:
        match = context.sent.get(name) or context.sent.anywhere(name) or _under_other_name(context, name)
        if match is not None and context.sent.get(name) is None:
            text = f"{match.name} is in the request, but not where the server looks for {name}"
            return ruled_out(open_fact(text, f"{match.place}, {match.name}"))
        if match is not None:
            return ruled_out(right(f"{match.name} is in the request", f"{match.place}, {match.name}"))
        is_left_out = context.is_left_out(name)
        if is_left_out is None:
            return not_shown(name)
        if not is_left_out:
            return ruled_out(open_fact(f"{name} is sent by HTTP Basic", "request header, Authorization"))
        # RFC 6749 requires it, but some servers have a grant by default.
        conclude = broken(context) if name == "grant_type" else proven
        return conclude(
            wrong(f"{name} is not in the request, which contains: {_names(context)}", BODY),
            fix=_supply(context, name, None),
        )

    return Rule(f"{name}.left_out", f"The parameter {name} is missing", judge, _weight(name))


def empty(name: str) -> Rule:
    """Return the rule for a parameter without a value."""

    def judge(context: Context) -> Finding:
        parameter = context.sent.get(name)
        if parameter is None and not context.is_body_known:
            return not_shown(name)
        if parameter is None:
            return ruled_out(open_fact(f"{name} is missing, not empty", BODY))
        if parameter.value.strip():
            return ruled_out(right(f"{name} has a value", f"{parameter.place}, {name}"))
        text = f"{name} has no value" if not parameter.value else f"{name} contains only whitespace"
        return proven(wrong(text, f"{parameter.place}, {name}"), fix=_supply(context, name, ""))

    return Rule(f"{name}.empty", f"The parameter {name} is empty", judge, _weight(name))


def other_name(name: str) -> Rule:
    """Return the rule for a parameter under a name that the server does not know."""

    def judge(context: Context) -> Finding:
        if context.sent.value(name):
            return ruled_out(right(f"{name} has its correct name", f"{BODY}, {name}"))
        if (known := context.sent.anywhere(name)) is not None and known.value:
            return ruled_out(open_fact(f"{name} has its correct name, in another place", f"{known.place}, {name}"))
        match = _under_other_name(context, name)
        if match is None and not context.is_body_known:
            return not_shown(name)
        if match is None:
            return ruled_out(right(f"No other parameter has a similar name to {name}", BODY))
        after = context.secrets.sendable(name, match.value)
        # The address and the body are known, or the right name may be in the other one.
        conclude = broken(context) if context.is_left_out(name) or context.sent.get(name) else possible
        return conclude(
            wrong(f"The value is named {match.name}, but the server looks for {name}", f"{BODY}, {match.name}"),
            fix=_moved(context, f"Send it as {name}", Change(Target.FIELD, match.name, after, None), name),
        )

    return Rule(f"{name}.other_name", f"The parameter {name} was sent under another name", judge, _weight(name))


def in_query(name: str) -> Rule:
    """Return the rule for a parameter in the URL instead of the body (RFC 6749 §3.2)."""

    def judge(context: Context) -> Finding:
        match = next((item for item in context.sent.query if item.name == name and item.value), None)
        if match is None and not context.exchange.request.url:
            return unknown("The address of the request is not in the pasted text", QUERY)
        if match is None:
            return ruled_out(right(f"{name} is not in the URL", QUERY))
        if context.sent.value(name):
            place = "and in the body" if context.sent.get(name) is not match else "where a GET has it"
            return ruled_out(open_fact(f"{name} is in the URL {place}", QUERY))
        after = context.secrets.sendable(name, match.value)
        conclude = broken(context) if context.is_known(Part.METHOD) and context.is_body_known else possible
        return conclude(
            wrong(f"{name} is in the URL, but the server reads the body", f"{QUERY}, {name}"),
            fix=_moved(context, f"Send {name} in the body", Change(Target.QUERY, name, after, None), name),
        )

    return Rule(f"{name}.in_query", f"The parameter {name} was sent in the URL", judge, _weight(name))


def _judge_body(context: Context) -> Finding:
    if not context.is_body_known:
        return unknown("The body of the request is not in the pasted text", BODY)
    sent = context.sent
    content_type = sent.content_type or "missing"
    place = "request header, Content-Type"
    if sent.look is Shape.EMPTY:
        return ruled_out(open_fact("The request has no body", BODY))
    if not sent.content_type and not context.is_known(Part.REQUEST_HEADERS):
        return unknown("The Content-Type of the request is not in the pasted text", place)
    if sent.look is Shape.MULTIPART and sent.content_type.startswith("multipart/"):
        return possible(
            wrong(f"Content-Type is {content_type}, but a token request is a form or JSON", place),
            fix=changed(context, "Send the body as a form", _written(Shape.FORM, content_type)),
        )
    if sent.look in (Shape.JSON, Shape.FORM) and sent.body is not sent.look:
        looks = "JSON" if sent.look is Shape.JSON else "a form"
        return proven(
            wrong(f"Content-Type is {content_type}", place),
            wrong(f"The body is written as {looks}", BODY),
            fix=changed(
                context, f"Send the body as {looks}, with that Content-Type", _written(sent.look, content_type)
            ),
        )
    if sent.mixed:
        names = ", ".join(item.name for item in sent.mixed if NAME.fullmatch(item.name))
        fields = [
            Change(Target.FIELD, item.name, None, context.secrets.sendable(item.name, item.value))
            for item in sent.mixed
            if item.name in KNOWN_NAMES
        ]
        form = Change(Target.BODY_FORMAT, "body", "a form with JSON in it", Shape.FORM.value)
        return proven(
            wrong(f"Content-Type is {content_type}", place),
            wrong(f"Part of the body is JSON, which a server reads as a single name. It contains: {names}", BODY),
            fix=changed(context, "Send the whole body as a form", form, *fields),
        )
    if sent.problem:
        change = Change(Target.BODY_FORMAT, "body", "invalid JSON", Shape.JSON.value)
        return proven(
            wrong(f"The body is not valid JSON: {sent.problem}", BODY),
            fix=changed(context, "Send the same fields as valid JSON", change),
        )
    if sent.body is Shape.OTHER:
        return possible(wrong(f"The body is neither JSON nor a form; Content-Type is {content_type}", BODY))
    if sent.body is Shape.JSON and not context.before_sending and not context.is_documented:
        return _judge_json(context, content_type)
    return ruled_out(right(f"Body and Content-Type agree: {content_type}", place))


def _judge_json(context: Context, content_type: str) -> Finding:
    """Judge JSON, which is no format of RFC 6749 (§3.2, appendix B), but of some servers."""
    worked = [row for row in context.successes_here if read(row.request).body is Shape.JSON]
    if worked:
        text = f"JSON worked before: {context.row_text(worked[-1])}"
        return ruled_out(right(text, "history", worked[-1].id))
    conclude = proven if subjects(context.description) == {Subject.BODY} else likely
    return conclude(
        wrong(f"The body is {content_type}, but RFC 6749 §3.2 has a form", BODY),
        fix=changed(context, "Send the body as a form", _written(Shape.FORM, content_type)),
    )


def _written(shape: Shape, content_type: str) -> Change:
    return Change(Target.BODY_FORMAT, "Content-Type", content_type, shape.value)


BODY_UNREADABLE = Rule(
    "body.unreadable", "The server could not read the body: it does not match Content-Type", _judge_body, Weight.NAMED
)


def _judge_repeated(context: Context) -> Finding:
    names = [item.name for item in context.sent.parameters]
    repeated = sorted(name for name, count in Counter(names).items() if count > 1 and NAME.fullmatch(name))
    if repeated:
        return broken(context)(wrong(f"Sent more than once: {', '.join(repeated)}", BODY))
    if not context.is_body_known:
        return unknown("The body of the request is not in the pasted text", BODY)
    return ruled_out(right("Every parameter appears once", BODY))


REPEATED = Rule("parameter.repeated", "A parameter was sent more than once", _judge_repeated, Weight.NAMED)


def _weight(name: str) -> Weight:
    return Weight.BREAKS if name in REQUIRED else Weight.NAMED


def _names(context: Context) -> str:
    names = dict.fromkeys(item.name for item in context.sent.parameters)
    return context.secrets.swept(", ".join(name for name in names if NAME.fullmatch(name))) or "nothing readable"


def _under_other_name(context: Context, name: str) -> Sent | None:
    for item in context.sent.parameters[:MOST_COMPARED]:
        if not NAME.fullmatch(item.name.strip()):
            continue
        plain = item.name.strip().lower().replace("-", "_")
        if not item.value or item.name == name or item.name in KNOWN_NAMES:
            continue
        joined = plain.replace("_", "")
        likeness = SequenceMatcher(None, joined, name.replace("_", "")).ratio()
        if plain in OTHER_NAMES.get(name, ()) or joined in OTHER_NAMES.get(name, ()) or likeness >= ALIKE:
            return item
        if any(context.secrets.same_as(name, item.value, known) for known in _candidates(context, name)):
            return item
    return None


def _candidates(context: Context, name: str) -> tuple[Known, ...]:
    return context.candidates(name) if name in ("code", "refresh_token") else ()


def _moved(context: Context, title: str, removed: Change, name: str) -> Fix:
    return changed(context, title, removed, Change(Target.FIELD, name, None, removed.before))


def _supply(context: Context, name: str, before: str | None) -> Fix:
    after, needs = value_for(context, name)
    return put(context, name, before, after, f"Send {name}", needs)
