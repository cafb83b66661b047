"""The request log: what came in and how it was answered, bounded, without secrets.

Of what a client sends only that is kept which is known to be no secret: names of known parameters, and values that are
one of a known set.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from oauth.sandbox.request import Endpoint, IncomingRequest

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
        "grant_type",
        "password",
        "redirect_uri",
        "refresh_token",
        "response_type",
        "scope",
        "state",
        "token",
        "user",
        "username",
    }
)
GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})
WORDS = frozenset(
    {
        "",
        "access_token",
        "api",
        "authorization",
        "authorize",
        "cities",
        "client_credentials",
        "connect",
        "introspect",
        "login",
        "me",
        "oauth",
        "oauth2",
        "open",
        "partner",
        "revoke",
        "sandbox",
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


@dataclass(slots=True)  # not frozen: every request makes one, and frozen ones take three times as long to make
class Entry:
    """One request. ``at`` is the sandbox's time; ``endpoint`` is ``None`` for an address that there is not, of whose
    ``path`` only known words are kept.

    ``parameters`` are the names that were sent. ``error`` is the code that was answered, ``fault`` what was provoked
    (``request-limit`` past the limit too), ``findings`` are the lint's. Without a ``status`` the endpoint failed.
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
    """The last requests. ``listener`` is told of each when it was answered."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self._number = 0
        self.listener: Callable[[Entry], None] | None = None

    def entries(self, limit: int = 100, after: int = 0, client_id: str | None = None) -> tuple[Entry, ...]:
        """The newest, newest first: those numbered higher than ``after``, and of one client if it is given."""
        found = (entry for entry in reversed(self._entries) if client_id in (None, entry.client_id))
        return tuple(entry for entry, _ in zip(found, range(limit), strict=False) if entry.number > after)

    def add(
        self,
        request_id: str,
        at: datetime,
        path: str,
        request: IncomingRequest,
        client_id: str | None,
        status: int | None,
        error: str | None,
        fault: str | None,
        findings: Sequence[str],
        duration_ms: float,
    ) -> None:
        """Keep a request to an endpoint."""
        grant_type = request.parameters.get("grant_type")
        names = request.parameters.keys() | request.query_parameters.keys()
        self._keep(
            Entry(
                number=self._next(),
                request_id=request_id,
                at=at,
                method=_method(request.method),
                path=path,
                endpoint=request.endpoint,
                client_id=client_id,
                grant_type=grant_type if grant_type in GRANT_TYPES else None,
                parameters=tuple(sorted(names & NAMES)),
                status=status,
                error=error,
                fault=fault,
                findings=tuple(findings),
                duration_ms=duration_ms,
            )
        )

    def add_other(
        self, request_id: str, at: datetime, path: str, method: str, status: int | None, duration_ms: float
    ) -> None:
        """Keep a request to an address that there is not."""
        self._keep(
            Entry(
                number=self._next(),
                request_id=request_id,
                at=at,
                method=_method(method),
                path="/".join(segment if segment in WORDS else "…" for segment in path.split("/")),
                endpoint=None,
                client_id=None,
                grant_type=None,
                parameters=(),
                status=status,
                error=None,
                fault=None,
                findings=(),
                duration_ms=duration_ms,
            )
        )

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._entries.clear()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        if self.listener is not None:
            self.listener(entry)


def _method(method: str) -> str:
    return method if method in METHODS else "other"
