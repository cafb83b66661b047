"""Proof Key for Code Exchange: the verifier in the token request, the challenge in the authorization (RFC 7636)."""

from collections.abc import Mapping

from oauth.catalogue.subject import Subject, subjects
from oauth.diagnosis.causes.fixes import changed, put
from oauth.diagnosis.causes.rule import Finding, Rule, Weight, not_shown, possible, proven, rule, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Label, Target, open_fact, right, wrong
from oauth.exchange import Step
from oauth.flow import pkce
from oauth.parameters import BODY, QUERY
from oauth.providers import Pkce
from oauth.redaction.placeholders import is_live

ELSEWHERE = "The parameters of the authorization request are not in its URL (RFC 9101, RFC 9126)"


@rule("pkce.verifier_missing", "The authorization had a code challenge, but the token request has no verifier")
def verifier_missing(context: Context) -> Finding:
    """Check for a code_verifier, without which the server cannot verify the challenge (RFC 7636 §4.6)."""
    known = context.behind_code
    if known.parameters is None:
        return unknown("The authorization request is unknown")
    if not known.parameters.get("code_challenge") and known.is_elsewhere:
        return unknown(ELSEWHERE, known.where, known.row)
    if not known.parameters.get("code_challenge"):
        return ruled_out(right("The authorization request had no code_challenge", known.where, known.row))
    if context.sent.value("code_verifier"):
        return ruled_out(right("code_verifier is present", BODY))
    is_left_out = context.is_left_out("code_verifier")
    place = "in the token request" if is_left_out is not False else "where the server looks for it"
    conclude = proven if is_left_out or context.sent.get("code_verifier") else possible
    if is_left_out is None:
        return not_shown("code_verifier")
    before = None if context.sent.get("code_verifier") is None else ""
    return conclude(
        wrong("code_challenge was sent with the authorization request", known.where, known.row),
        wrong(f"code_verifier is not {place}", BODY),
        fix=_right_verifier(context, before),
    )


@rule("pkce.verifier_differs", "The verifier does not match the code challenge")
def verifier_differs(context: Context) -> Finding:
    """Compute the challenge of the verifier and compare it (RFC 7636 §4.6)."""
    known, sent = context.behind_code, context.sent.value("code_verifier")
    challenge = (known.parameters or {}).get("code_challenge", "")
    if not challenge or not sent:
        return unknown("There is no pair of challenge and verifier to compare")
    method = (known.parameters or {}).get("code_challenge_method") or Pkce.PLAIN.value
    if method not in (Pkce.S256, Pkce.PLAIN):
        return unknown("The code_challenge_method is unknown", known.where, known.row)
    if not is_live(sent) or not is_live(challenge):
        return unknown("Redaction hides the verifier, so its challenge cannot be computed", BODY)
    if pkce.challenge(sent, Pkce(method)) == challenge:
        return ruled_out(right(f"The {method} challenge of the verifier matches", known.where, known.row))
    shown = context.secrets.quoted("code_verifier", sent)
    return proven(
        wrong(
            f"The {method} challenge of {shown} differs from the code_challenge of the authorization",
            known.where,
            known.row,
        ),
        fix=_right_verifier(context, shown),
    )


@rule("pkce.not_asked", "The token request has a verifier, but the authorization had no code challenge", Weight.NAMED)
def not_asked(context: Context) -> Finding:
    """Check for a verifier without a challenge, which an attacker may have removed (RFC 9700 §4.8.2)."""
    known, sent = context.behind_code, context.sent.value("code_verifier")
    if known.parameters is None:
        return unknown("The authorization request is unknown")
    if not sent and context.is_left_out("code_verifier") is None:
        return unknown("The body of the request is not in the pasted text", BODY)
    if not sent:
        return ruled_out(right("There is no code_verifier", BODY))
    if known.parameters.get("code_challenge"):
        return ruled_out(right("The authorization request had a code_challenge", known.where, known.row))
    if known.is_elsewhere:
        return unknown(ELSEWHERE, known.where, known.row)
    shown = context.secrets.quoted("code_verifier", sent)
    return proven(
        wrong("The token request has a code_verifier", BODY),
        wrong("The authorization request had no code_challenge", known.where, known.row),
        fix=changed(context, "Omit the verifier", Change(Target.FIELD, "code_verifier", shown, None)),
    )


@rule(
    "pkce.challenge_missing",
    "The server requires PKCE, and the authorization request has no code challenge",
    Weight.NAMED,
)
def challenge_missing(context: Context) -> Finding:
    """Check for a code_challenge, which a server may require (RFC 7636 §4.4.1, RFC 9700 §2.1.1)."""
    sent = _authorization_parameters(context)
    if sent is None:
        return unknown("The parameters of the authorization request are unknown", QUERY)
    if sent.get("code_challenge"):
        return ruled_out(right("code_challenge is present", QUERY))
    if context.step is Step.TOKEN and context.sent.value("code_verifier"):
        return ruled_out(open_fact("The token request has a code_verifier, which is another cause", BODY))
    if "request_uri" in sent or "request" in sent:
        return unknown(ELSEWHERE, QUERY)
    if context.is_documented:
        return ruled_out(open_fact("This provider does not document PKCE", "provider"))
    fix = Fix(Label.START_AGAIN, "Authorize again with PKCE: code_challenge_method S256", Step.AUTHORIZE)
    fact = wrong("The authorization request has no code_challenge", QUERY)
    return (proven if Subject.VERIFIER in subjects(context.description) else possible)(fact, fix=fix)


@rule("pkce.method_unknown", "The server does not support the code_challenge_method", Weight.NAMED)
def method_unknown(context: Context) -> Finding:
    """Check for S256, which every server with PKCE has (RFC 7636 §4.2)."""
    sent = _authorization_parameters(context)
    if sent is None:
        return unknown("The parameters of the authorization request are unknown", QUERY)
    if not sent.get("code_challenge"):
        return ruled_out(open_fact("The authorization request has no code_challenge", QUERY))
    method = sent.get("code_challenge_method") or Pkce.PLAIN.value
    if method == Pkce.S256:
        return ruled_out(right("code_challenge_method is S256", QUERY))
    change = Change(Target.QUERY, "code_challenge_method", sent.get("code_challenge_method"), Pkce.S256.value)
    fix = Fix(Label.START_AGAIN, "Authorize again with code_challenge_method S256", Step.AUTHORIZE, (change,))
    fact = wrong(f"code_challenge_method is {context.secrets.swept(method)}", QUERY)
    return (proven if method != Pkce.PLAIN else possible)(fact, fix=fix)


def _authorization_parameters(context: Context) -> Mapping[str, str] | None:
    """Return the parameters of the authorization request: this one's, or else the one behind the code."""
    if context.step is Step.AUTHORIZE or context.step is Step.PAR:
        is_known = context.is_left_out("code_challenge") is not None
        return {item.name: item.value for item in context.sent.parameters} if is_known else None
    return context.authorization.parameters if context.step is Step.CALLBACK else context.behind_code.parameters


def _right_verifier(context: Context, before: str | None) -> Fix:
    flow = context.flow
    verifier = flow.verifier if flow is not None else ""
    after = context.secrets.offered("code_verifier", verifier) if verifier else ""
    needs = "" if verifier else "the code_verifier of the challenge"
    return put(context, "code_verifier", before, after, "Send the verifier of the challenge", needs)


RULES: tuple[Rule, ...] = (verifier_missing, verifier_differs, not_asked)
"""Rules for PKCE in a token request."""

ASKED: tuple[Rule, ...] = (challenge_missing, method_unknown)
"""Rules for PKCE in an authorization request."""
