"""The authorization request: what is refused by a redirect, and what makes the callback never come.

RFC 6749 §4.1.2.1: with a bad client id or redirect URI there is no redirect; the provider shows a page of its own.
"""

from difflib import SequenceMatcher
from urllib.parse import urlsplit

from oauth.addresses import is_loopback
from oauth.diagnosis.causes import client
from oauth.diagnosis.causes.fixes import put
from oauth.diagnosis.causes.rule import (
    Finding,
    Rule,
    open_fact,
    possible,
    proven,
    right,
    rule,
    ruled_out,
    unknown,
    wrong,
)
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Fix, Label
from oauth.exchange import Step
from oauth.parameters import QUERY, read

WHERE = f"{QUERY}, redirect_uri"


@rule("authorization.client_id_missing", "The client id was left out")
def client_id_missing(context: Context) -> Finding:
    """Without it the provider cannot know who asks."""
    found = context.sent.get("client_id")
    if found is not None and found.value.strip():
        return ruled_out(right(f"client_id is sent: {context.secrets.swept(found.value)}", QUERY))
    after = context.flow.client.id if context.flow else ""
    needs = "" if after else "the client id of your application"
    before = None if found is None else ""
    return proven(
        wrong("client_id is not sent, or is empty", QUERY),
        fix=put(context, "client_id", before, after, "Send the client id", needs),
    )


@rule("authorization.client_not_active", "The client is not active at the provider")
def client_not_active(context: Context) -> Finding:
    """Only the provider knows; the history says whether it ever worked."""
    rows = context.successes_here
    if rows:
        row = rows[-1]
        text = f"The same client id worked before: {context.row_text(row)}. It may have been deactivated since"
        return possible(open_fact(text, "history", row.id))
    if not context.past.reach:
        return unknown("Whether this client id worked before is not known: no history was looked at")
    return possible(
        open_fact(f"This client id never worked here, in the newest {context.past.reach:,} rows", "history")
    )


@rule("authorization.redirect_uri", "The redirect URI is not registered, or not allowed")
def redirect_uri(context: Context) -> Finding:
    """The provider's rules for one, and what this client used before."""
    sent = context.sent.value("redirect_uri")
    if not sent and context.sent.get("request_uri") is not None:
        return unknown("The request was pushed beforehand (RFC 9126): its redirect URI is not in the address", QUERY)
    if not sent:
        return possible(
            open_fact("No redirect_uri was sent: that works only when exactly one is registered", QUERY),
        )
    for check in (_against_the_rules, _against_the_profile, _against_the_history):
        if finding := check(context, sent):
            return finding
    shown = context.secrets.swept(sent)
    return possible(
        open_fact(f"Whether {shown} is registered cannot be seen from here", WHERE), fix=_registered(context, shown)
    )


def _against_the_rules(context: Context, sent: str) -> Finding | None:
    """RFC 6749 §3.1.2: an absolute address without a fragment."""
    shown = context.secrets.swept(sent)
    try:
        parts = urlsplit(sent.strip())
        absolute = bool(parts.scheme and parts.hostname)
    except ValueError:
        return proven(wrong(f"{shown} is not an address", WHERE))
    if sent != sent.strip():
        return proven(
            wrong("White space stands around the redirect URI", WHERE),
            fix=put(context, "redirect_uri", shown, context.secrets.swept(sent.strip()), "Send it without white space"),
        )
    if not absolute:
        return proven(wrong(f"{shown} has no scheme or no host", WHERE), fix=_registered(context, shown))
    if "#" in sent:
        fact = wrong(f"{shown} has a fragment, which no redirect URI may have (RFC 6749 §3.1.2)", WHERE)
        return proven(fact, fix=_registered(context, shown))
    return None


def _against_the_profile(context: Context, sent: str) -> Finding | None:
    provider, parts, shown = context.provider, urlsplit(sent), context.secrets.swept(sent)
    if provider is None or provider.accepts_loopback:
        return None
    if is_loopback(parts.hostname or ""):
        fact = wrong(f"{shown} is on this machine, and {provider.name} registers no such address", WHERE)
    elif parts.scheme != "https":
        fact = wrong(f"{shown} begins with {parts.scheme}://, and {provider.name} registers https only", WHERE)
    else:
        return None
    return proven(fact, fix=_registered(context, shown))


