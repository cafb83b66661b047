"""The authorization request: errors that come back in a redirect, and those that keep the callback from arriving.

RFC 6749 §4.1.2.1: with a bad client id or redirect URI there is no redirect; the provider shows its own error page.
"""

import re
from difflib import SequenceMatcher
from urllib.parse import urlsplit

from oauth.addresses import is_loopback, split
from oauth.diagnosis.causes import client
from oauth.diagnosis.causes.fixes import put
from oauth.diagnosis.causes.rule import (
    Finding,
    Rule,
    Weight,
    broken,
    likely,
    possible,
    proven,
    rule,
    ruled_out,
    unknown,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Fix, Label, open_fact, right, wrong
from oauth.exchange import Step
from oauth.parameters import QUERY, read

WHERE = f"{QUERY}, redirect_uri"


@rule("authorization.client_id_missing", "The client id is missing")
def client_id_missing(context: Context) -> Finding:
    """Check for client_id, by which the provider identifies the application."""
    parameter = context.sent.get("client_id")
    if parameter is not None and parameter.value.strip():
        return ruled_out(right(f"client_id is present: {context.secrets.swept(parameter.value)}", QUERY))
    if context.is_left_out("client_id") is None:
        return unknown("The address of the request is unknown", QUERY)
    after = context.flow.client.id if context.flow else ""
    needs = "" if after else "the client id of your application"
    before = None if parameter is None else ""
    return proven(
        wrong("client_id is missing or empty", QUERY),
        fix=put(context, "client_id", before, after, "Send the client id", needs),
    )


@rule("authorization.client_not_active", "The client is inactive at the provider", Weight.REPORTED)
def client_not_active(context: Context) -> Finding:
    """Look for an earlier success of the client: only the provider knows whether it is active."""
    rows = context.successes_here
    if rows:
        row = rows[-1]
        text = f"The same client id worked before: {context.row_text(row)}. It may have been deactivated since then"
        return possible(open_fact(text, "history", row.id))
    if not context.past.reach:
        return unknown(client.NO_HISTORY)
    return possible(
        open_fact(f"This client id has never worked here, in the newest {context.past.reach:,} rows", "history")
    )


@rule("authorization.redirect_uri", "The redirect URI is not registered or not allowed", Weight.NAMED)
def redirect_uri(context: Context) -> Finding:
    """Check the redirect URI against the specification, the provider's profile and the client's history."""
    sent = context.sent.value("redirect_uri")
    if not sent and context.sent.get("request_uri") is not None:
        return unknown("The request was pushed (RFC 9126): its redirect URI is not in the URL", QUERY)
    if not sent:
        fact = "redirect_uri is missing: that works only if exactly one is registered"
        used = _successful_redirects(context)
        return possible(wrong(fact, QUERY) if used else open_fact(fact, QUERY))
    for check in (_against_the_rules, _against_the_profile, _against_the_history):
        if finding := check(context, sent):
            return finding
    shown = context.secrets.swept(sent)
    return possible(
        open_fact(f"Only the provider knows whether {shown} is registered", WHERE), fix=_registered(context, shown)
    )


def _against_the_rules(context: Context, sent: str) -> Finding | None:
    """Check for an absolute URI without a fragment (RFC 6749 §3.1.2)."""
    shown = context.secrets.swept(sent)
    try:
        parts = urlsplit(sent.strip())
        # RFC 8252 §7.1: the scheme of an app needs no host.
        absolute = bool(parts.scheme and (parts.hostname or (parts.path and parts.scheme not in ("http", "https"))))
    except ValueError:
        return proven(wrong(f"{shown} is not a valid URI", WHERE))
    if sent != sent.strip():
        return proven(
            wrong("The redirect URI has whitespace around it", WHERE),
            fix=put(context, "redirect_uri", shown, context.secrets.swept(sent.strip()), "Send it without whitespace"),
        )
    if not absolute:
        return broken(context)(wrong(f"{shown} has no scheme or host", WHERE), fix=_registered(context, shown))
    if "#" in sent:
        fact = wrong(f"{shown} has a fragment, which a redirect URI must not have (RFC 6749 §3.1.2)", WHERE)
        return proven(fact, fix=_registered(context, shown))
    return None


def _against_the_profile(context: Context, sent: str) -> Finding | None:
    provider, parts, shown = context.provider, split(sent), context.secrets.swept(sent)
    if provider is None or provider.accepts_loopback:
        return None
    if is_loopback(parts.hostname or ""):
        fact = wrong(f"{shown} is a loopback address, and {provider.name} does not register those", WHERE)
    elif parts.scheme != "https":
        fact = wrong(f"{shown} begins with {parts.scheme}://, but {provider.name} registers only https", WHERE)
    else:
        return None
    return proven(fact, fix=_registered(context, shown))


def _against_the_history(context: Context, sent: str) -> Finding | None:
    provider, shown, used = context.provider, context.secrets.swept(sent), _successful_redirects(context)
    if sent in used:
        return ruled_out(right(f"The same redirect URI worked before: {shown}", "history", used[sent]))
    if used:
        nearest = max(used, key=lambda known: SequenceMatcher(None, known, sent).ratio())
        after = context.secrets.swept(nearest)
        return possible(
            wrong(f"Sent {shown}; the one that worked before for this client is {after}", "history", used[nearest]),
            fix=put(context, "redirect_uri", shown, after, "Send the one that worked before"),
        )
    if provider is not None and provider.accepts_loopback and is_loopback(split(sent).hostname or ""):
        return ruled_out(right(f"{provider.name} accepts any loopback address: {shown}", "provider"))
    return None


def _registered(context: Context, shown: str) -> Fix:
    needs = "the redirect URI exactly as registered"
    return put(context, "redirect_uri", shown, "", "Send a registered redirect URI", needs)


@rule("authorization.response_type", "The response type is not code")
def response_type(context: Context) -> Finding:
    """Check for response_type=code, the only one that the provider documents."""
    parameter = context.sent.get("response_type")
    is_elsewhere = context.sent.get("request_uri") is not None or context.sent.get("request") is not None
    if parameter is None and is_elsewhere:
        return ruled_out(open_fact("The request was pushed or signed (RFC 9126, RFC 9101), with its parameters", QUERY))
    if parameter is None and context.is_left_out("response_type") is None:
        return unknown("The address of the request is unknown", QUERY)
    if parameter is not None and parameter.value == "code":
        return ruled_out(right("response_type is code", QUERY))
    before = None if parameter is None else context.secrets.swept(parameter.value)
    fact = wrong("response_type is missing" if parameter is None else f"response_type is '{before}'", QUERY)
    # Another server may have more response types, unless it refuses this one.
    is_refused = context.explanation is not None and context.explanation.error == "unsupported_response_type"
    conclude = proven if parameter is None or is_refused or context.is_documented else possible
    return conclude(fact, fix=put(context, "response_type", before, "code", "Send response_type=code"))


@rule("authorization.denied", "The user denied access", Weight.NAMED)
def denied(context: Context) -> Finding:
    """Check for access_denied in the callback."""
    error = context.explanation.error if context.explanation else ""
    if error == "access_denied":
        fix = Fix(Label.START_AGAIN, "Authorize again, and have the user approve", Step.AUTHORIZE)
        fact = wrong("The provider sent error=access_denied", "callback address")
        # RFC 6749 §4.1.2.1: the server may also refuse by itself, and only its words tell.
        words = context.explanation.error_description if context.explanation else ""
        return (proven if _OF_THE_USER.search(words) else likely)(fact, fix=fix)
    return ruled_out(right("The callback has no access_denied", "callback address"))


@rule("authorization.not_finished", "The authorization page is still open, or was closed before approval")
def not_finished(context: Context) -> Finding:
    """Check for a callback; without one the user may not have finished."""
    if any(row.step is Step.CALLBACK for row in context.before.rows):
        return ruled_out(right("A callback arrived", "history"))
    # A time and no duration: the page that draws it counts the seconds, and this text stays as it is.
    text = f"No callback since the page was opened, {context.clock(context.at)}"
    return possible(open_fact(text, "flow, authorization request"))


@rule("authorization.came_elsewhere", "The callback went to another URL than this console's")
def came_elsewhere(context: Context) -> Finding:
    """Check the redirect URI: one of the customer's own receives the code, and this console never sees it."""
    sent = context.sent.value("redirect_uri")
    here = context.flow.redirect_uri if context.flow else ""
    if not sent or not here:
        return unknown("The target of the callback is unknown")
    shown = context.secrets.swept(sent)
    if sent == here:
        return ruled_out(right(f"The redirect URI is this console's: {shown}", QUERY))
    text = f"The browser is sent to {shown}: paste the URL it lands on"
    return possible(open_fact(text, WHERE))


_OF_THE_USER = re.compile(r"\b(?:den(?:y|ied)|reject|cancel|declin|refuse)\w*", re.IGNORECASE)
"""Words about a decision of the user."""

SIGN_IN = ("login_required", "interaction_required", "account_selection_required")
"""Codes of a request that allows no page, where one is needed to sign in (OpenID Connect Core §3.1.2.6)."""


@rule("authorization.login_required", "The user has to sign in, and the request allows no page", Weight.NAMED)
def login_required(context: Context) -> Finding:
    """Check for prompt=none (OpenID Connect Core §3.1.2.1)."""
    return _without_a_page(context, SIGN_IN)


@rule("authorization.consent_required", "The user has to consent, and the request allows no page", Weight.NAMED)
def consent_required(context: Context) -> Finding:
    """Check for prompt=none (OpenID Connect Core §3.1.2.1)."""
    return _without_a_page(context, ("consent_required",))


def _without_a_page(context: Context, codes: tuple[str, ...]) -> Finding:
    error = context.explanation.error if context.explanation else ""
    if error not in codes:
        return ruled_out(right(f"The callback has no {codes[0]}", "callback address"))
    fix = Fix(Label.START_AGAIN, "Authorize again without prompt=none", Step.AUTHORIZE)
    facts = [wrong(f"The provider sent error={error}", "callback address")]
    if "none" in context.sent.value("prompt").split():
        return proven(*facts, wrong("prompt is none", QUERY), fix=fix)
    return likely(*facts, fix=fix)


REFUSED: tuple[Rule, ...] = (
    client_id_missing,
    client.white_space,
    client.id_differs,
    redirect_uri,
    response_type,
    client.other_provider,
    client_not_active,
)
"""Rules for an error page in place of the redirect (RFC 6749 §4.1.2.1)."""

NEVER_CAME: tuple[Rule, ...] = (*REFUSED, came_elsewhere, not_finished)
"""Rules for an authorization request whose callback never arrived."""


def _successful_redirects(context: Context) -> dict[str, int | None]:
    """Return the redirect URIs of this client's successful flows, with the row of the token request."""
    return {uri: row.id for row in context.successes_here if (uri := read(row.request).value("redirect_uri"))}
