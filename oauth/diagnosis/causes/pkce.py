"""Proof Key for Code Exchange: the verifier of the token request and the challenge of the authorization (RFC 7636)."""

from oauth.diagnosis.causes.fixes import changed, put
from oauth.diagnosis.causes.rule import Finding, Rule, proven, right, rule, ruled_out, unknown, wrong
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Target
from oauth.flow import pkce
from oauth.parameters import BODY
from oauth.providers import Pkce
from oauth.redaction.placeholders import is_live


@rule("pkce.verifier_missing", "The authorization had a code challenge, but the token request has no verifier")
def verifier_missing(context: Context) -> Finding:
    """RFC 7636 §4.6: the server then has nothing to compare the challenge with."""
    asked = context.behind_code
    if asked.asked is None:
        return unknown("The authorization request is not known")
    if not asked.asked.get("code_challenge"):
        return ruled_out(right("The authorization request had no code_challenge", asked.where, asked.row))
    if context.sent.value("code_verifier"):
        return ruled_out(right("A code_verifier is sent", BODY))
    before = None if context.sent.get("code_verifier") is None else ""
    return proven(
        wrong("code_challenge was sent with the authorization request", asked.where, asked.row),
        wrong("code_verifier is not in the token request", BODY),
        fix=_right_verifier(context, before),
    )


@rule("pkce.verifier_differs", "The verifier does not match the code challenge")
def verifier_differs(context: Context) -> Finding:
    """Computed again from the verifier that was sent (RFC 7636 §4.6)."""
    asked, sent = context.behind_code, context.sent.value("code_verifier")
    challenge = (asked.asked or {}).get("code_challenge", "")
    if not challenge or not sent:
        return unknown("There is no challenge and verifier to compare")
    named = (asked.asked or {}).get("code_challenge_method") or Pkce.PLAIN.value
    if named not in (Pkce.S256, Pkce.PLAIN):
        return unknown("The code_challenge_method is none that is known here", asked.where, asked.row)
    if not is_live(sent) or not is_live(challenge):
        return unknown("Redaction hides the verifier, so its challenge cannot be computed", BODY)
    if pkce.challenge(sent, Pkce(named)) == challenge:
        return ruled_out(
            right(f"The {named} challenge of the verifier is the one that was sent", asked.where, asked.row)
        )
    shown = context.secrets.quoted("code_verifier", sent)
    return proven(
        wrong(
            f"The {named} challenge of {shown} is not the code_challenge of the authorization", asked.where, asked.row
        ),
        fix=_right_verifier(context, shown),
    )


@rule("pkce.not_asked", "The token request has a verifier, but the authorization had no code challenge")
def not_asked(context: Context) -> Finding:
    """RFC 9700 §4.8.2: a server must refuse it, since the challenge may have been taken away on the way."""
    asked, sent = context.behind_code, context.sent.value("code_verifier")
    if asked.asked is None:
        return unknown("The authorization request is not known")
    if not sent:
        return ruled_out(right("No code_verifier is sent", BODY))
    if asked.asked.get("code_challenge"):
        return ruled_out(right("The authorization request had a code_challenge", asked.where, asked.row))
    shown = context.secrets.quoted("code_verifier", sent)
    return proven(
        wrong("code_verifier is sent", BODY),
        wrong("The authorization request had no code_challenge", asked.where, asked.row),
        fix=changed(context, "Leave the verifier out", Change(Target.FIELD, "code_verifier", shown, None)),
    )


def _right_verifier(context: Context, before: str | None) -> Fix:
    flow = context.flow
    made = flow.verifier if flow is not None else ""
    after = context.secrets.offered("code_verifier", made) if made else ""
    needs = "" if made else "the code_verifier that the challenge was made of"
    return put(context, "code_verifier", before, after, "Send the verifier of the challenge", needs)


RULES: tuple[Rule, ...] = (verifier_missing, verifier_differs, not_asked)
"""What can be wrong with PKCE when a code is exchanged."""
