"""The redirect URI of the token request, which repeats the authorization request's to the letter (RFC 6749 §4.1.3)."""

from urllib.parse import unquote, urlsplit

from oauth.diagnosis.causes.fixes import changed, put
from oauth.diagnosis.causes.rule import Finding, Rule, proven, right, rule, ruled_out, unknown, wrong
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Target
from oauth.parameters import BODY

WHERE = f"{BODY}, redirect_uri"


@rule("redirect_uri.left_out", "The redirect URI is missing from the token request")
def left_out(context: Context) -> Finding:
    """Sent in step 1, so needed in step 3."""
    known = context.behind_code
    asked = known.asked
    if context.sent.value("redirect_uri"):
        return ruled_out(right("redirect_uri is in the token request", WHERE))
    if asked is None:
        return unknown("Whether the authorization request had a redirect_uri is not known")
    if not asked.get("redirect_uri"):
        return ruled_out(right("The authorization request had no redirect_uri either", known.where, known.row))
    quoted = context.secrets.swept(asked["redirect_uri"])
    return proven(
        wrong("redirect_uri is not in the token request", BODY),
        wrong(f"The authorization request had it: {quoted}", known.where, known.row),
        fix=put(context, "redirect_uri", None, quoted, "Send the redirect URI of step 1"),
    )


@rule("redirect_uri.differs", "The redirect URI differs from the authorization request's")
def differs(context: Context) -> Finding:
    """Compared by character."""
    sent, known = context.sent.value("redirect_uri"), context.behind_code
    if not sent:
        return ruled_out(right("No redirect_uri was sent that could differ", BODY))
    if known.asked is None:
        return unknown("The redirect_uri of the authorization request is not known", WHERE)
    expected, quoted = known.asked.get("redirect_uri", ""), context.secrets.swept(sent)
    if sent == expected:
        return ruled_out(right("redirect_uri identical, character by character", WHERE, known.row))
    if not expected:
        return proven(
            wrong(f"The token request has {quoted}, and the authorization request had none", known.where, known.row),
            fix=changed(context, "Leave the redirect URI out", Change(Target.FIELD, "redirect_uri", quoted, None)),
        )
    wanted = context.secrets.swept(expected)
    facts = [
        wrong(f"Sent {quoted}", WHERE),
        wrong(f"Asked with {wanted}", f"{known.where}, redirect_uri", known.row),
        wrong(difference(sent, expected), WHERE),
    ]
    return proven(*facts, fix=put(context, "redirect_uri", quoted, wanted, "Send the redirect URI of step 1"))


def difference(sent: str, expected: str) -> str:
    """What is different between two addresses: in kind, and at the first differing character."""
    at = next((i for i, (one, other) in enumerate(zip(sent, expected, strict=False)) if one != other), None)
    position = min(len(sent), len(expected)) if at is None else at
    here = f"'{sent[position]}' was sent" if position < len(sent) else "nothing was sent"
    there = f"'{expected[position]}' expected" if position < len(expected) else "nothing expected"
    text = f"first differing character at position {position + 1}: {there}, {here}"
    kinds = _kinds(sent, expected)
    return f"{kinds}; {text}" if kinds else text


def _kinds(sent: str, expected: str) -> str:
    if sent.strip() == expected.strip():
        return "white space around it"
    if sent.rstrip("/") == expected.rstrip("/"):
        return "the slash at the end"
    if unquote(sent) == unquote(expected):
        return "the percent-encoding"
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
