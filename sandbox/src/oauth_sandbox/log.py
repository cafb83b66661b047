"""The request log: requests and their responses, bounded, without secrets.

It keeps only what is known not to be secret: names of known parameters, and values from known sets.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from oauth_sandbox.request import Endpoint, IncomingRequest

LONGEST = 1000
NAMES = frozenset(
    {
        "access_token",
        "client_id",
        "client_secret",
        "code",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "decision",
        "device_code",
        "grant_type",
        "id_token_hint",
        "max_age",
        "nonce",
        "password",
        "post_logout_redirect_uri",
        "prompt",
        "redirect_uri",
        "refresh_token",
        "request_uri",
        "response_type",
        "scope",
        "state",
        "token",
        "token_type_hint",
        "user",
        "user_code",
        "username",
    }
)
GRANT_TYPES = frozenset(
    {
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
    }
)
WORDS = frozenset(
    {
        "",
        "access_token",
        "adverts",
        "api",
        "attributes",
        "authorization",
        "authorize",
        "categories",
        "cities",
        "client_credentials",
        "commands",
        "connect",
        "districts",
        "introspect",
        "login",
        "me",
        "messages",
        "oauth",
        "oauth2",
        "open",
        "partner",
        "regions",
        "revoke",
        "sandbox",
        "statistics",
        "threads",
        "token",
        "tokens",
        "user",
        "userinfo",
        "users",
        "v1",
        "v2",
    }
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Outcome(Struct):
    """The sandbox's part of a log entry, filled in while the request is processed."""

    request_id: str
    at: datetime
    status: int | None = None
    client_id: str | None = None
    error: str | None = None
    fault: str | None = None
    findings: Sequence[str] = ()
    duration_ms: float = 0


class Entry(Struct, frozen=True):
    """A request. ``at`` is the sandbox's time; ``endpoint`` is ``None`` for an unknown path, of which known words
    remain.

    ``parameters`` are the names of known parameters, ``error`` is the error code of the response, ``fault`` the fault
    that struck (``request-limit`` past the limit too), ``findings`` are those of the lint. Without a ``status`` the
    endpoint failed.
    """

    number: int
    request_id: str
    at: datetime
    method: str
    path: str
    endpoint: Endpoint | None
    client_id: str | None
    grant_type: str | None
    parameters: tuple[str, ...]
    status: int | None
    error: str | None
    fault: str | None
    findings: tuple[str, ...]
    duration_ms: float


class RequestLog:
    """The last requests. ``listener`` is called with each entry once it has its response."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self._number = 0
        self.listener: Callable[[Entry], None] | None = None

    def entries(self, limit: int = 100, after: int = 0, client_id: str | None = None) -> tuple[Entry, ...]:
        """Return the newest entries, newest first, with numbers above ``after``; of one client if given."""
        entries = (entry for entry in reversed(self._entries) if client_id in (None, entry.client_id))
        return tuple(entry for entry, _ in zip(entries, range(limit), strict=False) if entry.number > after)

    def add(self, request: IncomingRequest, path: str, outcome: Outcome) -> None:
        """Log a request to an endpoint."""
        grant_type, names = request.parameters.get("grant_type"), {*request.parameters, *request.query_parameters}
        self._append(
            request.method,
            path,
            outcome,
            endpoint=request.endpoint,
            grant_type=grant_type if grant_type in GRANT_TYPES else None,
            parameters=tuple(sorted(NAMES & names)),
        )

    def add_unknown(self, method: str, path: str, outcome: Outcome) -> None:
        """Log a request to an unknown path."""
        self._append(method, "/".join(segment if segment in WORDS else "…" for segment in path.split("/")), outcome)

    def refill(self, entries: Iterable[Entry]) -> None:
        """Replace the entries, given oldest first."""
        self._entries = deque(entries, maxlen=LONGEST)

    def clear(self) -> None:
        """Remove all entries; numbering continues."""
        self._entries.clear()

    def _append(
        self,
        method: str,
        path: str,
        outcome: Outcome,
        endpoint: Endpoint | None = None,
        grant_type: str | None = None,
        parameters: tuple[str, ...] = (),
    ) -> None:
        self._number += 1
        entry = Entry(
            number=self._number,
            request_id=outcome.request_id,
            at=outcome.at,
            method=method if method in METHODS else "other",
            path=path,
            endpoint=endpoint,
            client_id=outcome.client_id,
            grant_type=grant_type,
            parameters=parameters,
            status=outcome.status,
            error=outcome.error,
            fault=outcome.fault,
            findings=tuple(outcome.findings),
            duration_ms=round(outcome.duration_ms, 3),
        )
        self._entries.append(entry)
        if self.listener is not None:
            self.listener(entry)
