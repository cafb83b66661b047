"""The state of the History page in its address, so that a link is a saved view."""

from urllib.parse import urlencode

import streamlit as st

from oauth.history.filters import Filters
from oauth.history.terms import TERMS
from pages.parts.common import session

BEFORE = "before"
"""The row after which the list continues."""

ROW = "row"
"""The open exchange."""

WITH = "with"
"""The row that it is compared with."""

CONCEALED = "history.concealed"
"""In the session: whether a secret was replaced in the filters, which the page then says."""

COLUMNS, ZONE = "columns", "zone"
"""The columns and the time zone of downloads."""

SHOW = "show"
"""The view: ``repeats`` or ``charts``, the list when absent."""

LONGEST_NUMBER = 18
"""Digits of a row's number, which the database holds in 64 bits."""


def filters() -> Filters:
    """Return the filters in the address, without secrets. Raises ``FilterError`` and ``HistoryError``."""
    wanted = Filters.from_query(st.query_params.to_dict())
    if wanted != st.session_state.get(_SAFE):
        safe = redacted(wanted)
        if safe != wanted:
            put_filters(safe)
        wanted = st.session_state[_SAFE] = safe
    return wanted


def redacted(filters: Filters) -> Filters:
    """Return the filters without secrets, and say so on the page. Raises ``FilterError`` and ``HistoryError``."""
    safe = filters.redacted(session.redacted)
    line = session.redacted(safe.line)
    if line != safe.line:  # a name and its value in different words
        safe = Filters.parse(line)
    if safe != filters:
        st.session_state[CONCEALED] = True
    return safe


def pieces() -> list[str]:
    """Return the filters in the address as pieces of a line, including invalid ones."""
    query = st.query_params.to_dict()
    return [f"{name}:{value}" for name, value in query.items() if name in _FILTERS and value]


def put_filters(filters: Filters) -> None:
    """Replace the filters in the address, and start from the newest exchange."""
    for name in (*_FILTERS, BEFORE, ROW, WITH):
        st.query_params.pop(name, None)
    for name, value in filters.to_query().items():
        st.query_params[name] = value


def number(name: str) -> int | None:
    """Return a row number of the address, ``None`` when it is absent or cannot be one."""
    value = st.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER else None


def put(name: str, value: str | int | None) -> None:
    """Set one parameter, or remove it when ``value`` is empty."""
    if value is None or value == "":
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)


def open_row(number: int | None) -> None:
    """Open another exchange, or none, without a comparison."""
    put(ROW, number)
    put(WITH, None)


def link() -> str:
    """Return the whole address of this view."""
    return f"{session.origin()}/history?{urlencode(st.query_params.to_dict())}"


_SAFE = "history.filter.safe"
_FILTERS = [f"{sign}{term.name}" for term in TERMS for sign in ("", "-")]
