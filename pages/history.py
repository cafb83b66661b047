"""The History page: filters, list, facets, repeats, charts and one exchange in detail."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth.access import Action
from oauth.history.database import HistoryTimeout
from oauth.history.deletion import last_id
from oauth.history.filters import FilterError, Filters
from oauth.history.store import HistoryError
from oauth.history.time_limits import Count, count
from oauth.installation import now
from pages.parts.common import clock, notices, session
from pages.parts.common.permissions import may
from pages.parts.history import (
    cache,
    downloads,
    exchange_detail,
    facets,
    filter_bar,
    listing,
    origins,
    repeats,
    toolbar,
    url_state,
)

SECONDS = 1.0
"""Time limit for counting the list; beyond it, a lower bound is shown."""

SHOWN = {None: "Exchanges", "repeats": "Repeats", "charts": "Charts"}


def page() -> None:
    """Draw the history."""
    st.title("History", anchor=False)
    line = st.container(key="history.line")
    filters: Filters | None = None
    try:
        filters = filter_bar.read()
        if filters is not None:
            _history(filters)
    except (FilterError, HistoryError) as error:
        notices.error("Could not show the history", error)
    with line:
        filter_bar.draw(filters)


def _history(typed: Filters) -> None:
    history = session.history()
    filters = origins.shown(typed)
    resolved = filters.resolved(now(), clock.tz())
    version = last_id(history)
    for notice in history.notices:
        notices.warning("The history was damaged when the console opened it", notice)
    if count_deleted := st.session_state.pop("history.deleted", 0):
        st.success(f"{count_deleted:,} {'exchange' if count_deleted == 1 else 'exchanges'} deleted")
    if not version:
        begin = "Walk through the flow" if may(Action.SEND) else "Diagnose a text and save it"
        st.info(f"No exchanges yet. {begin}: every request and response is recorded here.")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            if may(Action.SEND):
                st.page_link("walkthrough.py", label="Open the walkthrough", icon=":material/footprint:")
            toolbar.import_()
        return
    bar = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="history.bar"
    )
    with bar:
        summary = _switch(typed)
    row = url_state.number(url_state.ROW)
    # The open exchange takes the place of the facets: the list stays where it is, and is only narrower.
    main, side = st.columns([5, 1.35] if row is None else [4, 5], gap="medium")
    with main:
        _main(filters, resolved, version)
    if row is not None:
        with side, st.container(key="history.open"):
            exchange_detail.draw(row)
    number = cache.cached("count", (filters.line, version), lambda: count(history, resolved, SECONDS))
    summary.text(f"{number} {'exchange' if str(number) == '1' else 'exchanges'}, newest first")
    with bar:
        _tools(filters, resolved, number)
    if row is None:
        with side:
            facets.draw(typed, resolved, version)


def _main(filters: Filters, resolved: Filters, version: int) -> None:
    """Draw the list, the repeats or the charts, before anything is counted."""
    view = st.query_params.get(url_state.SHOW)
    if view in ("repeats", "charts"):
        try:
            if view == "repeats":
                repeats.draw(filters, resolved, version)
            else:
                from pages.parts.history import charts  # imported late: their library takes 20 MiB

                charts.draw(filters, resolved, version)
        except HistoryTimeout as error:
            st.info(str(error))
    else:
        rows = listing.read(resolved)
        if rows or url_state.number(url_state.BEFORE) is not None:
            listing.draw(resolved, rows, version)
        else:
            st.info("No exchanges match these filters. Remove a filter to see more.")
            if origins.hides(filters):
                st.caption("Drills and imports are hidden. Select *Drills and imports* above to see them too.")


def _switch(filters: Filters) -> DeltaGenerator:
    """Draw the switch between the views, before a slow one is drawn; return the slot of the count."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", width="content"):
        st.session_state["history.show"] = SHOWN.get(st.query_params.get(url_state.SHOW), SHOWN[None])
        st.segmented_control(
            "Show",
            list(SHOWN.values()),
            key="history.show",
            label_visibility="collapsed",
            on_change=_show,
            required=True,
        )
        summary = st.empty()
        origins.draw(filters)
        return summary


def _tools(filters: Filters, resolved: Filters, number: Count) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        downloads.draw(resolved, number)
        toolbar.import_()
        toolbar.secret()
        toolbar.delete(filters, resolved)


def _show() -> None:
    choice = st.session_state["history.show"]
    url_state.put(url_state.SHOW, next((name for name, label in SHOWN.items() if label == choice), None))


page()
