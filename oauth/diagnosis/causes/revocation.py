"""Revoked tokens (RFC 7009)."""

from oauth import parameters
from oauth.diagnosis.causes.fixes import NEW_TOKEN
from oauth.diagnosis.causes.rule import Finding, likely, proven, rule, ruled_out, unknown
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


@rule("access_token.code_replayed", "The code was presented again, which revokes its tokens")
def replayed_access(context: Context) -> Finding:
    """Look for a second exchange of the code that the token came from (RFC 6749 §4.1.2)."""
    return _replayed(context, "access_token", context.bearer)


@rule("refresh_token.code_replayed", "The code was presented again, which revokes its tokens")
def replayed(context: Context) -> Finding:
    """Look for a second exchange of the code that the token came from (RFC 6749 §4.1.2)."""
    return _replayed(context, "refresh_token", context.sent.value("refresh_token"))


def _replayed(context: Context, kind: str, token: str) -> Finding:
    origin = context.origin(kind, token) if token else None
    if origin is None:
        return unknown("The token's origin is unknown: no token response that issued it is known")
    if not context.past.reach:
        return unknown("No history was searched for a second exchange of the code")
    issued = next((row for row in context.sightings((kind,), token) if row.id == origin.row), None)
    rows = context.before.of_flow(issued.flow) if issued is not None and issued.flow else context.before.rows
    for row in (*rows, *([issued] if issued is not None and issued not in rows else [])):
        code = parameters.read(row.request).value("code") if row.step is Step.TOKEN else ""
        again = [item for item in context.exchanged(code) if item.id != row.id and item.started_at >= row.started_at]
        if code and parameters.succeeded(row) and again:
            text = f"The code of these tokens was presented again: {context.row_text(again[0])}"
            return likely(wrong(text, "history", again[0].id), fix=NEW_TOKEN)
    return ruled_out(right("The code of this token was presented once, as far as is known", "history"))


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
