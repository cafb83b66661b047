"""The text pasted on the Diagnose page, kept in the memory of the session, with a vault of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import streamlit as st

from oauth import isolation, parameters, paste
from oauth.catalogue.explain import Explanation
from oauth.diagnosis.pasted import LOOK_BACK, Finding, Paste
from oauth.diagnosis.rank import Rank, has_nothing
from oauth.diagnosis.story import Login, logins
from oauth.exchange import Request, Step, header
from oauth.flow import Client
from oauth.history.past import HistoryPast
from oauth.history.recognition import recognition
from oauth.installation import current as installation
from oauth.installation import now
from oauth.lenient_json import CUT
from oauth.replay import Replay, replay
from oauth.request_builder import checked_url
from pages.parts.common import clock, session, uploads
from pages.parts.common import provider as profile
from pages.parts.diagnose import marks
from pages.parts.errors.drill import setting
from pages.parts.walkthrough import own_client, prefill
from pages.parts.walkthrough.actions import ACTION_OF

READING = "diagnose.reading"
PROBLEM = "diagnose.problem_text"
UPLOADS = "diagnose.uploads"
TEXT = "diagnose.text"
LAST = "diagnose.last"
"""Session key of the hash of the last text that was read."""

CASE = "diagnose.case"
NUMBER = "diagnose.number"
"""Session key of the number of texts that were read."""

WAITING = "diagnose.waiting"
"""Session key of a long text that is to be read, with the function that empties the place where it came from."""

NOTHING = "diagnose.nothing_known"
"""Session key that is true when nothing was recognised in the last text."""

BEFORE_EXAMPLE = "diagnose.before_example"
"""Session key of the text that an example took the place of."""

CLEARED = "diagnose.cleared"
"""Session key that is set when the text in the field was read: the next run empties the field."""

EXAMPLES = {
    "curl": """curl -X POST https://provider.example/api/open/oauth/token -H "Content-Type: application/json" \\
  -d '{"grant_type": "authorization_code", "client_id": "200123", "redirect_uri": "https://app.example/callback"}'

HTTP/1.1 400 Bad Request
Content-Type: application/json

