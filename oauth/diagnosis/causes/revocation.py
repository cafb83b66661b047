"""Revoked tokens (RFC 7009)."""

from oauth import parameters
from oauth.diagnosis.causes.fixes import NEW_TOKEN
from oauth.diagnosis.causes.rule import Finding, proven, rule, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import right, wrong
from oauth.exchange import Step


@rule("access_token.revoked", "The access token was revoked")
def access_token(context: Context) -> Finding:
    """Look for a successful revocation of the token in the history."""
    return _revoked(context, "access_token", context.bearer)


@rule("refresh_token.revoked", "The refresh token was revoked")
def refresh_token(context: Context) -> Finding:
    """Look for a successful revocation of the token in the history."""
    return _revoked(context, "refresh_token", context.sent.value("refresh_token"))


def _revoked(context: Context, kind: str, token: str) -> Finding:
    if not context.secrets.fingerprints((kind,), token):
        return unknown("The token has no fingerprint, so the history cannot be searched for its revocation")
    for row in context.sightings((kind,), token):
        if row.step is Step.REVOKE and parameters.succeeded(row):
            text = f"It was revoked before: {context.row_text(row)}, {context.outcome(row)}"
            return proven(wrong(text, "history", row.id), fix=NEW_TOKEN)
    if not context.past.reach:
        return unknown("No history was searched for a revocation of this token")
    return ruled_out(right(f"No revocation of it among the newest {context.past.reach:,} rows", "history"))
