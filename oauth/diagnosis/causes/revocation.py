"""Revoked tokens (RFC 7009)."""

from oauth import parameters
from oauth.diagnosis.causes.fixes import NEW_TOKEN, changed, new_access_token, revocation_of
from oauth.diagnosis.causes.rule import Finding, Weight, likely, proven, rule, rule_of_origin, ruled_out, unknown
from oauth.diagnosis.context import Context
from oauth.diagnosis.known import Origin
from oauth.diagnosis.model import Change, Fix, Target, open_fact, right, wrong
from oauth.exchange import Exchange, Step
from oauth.parameters import BODY


@rule("access_token.revoked", "The access token was revoked")
def access_token(context: Context) -> Finding:
    """Look for a successful revocation of the token in the history."""
    # The server may have revoked the refresh token as well (RFC 7009 §2.1), which a refresh shows.
    return _revoked(context, "access_token", context.bearer, new_access_token(context))


@rule("refresh_token.revoked", "The refresh token was revoked")
def refresh_token(context: Context) -> Finding:
    """Look for a successful revocation of the token in the history."""
    return _revoked(context, "refresh_token", context.sent.value("refresh_token"), NEW_TOKEN)


@rule_of_origin("access_token", "access_token.code_replayed", "The code was presented again, which revokes its tokens")
def replayed_access(context: Context, _: Origin) -> Finding:
    """Look for a second exchange of the code that the token came from (RFC 6749 §4.1.2)."""
    return _replayed(context, "access_token", context.bearer)


@rule_of_origin(
    "refresh_token", "refresh_token.code_replayed", "The code was presented again, which revokes its tokens"
)
def replayed(context: Context, _: Origin) -> Finding:
    """Look for a second exchange of the code that the token came from (RFC 6749 §4.1.2)."""
    return _replayed(context, "refresh_token", context.sent.value("refresh_token"))


@rule("token.other_client", "The token was issued to another client")
def other_client(context: Context) -> Finding:
    """Compare the client to which the token was issued with the one that asks about it (RFC 7009 §2.1)."""
    token = context.sent.value("token")
    origin = next(filter(None, (context.origin(kind, token) for kind in ("access_token", "refresh_token"))), None)
    if not token or origin is None or not origin.client_id or not context.client_id:
        return unknown("The client to which the token was issued is unknown")
    owner, other = context.secrets.swept(origin.client_id), context.secrets.swept(context.client_id)
    if origin.client_id == context.client_id:
        return ruled_out(right(f"It was issued to the client that asks: {owner}", origin.where, origin.row))
    return likely(wrong(f"Issued to {owner}, but {other} asks", origin.where, origin.row))


@rule("token_type_hint.unknown", "The server does not know this token_type_hint", Weight.NAMED)
def hint_unknown(context: Context) -> Finding:
    """Check for one of the registered hints (RFC 7009 §2.1)."""
    hint = context.sent.value("token_type_hint")
    if not hint:
        return ruled_out(open_fact("There is no token_type_hint", BODY))
    shown = context.secrets.swept(hint)
    if hint in ("access_token", "refresh_token"):
        return ruled_out(right(f"token_type_hint is {shown}", BODY))
    fix = changed(context, "Omit token_type_hint", Change(Target.FIELD, "token_type_hint", shown, None))
    return proven(wrong(f"token_type_hint is {shown}; registered are access_token and refresh_token", BODY), fix=fix)


def _replayed(context: Context, kind: str, token: str) -> Finding:
    if not context.past.reach:
        return unknown("No history was searched for a second exchange of the code")
    issues = (row for row in context.sightings((kind,), token) if row.step in (Step.TOKEN, Step.REFRESH))
    source = next((row for row in issues if parameters.succeeded(row)), None)
    rows = context.before.of_flow(source.flow) if source is not None and source.flow else context.before.rows
    for row in (*rows, *([source] if source is not None and source not in rows else [])):
        code = parameters.read(row.request).value("code") if row.step is Step.TOKEN else ""
        again = [
            item for item in context.exchanged(code) if item.started_at >= row.started_at and not _is_same(item, row)
        ]
        if code and parameters.succeeded(row) and again:
            text = f"The code of these tokens was presented again: {context.row_text(again[0])}"
            return likely(wrong(text, "history", again[0].id), fix=NEW_TOKEN)
    return ruled_out(right("The code of this token was presented once, as far as is known", "history"))


def _is_same(one: Exchange, other: Exchange) -> bool:
    return one is other or (one.id is not None and one.id == other.id)


def _revoked(context: Context, kind: str, token: str, fix: Fix) -> Finding:
    if not context.secrets.fingerprints((kind,), token):
        return unknown("The token has no fingerprint, so the history cannot be searched for its revocation")
    if row := revocation_of(context, kind, token):
        text = f"It was revoked before: {context.row_text(row)}, {context.outcome(row)}"
        return proven(wrong(text, "history", row.id), fix=fix)
    if not context.past.reach:
        return unknown("No history was searched for a revocation of this token")
    return ruled_out(right(f"No revocation of it among the newest {context.past.reach:,} rows", "history"))
