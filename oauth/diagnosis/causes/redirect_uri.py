"""The redirect URI of the token request, which must equal the authorization request's (RFC 6749 §4.1.3)."""

from urllib.parse import unquote, urlsplit

from oauth.diagnosis.causes.fixes import changed, put
from oauth.diagnosis.causes.rule import Finding, Rule, Weight, not_shown, possible, proven, rule, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Target, right, wrong
from oauth.parameters import BODY

WHERE = f"{BODY}, redirect_uri"


@rule("redirect_uri.left_out", "The redirect URI is missing from the token request", Weight.NAMED)
def left_out(context: Context) -> Finding:
    """Check for the redirect URI, required in step 3 if it was sent in step 1."""
    known = context.behind_code
    if context.sent.value("redirect_uri"):
        return ruled_out(right("redirect_uri is in the token request", WHERE))
    if known.parameters is None:
        return unknown("The authorization request is unknown")
    if not known.parameters.get("redirect_uri") and known.is_elsewhere:
        return unknown("The redirect_uri of the authorization request is unknown", known.where, known.row)
    if not known.parameters.get("redirect_uri"):
        return ruled_out(right("The authorization request has no redirect_uri either", known.where, known.row))
    is_left_out = context.is_left_out("redirect_uri")
    if is_left_out is None:
        return not_shown("redirect_uri")
    place = "in the token request" if is_left_out is not False else "where the server looks for it"
    conclude = proven if is_left_out or context.sent.get("redirect_uri") else possible
    quoted = context.secrets.swept(known.parameters["redirect_uri"])
    return conclude(
        wrong(f"redirect_uri is not {place}", BODY),
        wrong(f"The authorization request has it: {quoted}", known.where, known.row),
        fix=put(context, "redirect_uri", None, quoted, "Send the redirect URI of step 1"),
    )


@rule("redirect_uri.differs", "The redirect URI differs from the authorization request's")
def differs(context: Context) -> Finding:
    """Compare the two redirect URIs by character."""
    sent, known = context.sent.value("redirect_uri"), context.behind_code
    if not sent and context.is_left_out("redirect_uri") is None:
        return not_shown("redirect_uri")
    if not sent:
        return ruled_out(right("The token request has no redirect_uri", BODY))
    if known.parameters is None or (known.is_elsewhere and not known.parameters.get("redirect_uri")):
        return unknown("The redirect_uri of the authorization request is unknown", WHERE)
    expected, quoted = known.parameters.get("redirect_uri", ""), context.secrets.swept(sent)
    if sent == expected:
        return ruled_out(right("redirect_uri is identical, character by character", WHERE, known.row))
    if not expected:
        return proven(
            wrong(f"The token request has {quoted}, but the authorization request has none", known.where, known.row),
            fix=changed(context, "Omit the redirect URI", Change(Target.FIELD, "redirect_uri", quoted, None)),
        )
    after = context.secrets.swept(expected)
    facts = [
        wrong(f"Sent {quoted}", WHERE),
        wrong(f"The authorization request has {after}", f"{known.where}, redirect_uri", known.row),
        wrong(difference(sent, expected), WHERE),
    ]
    return proven(*facts, fix=put(context, "redirect_uri", quoted, after, "Send the redirect URI of step 1"))


def difference(sent: str, expected: str) -> str:
    """Describe the difference between two URIs: its kind, and the first differing character."""
    at = next((i for i, (one, other) in enumerate(zip(sent, expected, strict=False)) if one != other), None)
    position = min(len(sent), len(expected)) if at is None else at
    actual = f"'{sent[position]}' was sent" if position < len(sent) else "nothing was sent"
    due = f"'{expected[position]}' expected" if position < len(expected) else "nothing expected"
    text = f"first differing character at position {position + 1}: {due}, {actual}"
    kinds = _kinds(sent, expected)
    return f"{kinds}; {text}" if kinds else text


def _kinds(sent: str, expected: str) -> str:
    if sent.strip() == expected.strip():
        return "whitespace around it"
    if sent.rstrip("/") == expected.rstrip("/"):
        return "a trailing slash"
    if unquote(sent) == unquote(expected):
        return "percent-encoding"
    if sent.lower() == expected.lower():
        return "letter case"
    try:
        one, other = urlsplit(sent), urlsplit(expected)
    except ValueError:
        return ""
    parts = ("scheme", "netloc", "path", "query", "fragment")
    words = {"netloc": "host or port"}
    return ", ".join(words.get(part, part) for part in parts if getattr(one, part) != getattr(other, part))


RULES: tuple[Rule, ...] = (left_out, differs)
