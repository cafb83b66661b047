"""The facets beside the list: filter values with the number of exchanges that match each."""

import streamlit as st

from oauth.catalogue import documented
from oauth.history.database import HistoryTimeout
from oauth.history.facets import Facet, facets
from oauth.history.filters import FilterError, Filters
from oauth.history.terms import ANY, SinceTerm, UntilTerm
from pages.parts.common import session
from pages.parts.common.markdown import escaped
from pages.parts.history import cache, filter_bar, url_state

SECONDS = 2.0
"""Time limit of all counts together; beyond it, only the newest exchanges are counted."""

_LABELS = {"step": "Step", "status": "Status", "error": "Error", "client": "Client", "case": "Case"}
_LONGEST = 28


def draw(filters: Filters, resolved: Filters, version: object) -> None:
    """Draw the facets and the time. ``version`` changes when the history does."""
    _time(filters)
    results: tuple[Facet, ...]
    try:
        with st.skeleton(height=320):
            results = cache.cached(
                "facets", (filters.line, version), lambda: tuple(facets(session.history(), resolved, SECONDS))
            )
    except HistoryTimeout:
        st.caption("Counting takes too long. Narrow the filters, or reload the page to try again.")
        return
    for facet in results:
        _pills(filters, facet)
        filter_bar.know(facet.name, (value for value, _ in facet.values if value != ANY))
    limits = [facet.newest for facet in results if facet.newest is not None]
    if limits:
        st.caption(f"Some counts cover only the newest {limits[0]:,} exchanges: counting all takes too long.")


def _pills(filters: Filters, facet: Facet) -> None:
    counts = dict(facet.values)
    selection = [value for value in filters.get(facet.name) if value in counts]
    if not counts:
        return
    key = f"history.filter.{facet.name}"
    st.session_state[key] = selection
    st.pills(
        _LABELS[facet.name],
        list(counts),
        selection_mode="multi",
        key=key,
        format_func=lambda value: f"{_named(facet.name, value)} :gray[{counts[value]:,}]",
        on_change=_chosen,
        args=(filters, facet.name),
        wrap=True,
    )


def _named(name: str, value: str) -> str:
    if name == "error" and value.isdecimal() and int(value) in documented():
        entry = documented()[int(value)]
        return f"{value} {_shortened(entry.error or entry.title)}"
    return _shortened("*" if value == ANY else value)


def _shortened(text: str) -> str:
    return escaped(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def _chosen(filters: Filters, name: str) -> None:
    selection = st.session_state[f"history.filter.{name}"]
    url_state.put_filters(filters.put(name, *selection))


def _time(filters: Filters) -> None:
    with st.container(horizontal=True, gap="small", key="history.times"):
        for term, label in ((SinceTerm, "Since"), (UntilTerm, "Until")):
            key = f"history.filter.{term.name}"
            current_value = next(iter(filters.get(term.name)), None)
            st.session_state[key] = current_value
            options = list(term.options) + (
                [current_value] if current_value and current_value not in term.options else []
            )
            st.selectbox(
                label,
                options,
                index=None,
                key=key,
                accept_new_options=True,
                placeholder="any time" if term is SinceTerm else "now",
                on_change=_timed,
                args=(filters, term.name),
                width="stretch",
            )
    if wrong := st.session_state.pop("history.time.wrong", ""):
        st.text(wrong)


def _timed(filters: Filters, name: str) -> None:
    value = st.session_state[f"history.filter.{name}"]
    try:
        url_state.put_filters(filters.put(name, value) if value else filters.put(name))
    except FilterError as error:
        st.session_state["history.time.wrong"] = str(error)
