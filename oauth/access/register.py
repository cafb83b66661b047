"""The register of people and their sessions, with the rows of both in the audit."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock

from oauth import kept_flows
from oauth.access import people, sign_outs
from oauth.access.audit import NOBODY, Audit, Event
from oauth.access.limits import Rate
from oauth.access.person import Person
from oauth.access.sign_in import Unreachable
from oauth.history.database import HistoryError

LIFETIME = timedelta(seconds=5)
"""Time for which a session that has not ended is not looked up again: a page asks for dozens of files."""

REFUSALS = Rate(60, 60)
"""The rate of refusals from one source that are recorded."""

ALL_REFUSALS = Rate(600, 60)
"""The rate of those from all sources, which a client can make up."""

SOURCES = 4096
"""Groups of sources, each with a rate of its own, so that made-up ones do not fill the database."""

MOST_ACTIVE = 10_000
"""Sessions that are known to go on."""


class Register:
    """The register of one console. Any thread may use it."""

    def __init__(self, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._audit = audit
        self._database = audit.history.database
        self._clock = clock
        self._active: dict[str, datetime] = {}
        self._lock = Lock()

    def has_ended(self, session: str) -> bool:
        """Return whether a session was signed out. One goes on while the database cannot be asked."""
        now = self._clock()
        with self._lock:
            if now - self._active.get(session, datetime.min.replace(tzinfo=UTC)) < LIFETIME:
                return False
        try:
            if sign_outs.has_ended(self._database, session):
                return True
        except HistoryError:
            return False
        with self._lock:
            if len(self._active) >= MOST_ACTIVE:
                self._active.clear()
            self._active[session] = now
        return False

    def sign_in(self, person: Person, address: str) -> None:
        """Record a sign-in. Raises ``Unreachable``: nobody signs in without a row of the audit."""
        email = str(person.claims.get("email", ""))
        try:
            former = people.seen(self._database, person, email, self._clock())
            self._audit.record(person, Event.SIGN_IN, detail=email, address=address)
            if former not in (None, person.role):
                detail = f"{former.label} before, {person.role.label} now"
                self._audit.record(person, Event.ROLE, person.id, detail=detail, address=address)
        except HistoryError as error:
            raise Unreachable(f"The sign-in could not be recorded. {error}") from error

    def sign_out(self, person: Person, address: str, browser: str) -> None:
        """End a session, and forget the flows of its ``browser``, which is the value of a cookie.

        Raises ``Unreachable``.
        """
        with self._lock:
            self._active.pop(person.session, None)
        until = self._clock() if person.expires is None else datetime.fromtimestamp(person.expires, UTC)
        try:
            self._audit.record(person, Event.SIGN_OUT, address=address)
            sign_outs.end(self._database, person.session, until)
            kept_flows.forget(self._database, browser, person.id)
        except HistoryError as error:
            raise Unreachable(f"Your session could not be ended everywhere. {error}") from error

    def record_refusal(self, reason: str, place: str, address: str, source: str) -> None:
        """Record a refusal of somebody from a ``source`` at a ``place``, an address of the console.

        Anybody can be refused any number of times: beyond the rates, and while the database cannot be written, the
        refusal is not recorded.
        """
        group = int.from_bytes(sha256(source.encode()).digest()[:4]) % SOURCES
        rates = ((REFUSALS, f"refusals of source {group}"), (ALL_REFUSALS, "refusals of the gate"))
        with suppress(HistoryError):
            if not any(rate.take(self._database, name) for rate, name in rates):
                self._audit.record(NOBODY, Event.REFUSAL, place, detail=reason, address=address, allowed=False)
