"""Exchanges grouped by result, a line per group."""

import streamlit as st

from oauth.catalogue import documented
from oauth.history.filters import FilterError, Filters
from oauth.history.repeats import Repeat, repeats
from pages.parts.common import session, table
from pages.parts.history import cache, url_state

SECONDS = 4.0
"""Time limit for grouping all exchanges; beyond it, only the newest are grouped."""

KEY = "history.repeats"
_GROUPS = "history.repeats.groups"


def draw(filters: Filters, resolved: Filters, version: object) -> None:
    """Draw the groups. Selecting one filters by it. Raises ``HistoryError``."""
    with st.spinner("Grouping exchanges", show_time=True):
        result = cache.cached("repeats", (filters.line, version), lambda: repeats(session.history(), resolved, SECONDS))
    st.session_state[_GROUPS] = result.groups
    counts = st.column_config.NumberColumn(width=90, format="localized")
    table.draw(
        KEY,
        {
            "count": (counts, [group.count for group in result.groups]),
            "step": (90, [group.step for group in result.groups]),
            "status": (100, [_status(group) for group in result.groups]),
            "error": (150, [_error(group) for group in result.groups]),
            "description": (290, [group.description or group.failure for group in result.groups]),
            "first seen": (150, [group.first for group in result.groups]),
            "last seen": (150, [group.last for group in result.groups]),
        },
        680,
        _open,
    )
    if problem := st.session_state.pop("history.repeats.wrong", ""):
        st.text(f"Cannot filter by this group: {problem}")
    caption = "Select a line to see its exchanges."
    if result.newest is not None:
        caption += (
            f" Only the newest {result.newest:,} are grouped: there are too many. Narrow the filters to include all."
        )
    st.caption(caption)


def _status(group: Repeat) -> str:
    return str(group.status) if group.status else "failed" if group.failure else "no response"


def _error(group: Repeat) -> str:
    if group.documented_error is not None and group.documented_error in documented():
        return f"{group.documented_error} {documented()[group.documented_error].error or group.error}".strip()
    return group.error


def _open() -> None:
    line = table.selected_line(KEY)
    if line is None:
        return
    group: Repeat = st.session_state[_GROUPS][line]
    try:
        url_state.put_filters(group.within(url_state.filters()))
    except FilterError as error:
        st.session_state["history.repeats.wrong"] = str(error)
        return
    url_state.put(url_state.SHOW, None)
