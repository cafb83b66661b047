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
    shown = context.secrets.swept(sent)
    where = f"{QUERY}, redirect_uri"
    try:
        parts = urlsplit(sent.strip())
        host = parts.hostname or ""
    except ValueError:
        return proven(wrong(f"{shown} is not an address", where))
    needs = put(
        context,
        "redirect_uri",
        shown,
        "",
        "Send a registered redirect URI",
        "the registered redirect URI, to the letter",
    )
    if sent != sent.strip():
        return proven(
            wrong("White space stands around the redirect URI", where),
            fix=put(context, "redirect_uri", shown, context.secrets.swept(sent.strip()), "Send it without white space"),
        )
    if not parts.scheme or not host:
        return proven(wrong(f"{shown} has no scheme or no host", where), fix=needs)
    if "#" in sent:
        return proven(
            wrong(f"{shown} has a fragment, which no redirect URI may have (RFC 6749 §3.1.2)", where), fix=needs
        )
    provider = context.provider
    if provider is not None and not provider.accepts_loopback:
        if is_loopback(host):
            return proven(
                wrong(f"{shown} is on this machine, and {provider.name} registers no such address", where), fix=needs
            )
        if parts.scheme != "https":
            return proven(
                wrong(f"{shown} begins with {parts.scheme}://, and {provider.name} registers https only", where),
                fix=needs,
            )
    used = _redirects_that_came_back(context)
    if sent in used:
        return ruled_out(right(f"The same redirect URI came back before: {shown}", "history", used[sent]))
    near = max(used, key=lambda known: SequenceMatcher(None, known, sent).ratio(), default=None)
    if near is not None:
        after = context.secrets.swept(near)
        text = f"Sent {shown}; what came back before for this client is {after}"
        return possible(
            wrong(text, "history", used[near]),
            fix=put(context, "redirect_uri", shown, after, "Send the one that came back before"),
        )
    if provider is not None and provider.accepts_loopback and is_loopback(host):
        return ruled_out(right(f"{provider.name} takes any address on this machine: {shown}", "provider"))
    return possible(open_fact(f"Whether {shown} is registered cannot be seen from here", where), fix=needs)


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
    return possible(open_fact(text, f"{QUERY}, redirect_uri"))


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
