"""The API key that some providers want in a header of every request, beside the client's credentials."""

from collections.abc import Iterator
from urllib.parse import unquote

from oauth.diagnosis.causes.fixes import changed
from oauth.diagnosis.causes.rule import Finding, Rule, Weight, possible, proven, rule, ruled_out, unknown
from oauth.diagnosis.causes.shape import bare, stray_text
from oauth.diagnosis.context import Context
from oauth.diagnosis.model import Change, Fix, Target, open_fact, right, wrong
from oauth.exchange import Part, header
from oauth.redaction.placeholders import is_live

NO_HEADER = "The headers of the request are not in the pasted text"
NO_NAME = "The header in which this provider wants its key is unknown"
NO_KEY = "The request has no API key"

Known = tuple[str, str, int | None]
"""A key of the client, the place it was read from, and the row of the history if it is from one."""


@rule("api_key.missing", "The API key is missing", Weight.NAMED)
def missing(context: Context) -> Finding:
    """Check for the header in which this provider wants the key."""
    name, sent = context.api_key_header, context.api_key
    if not name:
        return unknown(NO_NAME)
    if sent is None and not context.is_known(Part.REQUEST_HEADERS):
        return unknown(NO_HEADER)
    if sent is not None and sent.strip():
        return ruled_out(right(f"{name} is present", _place(name)))
    text = f"There is no header {name}" if sent is None else f"The header {name} is empty"
    return proven(wrong(text, "request headers"), fix=_send_known(context))


@rule("api_key.white_space", "The API key has other characters around it", Weight.NAMED)
def white_space(context: Context) -> Finding:
    """Check for what was copied along with the key: white space, quotes, or either of them percent-encoded."""
    name, sent = context.api_key_header, context.api_key
    if not sent or not sent.strip():
        return unknown(NO_KEY)
    # RFC 9110 §5.5: spaces and tabs around it are no part of a header's value.
    value = sent.strip(" \t")
    core = unquote(value) if stray_text(unquote(value)) else value
    if around := stray_text(core):
        key = bare(core)
        encoded = "percent-encoded, " if core != value else ""
        fix = _send(context, key, "Send the key without the extra characters") if is_live(key) else _send_known(context)
        return proven(wrong(f"{encoded}{around}", _place(name)), fix=fix)
    if value != sent:
        text = "A space is around it. HTTP says to remove it (RFC 9110 §5.5), and not every server does"
        return possible(open_fact(text, _place(name)), fix=_send(context, value, "Send the key without the space"))
    if not is_live(value):
        return unknown("Redaction hides characters around the key", _place(name))
    return ruled_out(right("No white space or quotes around the key", _place(name)))


@rule("api_key.differs", "The API key is not the one of this client", Weight.ELIMINATED)
def differs(context: Context) -> Finding:
    """Compare the key with those of the published clients, of earlier successes, and of the flow's client."""
    sent = context.api_key
    if not sent or not sent.strip():
        return unknown(NO_KEY)
    kind, known = context.api_key_kind, list(_keys(context))
    for key, where, row in known:
        same = context.secrets.same(kind, sent, key)
        if same:
            return ruled_out(right("It is a key of this client", where, row))
        inside = context.secrets.same(kind, bare(unquote(sent)), key)
        if inside:
            return ruled_out(open_fact("It is a key of this client, with other characters around it", where, row))
        if same is None or inside is None:
            return unknown("Redaction hides whether it is the key of this client", where, row)
    shown, fix = context.secrets.quoted(kind, sent), _send_known(context)
    if known:
        key, where, row = known[0]
        text = f"Sent {shown}; the key of this client is {context.secrets.quoted(kind, key)}"
        return proven(wrong(text, where, row), fix=fix)
    own = context.flow.client.api_key if context.flow else ""
    if own and context.secrets.same(kind, sent, own) is False:  # a key that was typed may be wrong itself
        text = f"Sent {shown}; this flow started with {context.secrets.quoted(kind, own)}"
        return possible(wrong(text, "flow, API key"), fix=fix)
    return unknown("No key of this client is known to have worked", "history")


RULES: tuple[Rule, ...] = (missing, white_space, differs)
"""Rules for a refused API key."""

PUBLISHED = "provider, published clients"


def _keys(context: Context) -> Iterator[Known]:
    """Yield the keys that are known to be good: published ones, this client's first, and those that worked."""
    clients = context.provider.clients if context.provider else ()
    known = [item.api_key for item in sorted(clients, key=lambda item: item.id != context.client_id) if item.api_key]
    yield from ((key, PUBLISHED, None) for key in known)
    for row in reversed(context.successes_here):
        if key := header(row.request.headers, context.api_key_header) or "":
            yield key, "history", row.id


def _send_known(context: Context) -> Fix:
    """Return a fix that sends a key that is known to be good, or else the one of the flow."""
    own = context.flow.client.api_key if context.flow else ""
    refused = context.api_key or ""
    keys = [*(key for key, _, _ in _keys(context)), own]
    right_one = next((key for key in keys if key and is_live(key) and key != refused), "")
    return _send(context, right_one, "Send the API key of your application")


def _send(context: Context, key: str, title: str) -> Fix:
    kind, sent = context.api_key_kind, context.api_key
    before = None if sent is None else context.secrets.quoted(kind, sent)
    after, needs = (context.secrets.offered(kind, key), "") if key else ("", "the API key of your application")
    return changed(context, title, Change(Target.HEADER, context.api_key_header, before, after, needs))


def _place(name: str) -> str:
    return f"request header, {name}"
