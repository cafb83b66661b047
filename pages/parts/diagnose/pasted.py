"""What was pasted on the Diagnose page, kept in the memory of the session, with a vault of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import streamlit as st

from oauth import parameters, paste
from oauth.catalogue.explain import Explanation, explain
from oauth.diagnosis import Cause, Earlier, NoPast, Past, diagnose, preflight
from oauth.diagnosis.pasted import learn
from oauth.exchange import Exchange, Step
from oauth.flow import Client
from oauth.history.past import HistoryPast
from oauth.history.store import HistoryError
from oauth.installation import current as installation
from oauth.installation import now
from oauth.paste import ParseError, Pasted
from oauth.recorder import Recorder
from oauth.replay import Replay, replay
from oauth.request_builder import checked_url
from pages.parts.common import clock, session
from pages.parts.common import provider as profile
from pages.parts.common.session import Shown
from pages.parts.errors.drill import setting
from pages.parts.walkthrough import prefill

READING = "diagnose.reading"
PROBLEM = "diagnose.problem_text"
UPLOADS = "diagnose.uploads"
WINDOW = 5_000
"""Exchanges before those that are drawn, in the same paste, that are evidence for them: a paste can have a hundred
thousand."""

MANY = 1_000
"""Exchanges from which work on all of them shows how far it is."""

T = TypeVar("T")

ACTION_OF = {Step.TOKEN: "token", Step.REFRESH: "refresh", Step.API: "api", Step.AUTHORIZE: "authorize"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One exchange as it is drawn. ``before_sending`` says what would fail of a request whose answer was not pasted."""

    position: int
    shown: Shown
    before_sending: tuple[Cause, ...] | None = None


