"""The list: one page of exchanges, newest first, updated live."""

from datetime import timedelta
from typing import Any

import streamlit as st

from oauth.catalogue import documented
from oauth.exchange import Step
from oauth.history.deletion import last_id
from oauth.history.filters import Filters
from oauth.history.store import HistoryError, Row
from oauth.installation import now
from pages.parts.common import clock, drawing, session, table
from pages.parts.history import filter_bar, url_state

PAGE = 50

HEIGHT = 680
"""Largest height of the table in pixels."""

KEY = "history.table"
_ROWS = "history.rows"
_OPENED = "history.opened"
_SEEN = "history.seen"

SOON = 2
"""Seconds between updates while a flow is running."""

SELDOM = 15
"""Seconds between updates otherwise."""

UNKNOWN = "unknown"
"""The status of a pasted response that came without it."""

UNVERIFIED = "not checked"
"""Label of an exchange whose server certificate was not verified."""

RUNNING = timedelta(minutes=2)
"""Time after its last exchange for which a flow counts as running."""


def read(filters: Filters) -> list[Row]:
    """Read the page of the list that the address names. Raises ``HistoryError``.

    It stays in the memory of the session, so it is read without headers and bodies.
    """
    return session.history().page(filters, url_state.number(url_state.BEFORE), PAGE, with_content=False)


def draw(filters: Filters, rows: list[Row], version: int) -> None:
    """Draw the list and its pager. The first page is updated live; ``version`` is the id of the last row so far."""
    st.session_state[_ROWS] = rows
    st.session_state[_SEEN] = version
    filter_bar.know("client", (row.exchange.client_id for row in rows))
    filter_bar.know("case", (row.exchange.case for row in rows))
    first = url_state.number(url_state.BEFORE) is None
    if first:
        drawing.fragment(SOON if is_running(rows) else SELDOM)(_followed)(filters, is_running(rows))
    else:
        _table(rows)
    _pager(rows)


def is_running(rows: list[Row]) -> bool:
    """Return True if the newest exchange is so recent that its flow counts as running."""
    return any(timedelta() <= now() - row.exchange.started_at < RUNNING for row in rows[:1])


def outcome(row: Row) -> str:
    """Return the status, or a word for its absence."""
    if row.damage:
        return "damaged"
    if row.exchange.response is not None:
        return str(row.exchange.response.status or UNKNOWN)
    return "failed" if row.exchange.failure is not None else "no response"


def error(row: Row) -> str:
    """Return the error in a few words."""
    if row.documented_error is not None and row.documented_error in documented():
        return f"{row.documented_error} · {documented()[row.documented_error].title}"
    return row.error or (row.exchange.failure.kind if row.exchange.failure else "")


def _followed(filters: Filters, running: bool) -> None:
    """Draw the list as a fragment, and read it again when an exchange was recorded or completed."""
    if st.session_state.pop(_OPENED, False):
        st.rerun()
    try:
        if _has_changed():
            st.session_state[_ROWS] = session.history().page(filters, None, PAGE, with_content=False)
    except HistoryError as problem:
        st.caption("Live updates paused")
        st.text(str(problem))
    rows: list[Row] = st.session_state[_ROWS]
    _table(rows)
    if is_running(rows) != running:
        st.rerun()


def _has_changed() -> bool:
    history = session.history()
    rows: list[Row] = st.session_state[_ROWS]
    ids = [
        row.exchange.id
        for row in rows
        if row.unanswered and row.exchange.step is not Step.CALLBACK and row.exchange.id is not None
    ]
    seen, st.session_state[_SEEN] = st.session_state[_SEEN], last_id(history)
    return seen != st.session_state[_SEEN] or (bool(ids) and history.some_answered(ids))


def _table(rows: list[Row]) -> None:
    marks = st.column_config.MultiselectColumn(width=105, options=[UNVERIFIED], color=["red"])
    outcomes = [outcome(row) for row in rows]
    distinct = sorted(set(outcomes))
    statuses = st.column_config.MultiselectColumn(
        width=95, options=distinct, color=[_colour(text, rows, outcomes) for text in distinct]
    )
    at, names = now(), session.names({row.exchange.owner for row in rows})
    columns: dict[str, tuple[Any, list[Any]]] = {
        "id": (st.column_config.NumberColumn(width=75, format="%d"), [row.exchange.id for row in rows]),
        "when": (95, [clock.ago(row.exchange.started_at, at) for row in rows]),
        "step": (85, [row.exchange.step.value for row in rows]),
        "status": (statuses, [[text] for text in outcomes]),
        "mark": (marks, [[UNVERIFIED] if "tls_unverified" in row.exchange.marks else [] for row in rows]),
        "error": (210, [error(row) for row in rows]),
        "time": (155, [row.exchange.started_at for row in rows]),
        "client": (110, [row.exchange.client_id for row in rows]),
        "case": (90, [row.exchange.case for row in rows]),
        "took": (75, [clock.took(row.exchange) for row in rows]),
        "request": ("large", [f"{row.exchange.request.method} {row.exchange.request.url}".strip() for row in rows]),
        "note": ("medium", [row.note for row in rows]),
        "by": (120, [names.get(row.exchange.owner, row.exchange.owner) for row in rows]),
    }
    empty = {name for name in ("mark", "case", "note") if not any(columns[name][1])}
    opened = url_state.number(url_state.ROW)
    hidden = empty | ({"by"} if len(set(columns["by"][1])) < 2 else set())
    if opened is not None:
        hidden |= {"time"}  # the side panel has the exact one, and the error is in view
    selected = [index for index, row in enumerate(rows) if row.exchange.id == opened]
    table.draw(KEY, {name: column for name, column in columns.items() if name not in hidden}, HEIGHT, _open, selected)


def _colour(text: str, rows: list[Row], outcomes: list[str]) -> str:
    """Return the colour of a status: green where none of the rows with it has an error."""
    if not text.isdecimal():
        return "gray" if text in ("no response", UNKNOWN) else "red"
    if int(text) >= 400:
        return "red"
    return "gray" if any(row.error for row, shown in zip(rows, outcomes, strict=True) if shown == text) else "green"


def _open() -> None:
    line = table.selected_line(KEY)
    rows: list[Row] = st.session_state[_ROWS]
    url_state.open_row(None if line is None else rows[line].exchange.id)
    # The widget reruns only its fragment, and the exchange is drawn outside of it.
    st.session_state[_OPENED] = url_state.number(url_state.BEFORE) is None


def _pager(rows: list[Row]) -> None:
    with st.container(horizontal=True, gap="small"):
        if url_state.number(url_state.BEFORE) is not None:
            st.button("Newest", key="history.newest", icon=":material/first_page:", on_click=_go, args=(None,))
        if len(rows) == PAGE:
            last = rows[-1].exchange.id
            st.button("Older", key="history.older", icon=":material/chevron_right:", on_click=_go, args=(last,))


def _go(before: int | None) -> None:
    url_state.put(url_state.BEFORE, before)
    url_state.open_row(None)