def _against_the_history(context: Context, sent: str) -> Finding | None:
    provider, shown, used = context.provider, context.secrets.swept(sent), _redirects_that_came_back(context)
    if sent in used:
        return ruled_out(right(f"The same redirect URI came back before: {shown}", "history", used[sent]))
    if used:
        nearest = max(used, key=lambda known: SequenceMatcher(None, known, sent).ratio())
        after = context.secrets.swept(nearest)
        return possible(
            wrong(f"Sent {shown}; what came back before for this client is {after}", "history", used[nearest]),
            fix=put(context, "redirect_uri", shown, after, "Send the one that came back before"),
        )
    if provider is not None and provider.accepts_loopback and is_loopback(urlsplit(sent).hostname or ""):
        return ruled_out(right(f"{provider.name} takes any address on this machine: {shown}", "provider"))
    return None


def _registered(context: Context, shown: str) -> Fix:
    needs = "the registered redirect URI, to the letter"
    return put(context, "redirect_uri", shown, "", "Send a registered redirect URI", needs)


@rule("authorization.response_type", "The response type is not code")
def response_type(context: Context) -> Finding:
    """The only one that the provider documents."""
    found = context.sent.get("response_type")
    if found is None and context.sent.get("request_uri") is not None:
        return ruled_out(open_fact("The request was pushed beforehand (RFC 9126), with its response_type", QUERY))
    if found is not None and found.value == "code":
        return ruled_out(right("response_type is code", QUERY))
    before = None if found is None else context.secrets.swept(found.value)
    fact = wrong("response_type is not sent" if found is None else f"response_type is '{before}'", QUERY)
    return proven(fact, fix=put(context, "response_type", before, "code", "Send response_type=code"))


@rule("authorization.denied", "The user refused")
def denied(context: Context) -> Finding:
    """By the code that came back."""
    error = context.explanation.error if context.explanation else ""
    if error == "access_denied":
        fix = Fix(Label.START_AGAIN, "Ask again, and have the user approve", Step.AUTHORIZE)
        return proven(wrong("The provider sent error=access_denied", "callback address"), fix=fix)
    return ruled_out(right("No refusal came back", "callback address"))


@rule("authorization.not_finished", "The page is still open, or was closed before the approval")
def not_finished(context: Context) -> Finding:
    """Nothing came back, and nothing says that the provider refused."""
    if any(row.step is Step.CALLBACK for row in context.before.rows):
        return ruled_out(right("A callback came", "history"))
    seconds = int((context.now - context.at).total_seconds())
    return possible(
        open_fact(f"Nothing came in the {seconds} s since the page was opened", "flow, authorization request")
    )


@rule("authorization.came_elsewhere", "The answer went to another address than this console")
def came_elsewhere(context: Context) -> Finding:
    """A registered address of the customer's own takes the code, and this console never sees it."""
    sent = context.sent.value("redirect_uri")
    here = context.flow.redirect_uri if context.flow else ""
    if not sent or not here:
        return unknown("Where the answer goes is not known")
    shown = context.secrets.swept(sent)
    if sent == here:
        return ruled_out(right(f"The redirect URI is this console's: {shown}", QUERY))
    text = f"The browser is sent to {shown}: paste the address it lands on"
    return possible(open_fact(text, WHERE))


NEVER_CAME: tuple[Rule, ...] = (
    client_id_missing,
    redirect_uri,
    response_type,
    client.white_space,
    client.other_provider,
    client.id_differs,
    client_not_active,
    came_elsewhere,
    not_finished,
)
"""The rules for an authorization that never came back."""


def _redirects_that_came_back(context: Context) -> dict[str, int | None]:
    """The redirect URIs of this client's flows that worked, with the row of the token request that repeated them."""
    return {uri: row.id for row in context.successes_here if (uri := read(row.request).value("redirect_uri"))}