@dataclass
class Reading:
    """The exchanges of one paste. ``exchanges`` hold real values; everything drawn or kept is redacted first."""

    pasted: tuple[Pasted, ...]
    exchanges: tuple[Exchange, ...] = field(repr=False)
    recorder: Recorder = field(repr=False)
    read_at: datetime
    saved: tuple[int, ...] = ()
    replayed: dict[int, Replay] = field(default_factory=dict)
    redacted: dict[int, Exchange] = field(default_factory=dict)
    last: tuple[object, list[Drawn]] = (None, [])

    @property
    def source(self) -> str:
        """The formats that were recognised, in words."""
        return ", ".join(dict.fromkeys(item.source for item in self.pasted if item.source)) or "text"

    def drawn(self, first: int, count: int, *, with_history: bool) -> list[Drawn]:
        """Some exchanges, redacted, explained and diagnosed; once, however often the page is drawn again."""
        asked = (first, count, with_history, clock.tz())
        if self.last[0] != asked:
            self.last = asked, list(self._drawn(range(first, min(first + count, len(self.exchanges))), with_history))
        return self.last[1]

    def _drawn(self, positions: range, with_history: bool) -> Iterator[Drawn]:
        before = range(max(0, positions.start - WINDOW), positions.start)
        self.redacted = {place: kept for place, kept in self.redacted.items() if before.start <= place < positions.stop}
        past = Earlier(HistoryPast(installation().history) if with_history else NoPast())
        for position in told("Looking at what came before", before):
            past.add(self._redacted(position))
        for position in positions:
            yield self._one(position, past)
            past.add(self._redacted(position))

    def _one(self, position: int, past: Past) -> Drawn:
        exchange, redacted = self.exchanges[position], self._redacted(position)
        vault, zone = self.recorder.vault, clock.tz()
        if self._is_lone_request(position):
            at = exchange.started_at
            causes = preflight(exchange.request, exchange.step, flow=None, past=past, vault=vault, now=at, zone=zone)
            return Drawn(position, Shown(redacted, None), causes)
        explanation = explain(redacted) if exchange.response is not None or self._is_callback(position) else None
        if explanation is None:
            return Drawn(position, Shown(redacted, None))
        diagnosis = diagnose(exchange, explanation, past=past, vault=vault, now=self.read_at, zone=zone)
        return Drawn(position, Shown(redacted, explanation, diagnosis))

    def save(self, case: str, owner: str) -> None:
        """Keep every exchange in the history, redacted, under a case. Raises ``HistoryError``."""
        kept = []
        for exchange in told("Saving", self.exchanges):
            begun = self.recorder.begin(replace(exchange, case=case, owner=owner))
            if begun.id is None:
                raise HistoryError(self.recorder.problem)
            self.recorder.complete(begun)
            kept.append(begun.id)
        self.saved = tuple(kept)

    def can_open(self, position: int) -> bool:
        """Whether the walkthrough has a step for it."""
        return self.pasted[position].request is not None and self.exchanges[position].step in ACTION_OF

    def open_in_walkthrough(self, position: int) -> None:
        """Begin a flow at the provider it was sent to, or else the sandbox, with the request's fields filled in."""
        exchange = self.exchanges[position]
        host = checked_url(exchange.request.url, "address").netloc
        known = profile.known()
        provider = next((item for item in known.values() if f"//{host}/" in item.token_endpoint), known["sandbox"])
        sent = parameters.read(exchange.request)
        basic = parameters.basic(exchange.request)
        client = Client(
            basic.id if basic else sent.value("client_id"),
            basic.secret if basic else sent.value("client_secret"),
        )
        profile.preselect("walkthrough", provider)
        st.session_state[f"walkthrough.client.{provider.id}"] = session.OWN_CLIENT
        opened = session.start(provider, client, session.OWN_CLIENT)
        st.session_state["walkthrough.client_id"] = client.id
        st.session_state["walkthrough.client_secret"] = opened.vault.placeholder("client_secret", client.secret)
        st.session_state[session.OWN_SECRET] = client.secret
        prefill.fill(opened, ACTION_OF[exchange.step], exchange.request)

    def replay(self, position: int, explanation: Explanation | None) -> None:
        """Send the request to the sandbox, with what only exists there in the place of what does not."""
        where = setting(profile.known()["sandbox"])
        self.replayed[position] = replay(self.exchanges[position], explanation, where)

    def _is_lone_request(self, position: int) -> bool:
        """Whether this is a request whose answer was not pasted."""
        item = self.pasted[position]
        return item.request is not None and item.response is None and not self._is_callback(position)

    def _redacted(self, position: int) -> Exchange:
        if position not in self.redacted:
            self.redacted[position] = self.recorder.vault.redact(self.exchanges[position])
        return self.redacted[position]

    def _is_callback(self, position: int) -> bool:
        return self.exchanges[position].step is Step.CALLBACK


def current() -> Reading | None:
    """What was read last in this session."""
    return st.session_state.get(READING)


def take(text: str) -> bool:
    """Read a pasted text; says whether it could be read."""
    try:
        with st.spinner("Reading", show_time=True):
            found = paste.read(text)
    except ParseError as error:
        st.session_state[PROBLEM] = str(error)
        return False
    st.session_state[PROBLEM] = ""
    at = now()
    recorder = installation().recorder()
    for item in told("Looking for secrets", found):
        learn(item, recorder.vault)
    exchanges = tuple(item.to_exchange(at) for item in found)
    st.session_state[READING] = Reading(tuple(found), exchanges, recorder, at)
    return True


def told(doing: str, items: Sequence[T]) -> Iterator[T]:
    """The items one by one; where there are many, a bar says how far the work on them is."""
    bar = st.progress(0.0, doing) if len(items) >= MANY else None
    for number, item in enumerate(items):
        if bar is not None and number % MANY == 0:
            bar.progress(number / len(items), f"{doing}: {number:,} of {len(items):,}")
        yield item
    if bar is not None:
        bar.empty()


def take_file(content: bytes) -> None:
    """Read a dropped file, and empty the place it was dropped at."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        st.session_state[PROBLEM] = f"The file is not text in UTF-8: reading stopped at byte {error.start}."
        return
    if take(text):
        st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1


def upload_key() -> str:
    """The uploader's key: another one for each file that was read, which empties it."""
    return f"diagnose.file.{st.session_state.get(UPLOADS, 0)}"
