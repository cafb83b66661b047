"""Authorization requests that a client pushes before the browser comes (RFC 9126)."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from oauth_sandbox.clients import Client
from oauth_sandbox.parameters import Parameters, from_query

if TYPE_CHECKING:
    from oauth_sandbox.provider import Sandbox

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = timedelta(minutes=10)
"""Long enough to read the consent page, after which the request is looked at again."""

MOST = 1_000
CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")


class Pushed(NamedTuple):
    """A pushed request, as the query that a browser would have brought."""

    query: str
    client_id: str
    expires_at: datetime


def query_of(client: Client, parameters: Parameters) -> str:
    """Return the parameters of an authorization request as its query, without the client's credentials."""
    sent = {name: value for name, value in parameters.items() if name not in CREDENTIALS}
    return urlencode({**sent, "client_id": client.client_id})


def push(sandbox: "Sandbox", client: Client, query: str) -> str:
    """Keep a request, and return the reference to it."""
    pushed, now = sandbox.logins.pushed, sandbox.clock.now()
    reference = f"{PREFIX}{secrets.token_urlsafe(24)}"
    pushed[reference] = Pushed(query, client.client_id, now + LIFETIME)
    while len(pushed) > MOST:
        del pushed[next(iter(pushed))]
    return reference


def reference_in(query: str) -> str:
    """Return the reference to a pushed request in a query, empty if it has none."""
    reference = from_query(query)[0].get("request_uri", "") if "request_uri" in query else ""
    return reference if reference.startswith(PREFIX) else ""


def resolved(sandbox: "Sandbox", query: str) -> str | None:
    """Return the query that a reference stands for, or the query itself where there is none.

    ``None`` for a reference that is unknown, expired, used, or another client's.
    """
    if not (reference := reference_in(query)):
        return query
    pushed = sandbox.logins.pushed.get(reference)
    if pushed is None or pushed.expires_at <= sandbox.clock.now():
        return None
    return pushed.query if from_query(query)[0].get("client_id") == pushed.client_id else None
