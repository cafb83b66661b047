"""The text pasted on the Diagnose page, kept in the memory of the session, with a vault of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import streamlit as st

from oauth import isolation, parameters, paste
from oauth.catalogue.explain import Explanation
from oauth.diagnosis.pasted import Finding, Paste
from oauth.flow import Client
from oauth.history.past import HistoryPast
from oauth.installation import current as installation
from oauth.installation import now
from oauth.replay import Replay, replay
from oauth.request_builder import checked_url
from pages.parts.common import clock, session, uploads
from pages.parts.common import provider as profile
from pages.parts.errors.drill import setting
from pages.parts.walkthrough import prefill
from pages.parts.walkthrough.actions import ACTION_OF

READING = "diagnose.reading"
PROBLEM = "diagnose.problem_text"
UPLOADS = "diagnose.uploads"
TEXT = "diagnose.text"
WAITING = "diagnose.waiting"
"""Session key of a long text that is to be read, with the function that empties the place where it came from."""

CLEARED = "diagnose.cleared"
"""Session key that is set when the text in the field was read: the next run empties the field."""

LONG = 64 * 1024
"""Number of characters from which a text is read in a process of its own, with its limits of time and memory."""

MANY = 1_000
"""Number of items from which a progress bar is shown."""

T = TypeVar("T")


@dataclass
class Reading:
    """A pasted text, with what this session saved and replayed of it."""

    paste: Paste
    saved: tuple[int, ...] = ()
    replayed: dict[int, Replay] = field(default_factory=dict)
    _last: tuple[object, list[Finding]] = (None, [])

    @property
    def source(self) -> str:
        """The recognised formats, in words."""
        return ", ".join(dict.fromkeys(item.source for item in self.paste.items if item.source)) or "text"

    def findings(self, first: int, count: int, *, with_history: bool) -> list[Finding]:
        """Diagnose some exchanges; the last result is kept for redraws of the page."""
        zone = clock.tz()
        query = (first, count, with_history, zone)
        if self._last[0] != query:
            history = HistoryPast(installation().history) if with_history else None
            findings = self.paste.findings(first, count, further=history, zone=zone, progress=with_progress)
            self._last = query, list(findings)
        return self._last[1]

    def save(self, case: str, owner: str) -> None:
        """Store every exchange in the history, redacted, under a case. Raises ``HistoryError``."""
        history, case, ids = installation().history, session.redacted(case, self.paste.vault), []
        for position in with_progress("Saving", range(len(self.paste.items))):
            exchange = replace(self.paste.redacted(position), case=case, owner=owner)
            explanation = self.paste.explanation(position)
            id = history.begin(exchange)
            history.complete(
                id,
                exchange,
                documented_error=explanation.number if explanation else None,
                error=explanation.error if explanation else "",
                error_description=explanation.error_description if explanation else "",
                entry=explanation.entry if explanation else "",
                begun=exchange,
            )
            ids.append(id)
        self.saved = tuple(ids)

    def can_open(self, position: int) -> bool:
        """Return True if the walkthrough has a step for the request."""
        return self.paste.items[position].request is not None and self.paste.exchanges[position].step in ACTION_OF

    def open_in_walkthrough(self, position: int) -> None:
        """Start a flow at the request's provider, or else the sandbox, with the request's fields filled in."""
        exchange = self.paste.exchanges[position]
        host = checked_url(exchange.request.url, "address").netloc
        known = profile.known()
        provider = next((item for item in known.values() if f"//{host}/" in item.token_endpoint), known["sandbox"])
        reading, basic = parameters.read(exchange.request), parameters.basic(exchange.request)
        client = Client(
            basic.id if basic else reading.value("client_id"),
            basic.secret if basic else reading.value("client_secret"),
        )
        profile.preselect("walkthrough", provider)
        st.session_state[f"walkthrough.client.{provider.id}"] = session.OWN_CLIENT
        opened = session.start(provider, client, session.OWN_CLIENT)
        st.session_state["walkthrough.client_id"] = client.id
        st.session_state["walkthrough.client_secret"] = opened.vault.placeholder("client_secret", client.secret)
        st.session_state[session.OWN_SECRET] = client.secret
        prefill.fill(opened, ACTION_OF[exchange.step], exchange.request)

    def replay(self, position: int, explanation: Explanation | None) -> None:
        """Send the request to the sandbox, with the sandbox's own values in place of those it does not know."""
        where = setting(profile.known()["sandbox"])
        self.replayed[position] = replay(self.paste.exchanges[position], explanation, where)


def current() -> Reading | None:
    """Return the last text that was read in this session."""
    return st.session_state.get(READING)


def read_text() -> None:
    """Read the text of the field into the session, and empty the field, because the text may hold secrets."""
    text = st.session_state[TEXT] or ""
    if text.strip() or current() is None:  # an uploaded file is read at once, and some press the button all the same
        _read(text, _clear_field)


def clear_field() -> None:
    """Empty the field if its text was read; to be called before the field is drawn."""
    if st.session_state.pop(CLEARED, False):
        st.session_state[TEXT] = ""


def _clear_field() -> None:
    st.session_state[CLEARED] = True


def _clear_upload() -> None:
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1


def _read(text: str | bytes, clear: Callable[[], None]) -> None:
    """Read a text or a file, or leave a long one to ``read_waiting``; what cannot be read stays where it is."""
    if len(text) > LONG:
        st.session_state[WAITING] = text, clear
    else:
        _keep(lambda: paste.read(text) if isinstance(text, str) else paste.read_file(text), clear)


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
        reader = paste.read if isinstance(text, str) else paste.read_file
        _keep(lambda: isolation.call(reader, text, waiting=show), clear)
    except Exception:  # a fault of a reader: reported once, and not again in every run
        del st.session_state[WAITING]
        raise
    del st.session_state[WAITING]
    st.rerun()


def _cancel() -> None:
    st.session_state.pop(WAITING, None)
    st.session_state[PROBLEM] = "Reading was cancelled."


def _keep(reading: Callable[[], list[paste.Pasted]], clear: Callable[[], None]) -> None:
    try:
        items = reading()
    except (paste.ParseError, isolation.IsolationError) as error:
        st.session_state[PROBLEM] = str(error)
        return
    st.session_state[PROBLEM] = ""
    st.session_state[READING] = Reading(Paste(items, installation().vault(), now(), with_progress))
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
    file = st.session_state[upload_key()]
    if file is None:
        return
    content = file.getvalue()
    uploads.forget(file)
    _read(content, _clear_upload)


def upload_key() -> str:
    """Return the uploader's key: a new one after each file, which empties the uploader."""
    return f"diagnose.file.{st.session_state.get(UPLOADS, 0)}"