{"error": "invalid_request", "error_description": "Missing parameter: \\"code\\" is required"}""",
    "log": "2026-11-23 10:15:02 ERROR [worker-3] Token refresh failed: 400 Bad Request "
    """{"error":"invalid_grant","error_description":"Invalid refresh token"}""",
    "callback": "https://app.example/callback?error=unauthorized_client"
    "&error_description=The+grant+type+is+unauthorized+for+this+client_id&state=example",
}
"""Texts to try, by the name in their key: documented errors as people paste them."""

LONG = 64 * 1024
"""Number of characters from which a text is read in a process of its own, with its limits of time and memory."""

SECONDS = 90.0
"""Time after which a long log is read no further: what was read until then is shown."""

MOST_DIAGNOSED = 200
"""Failures of a text whose proven cause is kept when it is saved."""

MANY = 1_000
"""Number of items from which a progress bar is shown."""

T = TypeVar("T")


@dataclass
class Reading:
    """A pasted text, with what this session saved and replayed of it.

    ``number`` counts the texts from 1. ``read_to`` is the position up to which the text was read.
    """

    paste: Paste
    text: str = field(repr=False)
    read_to: int
    number: int = 1
    saved: tuple[int, ...] = ()
    replayed: dict[int, Replay] = field(default_factory=dict)
    _last: tuple[object, list[Finding]] = (None, [])
    _drawn: tuple[object, str] = (None, "")

    @property
    def source(self) -> str:
        """The recognised formats, in words."""
        return ", ".join(dict.fromkeys(item.source for item in self.paste.items if item.source)) or "text"

    @cached_property
    def order(self) -> list[tuple[int, Rank]]:
        """The position and the rank of every exchange, the likeliest error first."""
        likelihoods = self.paste.likelihoods(with_progress)
        return [(at, Rank(likelihoods[at][0])) for at in sorted(range(len(likelihoods)), key=likelihoods.__getitem__)]

    @property
    def shown(self) -> list[tuple[int, Rank]]:
        """Those of ``order`` that are shown one by one: all but the parts of pages."""
        return [(at, rank) for at, rank in self.order if rank is not Rank.PART]

    @cached_property
    def parts(self) -> list[int]:
        """The positions of the parts of pages, which the browser asked for by itself."""
        return [at for at, rank in self.order if rank is Rank.PART]

    @cached_property
    def logins(self) -> list[Login]:
        """The logins that a browser recorded; none where no page was recorded."""
        items = self.paste.items
        if all(item.step is not Step.PAGE for item in items):
            return []
        return logins(items, {at for at, rank in self.order if rank <= Rank.REMARK})

    @cached_property
    def cut(self) -> list[int]:
        """The positions of the exchanges that the text cuts off."""
        return [at for at, item in enumerate(self.paste.items) if CUT in item.repairs]

    def repairs(self, positions: Sequence[int]) -> dict[str, str]:
        """Return what was repaired, each kind once, with the numbers of its exchanges where there are several."""
        numbers: dict[str, list[int]] = {}
        for position in sorted(positions):
            for repair in self.paste.items[position].repairs:
                numbers.setdefault(repair, []).append(position + 1)
        is_several = len(self.paste.items) > 1
        return {repair: f" ({', '.join(map(str, places))})" if is_several else "" for repair, places in numbers.items()}

    @cached_property
    def line_stopped_at(self) -> int | None:
        """The number of the first line that was not read because the time was over, from 1; ``None`` for none."""
        return self.text.count("\n", 0, self.read_to) + 1 if self.read_to < len(self.text) else None

    @cached_property
    def unread(self) -> tuple[int, int]:
        """The number of lines from which nothing was read, and of all lines."""
        return marks.unread_lines(self.text, [item.spans for item in self.paste.items])

    def findings(self, positions: Sequence[int], *, with_history: bool) -> list[Finding]:
        """Diagnose some exchanges, in this order; the last result is kept for redraws of the page."""
        zone = clock.tz()
        query = (tuple(positions), with_history, zone)
        if self._last[0] != query:
            history = HistoryPast(session.history()) if with_history else None
            findings: dict[int, Finding] = {}
            for first, count in _windows(sorted(positions)):
                for finding in self.paste.findings(
                    first, count, only=positions, further=history, zone=zone, progress=with_progress
                ):
                    findings[finding.position] = finding
            self._last = query, [findings[position] for position in positions]
        return self._last[1]

    def marked(self, positions: Sequence[int]) -> str:
        """Return the text, redacted, with the numbers of the exchanges; of a long one the places of ``positions``."""
        spans = [item.spans for item in self.paste.items]
        query = {span for position in positions for span in spans[position]}  # one for all entries of a HAR
        if self._drawn[0] != query:
            self._drawn = query, marks.draw(self.text, spans, positions, self.paste.vault.replacements)
        return self._drawn[1]

    def save(self, case: str, owner: str) -> None:
        """Store every exchange in the history, redacted, under a case. Raises ``HistoryError``."""
        history, case, ids = session.history(), session.redacted(case, self.paste.vault), []
        failed = [at for at, rank in self.order if rank <= Rank.REMARK][:MOST_DIAGNOSED]
        findings = self.findings(failed, with_history=bool(st.session_state.get("diagnose.history"))) if failed else []
        causes = {finding.position: finding.diagnosis.proven for finding in findings if finding.diagnosis is not None}
        clients = self._clients()
        for position in with_progress("Saving", range(len(self.paste.items))):
            exchange = replace(self.paste.redacted(position), case=case, owner=owner, client_id=clients[position])
            explanation = self.paste.explanation(position)
            id = history.begin(exchange)
            history.complete(id, exchange, **recognition(explanation)._asdict(), begun=exchange)
            if cause := causes.get(position):
                history.set_cause(id, cause)
            ids.append(id)
        self.saved = tuple(ids)

    def _clients(self) -> list[str]:
        """Return the client id of every exchange: the one in its request, or else the first in its flow."""
        own = [_client(exchange.request) for exchange in self.paste.exchanges]
        flows = [exchange.flow for exchange in self.paste.exchanges]
        of_flow = {flow: client for flow, client in zip(reversed(flows), reversed(own), strict=True) if flow and client}
        return [
            self.paste.vault.redact_text(client or of_flow.get(flow, ""))
            for flow, client in zip(flows, own, strict=True)
        ]

    def can_open(self, position: int) -> bool:
        """Return True if the walkthrough has a step for the request."""
        return self.paste.items[position].request is not None and self.paste.exchanges[position].step in ACTION_OF

    def open_in_walkthrough(self, position: int) -> None:
        """Start a flow at the request's provider, or else the sandbox, with the request's fields filled in."""
        exchange = self.paste.exchanges[position]
        url = exchange.request.url
        host = checked_url(url, "address").netloc
        profiles = profile.known()
        # Both sandboxes are at the console's own host.
        at_host = [item for item in profiles.values() if f"//{host}/" in item.token_endpoint] or [profiles["sandbox"]]
        is_there = (item for item in at_host if url.startswith((item.token_endpoint, f"{item.api}/")))
        provider = next(is_there, at_host[0])
        reading, basic = parameters.read(exchange.request), parameters.basic(exchange.request)
        client = Client(
            _client(exchange.request),
            basic.secret if basic else reading.value("client_secret"),
            (provider.api_key_header and header(exchange.request.headers, provider.api_key_header)) or "",
        )
        profile.preselect("walkthrough", provider)
        st.session_state[f"walkthrough.client.{provider.id}"] = session.OWN_CLIENT
        walkthrough = session.start(provider, client, session.OWN_CLIENT)
        own_client.fill_in(walkthrough.vault, provider, client)
        prefill.fill(walkthrough, ACTION_OF[exchange.step], exchange.request)

    def replay(self, position: int, explanation: Explanation | None) -> None:
        """Send the request to the sandbox, with the sandbox's own values in place of those it does not know."""
        where = setting(profile.known()["sandbox"])
        self.replayed[position] = replay(self.paste.exchanges[position], explanation, where)


