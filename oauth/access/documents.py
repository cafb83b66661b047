"""The metadata and the keys of a provider or a proxy, read from its server and kept for a while."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from oauth.access.sign_in import Unreachable
from oauth.client import send_unrecorded
from oauth.connection_settings import ConnectionSettings
from oauth.exchange import Exchange, Request, Step
from oauth.providers.well_known import DiscoveryError, document
from oauth.request_builder import build_request

LIFETIME = timedelta(hours=1)
"""Time after which a document is read again, in case it has changed."""

PATIENCE = timedelta(minutes=1)
"""Time between two readings for a key that is not in the set: anybody can send a JWT with a new ``kid``."""

FAILURE_LIFETIME = timedelta(seconds=5)
"""Time after which a failed read is tried again: the requests that waited for it fail at once."""

CONNECTION = ConnectionSettings(connect_timeout=5.0, read_timeout=5.0, total_timeout=8.0)
"""The time limits: a sign-in may need four documents, one after the other."""

_ERROR = re.compile(rb'"error"\s*:\s*"([a-z_]{1,60})"')


def ask(step: Step, request: Request, now: datetime) -> Mapping[str, Any]:
    """Send a request and return the members of the JSON object that comes back. Raises ``Unreachable``."""
    exchange = send_unrecorded(Exchange(step, request, now), CONNECTION)
    place = request.url.partition("?")[0]
    if exchange.response is None:
        reason = exchange.failure.kind.replace("_", " ") if exchange.failure else "no response"
        raise Unreachable(f"{place} could not be read: {reason}. Try again, or ask whoever runs this console.")
    try:
        return document(exchange.response)
    except DiscoveryError as error:
        code = _ERROR.search(exchange.response.body)
        reason = f"It returned {exchange.response.status}, {code[1].decode()}." if code else str(error)
        raise Unreachable(f"{place} could not be read: {reason}") from error


class Documents:
    """Documents by their address. Any thread may use it; one that asks again meanwhile waits for the first."""

    def __init__(
        self, clock: Callable[[], datetime], ask: Callable[[Step, Request, datetime], Mapping[str, Any]] = ask
    ):
        self._clock = clock
        self._ask = ask
        self._cache: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
        self._failed: dict[str, tuple[datetime, Unreachable]] = {}
        self._lock = Lock()

    def read(self, url: str, step: Step = Step.DISCOVERY, lifetime: timedelta = LIFETIME) -> Mapping[str, Any]:
        """Return a document that is not older than ``lifetime``. Raises ``Unreachable`` when it was never read."""
        with self._lock:
            now = self._clock()
            cached = self._cache.get(url)
            if cached is not None and now - cached[0] < lifetime:
                return cached[1]
            failed = self._failed.get(url)
            if cached is None and failed is not None and self._clock() - failed[0] < FAILURE_LIFETIME:
                raise Unreachable(str(failed[1]))
            try:
                members = self._ask(step, build_request("GET", url), now)
            except Unreachable as error:
                if cached is None:
                    self._failed[url] = self._clock(), error
                    raise
                members = cached[1]  # what was true until now; it is asked for again later
            self._cache[url] = now, members
            return members

    def keys(self, url: str, kid: str) -> Sequence[Mapping[str, Any]]:
        """Return a server's keys (RFC 7517 §5), read again where none has this ``kid``. Raises ``Unreachable``."""
        keys = _keys(self.read(url, Step.JWKS))
        if not kid or any(key.get("kid") == kid for key in keys):
            return keys
        return _keys(self.read(url, Step.JWKS, PATIENCE))


def _keys(members: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    keys = members.get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
