"""The findings of the lint, counted by client and rule."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from oauth_sandbox.request import Endpoint

DATA = Path(__file__).with_name("rules.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    """A mistake, in words."""

    name: str
    title: str
    why: str
    remedy: str
    reference: str


def _load() -> Mapping[str, Rule]:
    document = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return {name: Rule(name, **texts) for name, texts in document.items()}


RULES = _load()


@dataclass(slots=True)
class Finding:
    """A rule that a client broke ``count`` times; ``client_id`` is ``None`` for an unknown client.

    Times are the sandbox's. ``request_id`` is the last one's. ``drill`` is true when a drill did it, on purpose.
    ``detail`` says more about the last time, where there is more.
    """

    rule: Rule
    client_id: str | None
    endpoint: Endpoint
    count: int
    first_at: datetime
    last_at: datetime
    request_id: str
    drill: bool = False
    detail: str = ""


class Lint:
    """The findings, in the order of their first occurrence, bounded by clients times rules.

    While ``drill`` is true they are counted apart, as those of a drill.
    """

    def __init__(self) -> None:
        self._findings: dict[tuple[str | None, str, bool], Finding] = {}
        self.drill = False
        self.states = RecentStates()
        self.nonces = RecentStates()
        self.unknown_clients = UnknownClients()

    def findings(self, client_id: str | None = None) -> tuple[Finding, ...]:
        """Return all findings, or those of one client."""
        return tuple(finding for finding in self._findings.values() if client_id in (None, finding.client_id))

    def add(
        self,
        names: Iterable[str],
        client_id: str | None,
        endpoint: Endpoint,
        now: datetime,
        request_id: str,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Count the rules that a request broke; ``details`` are words about some of them."""
        for name in names:
            finding = self._findings.get(key := (client_id, name, self.drill))
            if finding is None:
                finding = Finding(RULES[name], client_id, endpoint, 1, now, now, request_id, self.drill)
                self._findings[key] = finding
            else:
                finding.count += 1
                finding.endpoint, finding.last_at, finding.request_id = endpoint, now, request_id
            finding.detail = (details or {}).get(name, "")

    def knows(self, client_id: str) -> bool:
        """Return true when a request named this client, or a finding is of it; it may be removed since."""
        return client_id in self.unknown_clients or bool(self.findings(client_id))

    def put(self, finding: Finding) -> None:
        """Have a finding as it is, in place of the same client's of the same rule."""
        self._findings[finding.client_id, finding.rule.name, finding.drill] = finding

    def clear(self, client_id: str | None = None) -> None:
        """Remove all findings, or those of one client."""
        for finding in self.findings(client_id):
            del self._findings[finding.client_id, finding.rule.name, finding.drill]
        if client_id is None:
            self.states, self.nonces = RecentStates(), RecentStates()


class UnknownClients:
    """The last client ids of requests that no client has, so that one may ask about them."""

    MOST = 1000
    LONGEST = 100

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}

    def __contains__(self, client_id: str) -> bool:
        """Return true when a request named this client."""
        return client_id in self._ids

    def add(self, client_id: str) -> None:
        """Remember an id; past ``MOST`` the oldest is dropped, and a longer one than a client may have is ignored."""
        if 0 < len(client_id) <= self.LONGEST:
            self._ids[client_id] = None
            if len(self._ids) > self.MOST:
                del self._ids[next(iter(self._ids))]

    def clear(self) -> None:
        """Forget every id."""
        self._ids.clear()


class RecentStates:
    """The states, or the nonces, of the last authorization requests, to detect reuse."""

    MOST = 1000

    def __init__(self) -> None:
        self._seen: dict[tuple[str | None, str], str] = {}

    def is_reused(self, client_id: str | None, state: str, query: str) -> bool:
        """Return true when a different request had this state; a reload repeats the same request."""
        first = self._seen.setdefault((client_id, state), query)
        if len(self._seen) > self.MOST:
            del self._seen[next(iter(self._seen))]
        return first != query