def _client(request: Request) -> str:
    """Return the client id that a request names, empty where it names none."""
    basic = parameters.basic(request)
    return basic.id if basic else parameters.read(request).value("client_id")


def _windows(positions: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first position and the length of windows with all positions; two share one if they share evidence."""
    first = last = positions[0]
    for position in positions:
        if position - last > LOOK_BACK:
            yield first, last - first + 1
            first = position
        last = position
    yield first, last - first + 1


def current() -> Reading | None:
    """Return the last text that was read in this session."""
    return st.session_state.get(READING)


def read_text() -> None:
    """Read the text of the field into the session, and empty the field, because the text may hold secrets."""
    text = st.session_state[TEXT] or ""
    st.session_state.pop(BEFORE_EXAMPLE, None)
    if text.strip() or current() is None:  # an uploaded file is read at once, and some press the button all the same
        _read(text, _clear_field)


def read_example(text: str) -> None:
    """Put an example into the field and read it. It has no secrets, so it stays there."""
    before = st.session_state.get(TEXT) or ""
    if before.strip() and before not in EXAMPLES.values():
        st.session_state[BEFORE_EXAMPLE] = before
    st.session_state[TEXT] = text
    _read(text, lambda: None)


def forget() -> None:
    """Forget the result of the last text, with its ticket."""
    st.session_state.pop(READING, None)
    st.session_state[CASE] = ""
    st.session_state[PROBLEM], st.session_state[NOTHING] = "", False


def forget_last() -> None:
    """Forget the last text when another is in the field: its result is not that of the new text."""
    text = (st.session_state[TEXT] or "").strip()
    if text and hash(text) != st.session_state.get(LAST):  # which the button may have read by now
        forget()


def restore() -> None:
    """Put the text back that an example took the place of."""
    st.session_state[TEXT] = st.session_state.pop(BEFORE_EXAMPLE)


def clear_field() -> None:
    """Empty the field if its text was read; to be called before the field is drawn."""
    if st.session_state.pop(CLEARED, False):
        st.session_state[TEXT] = ""


def _clear_field() -> None:
    st.session_state[CLEARED] = True


def _clear_upload() -> None:
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1


def _read(text: str, clear: Callable[[], None]) -> None:
    """Read a text, or leave a long one to ``read_waiting``; a text that cannot be read stays where it is."""
    if len(text) > LONG:
        st.session_state[WAITING] = text, clear
    else:
        _keep(text, lambda: (paste.read(text), len(text)), clear)


def read_waiting() -> None:
    """Read a long text, if one waits, and show the progress with a button that cancels it."""
    if WAITING not in st.session_state:
        return
    text, clear = st.session_state[WAITING]
    with st.container(border=True, key="diagnose.waiting"):
        progress = st.empty()
        st.button("Cancel", key="diagnose.cancel", icon=":material/close:", on_click=_cancel)

    def show(seconds: float, last: str) -> None:
        progress.text(f"{seconds:.0f} s: {last or 'starting'}")

    show(0, "")
    try:
        _keep(text, lambda: isolation.call(paste.read_within, text, SECONDS, waiting=show), clear)
    except Exception:  # a fault of a reader: reported once, and not again in every run
        del st.session_state[WAITING]
        raise
    del st.session_state[WAITING]
    st.rerun()


def _cancel() -> None:
    st.session_state.pop(WAITING, None)
    st.session_state[PROBLEM] = "Reading was cancelled."


def _keep(text: str, reading: Callable[[], tuple[list[paste.Pasted], int]], clear: Callable[[], None]) -> None:
    forget()
    st.session_state[LAST] = hash(text.strip())
    try:
        items, read_to = reading()
    except (paste.ParseError, isolation.IsolationError) as error:
        st.session_state[NOTHING] = isinstance(error, paste.ParseError) and has_nothing(text, error)
        st.session_state[PROBLEM] = str(error)
        if isinstance(error, isolation.IsolationError):
            st.session_state[PROBLEM] = (
                f"Reading stopped: {error}. Cut out the part around the error, and diagnose that."
            )
        return
    number = st.session_state[NUMBER] = st.session_state.get(NUMBER, 0) + 1
    read = Paste(items, installation().vault(), now(), with_progress)
    st.session_state[READING] = Reading(read, text, read_to, number)
    if read_to == len(text):
        clear()


def with_progress(work: str, items: Sequence[T], /) -> Iterator[T]:
    """Yield the items, with a progress bar if there are many."""
    bar = st.progress(0.0, work) if len(items) >= MANY else None
    for number, item in enumerate(items):
        if bar is not None and number % MANY == 0:
            bar.progress(number / len(items), f"{work}: {number:,} of {len(items):,}")
        yield item
    if bar is not None:
        bar.empty()


def read_file() -> None:
    """Read the uploaded file into the session, and empty the uploader."""
    file = uploads.take(upload_key())
    if file is None:
        return
    try:
        text = file[1].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        st.session_state[PROBLEM] = f"The file is not UTF-8 text: the byte at offset {error.start} is invalid."
        return
    del file
    _read(text, _clear_upload)


def upload_key() -> str:
    """Return the uploader's key: a new one after each file, which empties the uploader."""
    return f"diagnose.file.{st.session_state.get(UPLOADS, 0)}"
