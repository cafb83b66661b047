"""The History page: filters, list, facets, repeats, charts and one exchange in detail."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth.exports import links
from oauth.history.database import HistoryTimeout
from oauth.history.deletion import last_id
from oauth.history.filters import FilterError, Filters
from oauth.history.store import HistoryError
from oauth.history.time_limits import Count, count
from oauth.installation import current, now
from pages.parts.common import clock, session
from pages.parts.history import cache, charts, exchange_detail, facets, filter_bar, listing, repeats, toolbar, url_state

SECONDS = 1.0
"""Time limit for counting the list; beyond it, a lower bound is shown."""

LINK_RENEWED = 30
"""Seconds between renewals of the download links, which expire after a minute."""

FORMATS = {
    "csv": ("CSV", "For a spreadsheet. No cell is taken for a formula."),
    "jsonl": ("JSON Lines", "For programs: one exchange per line, as stored."),
    "har": ("HAR", "For a browser's developer tools and other consoles."),
}

SHOWN = {None: "Exchanges", "repeats": "Repeats", "charts": "Charts"}


def page() -> None:
    """Draw the history."""
    st.title("History", anchor=False)
    try:
        filters = filter_bar.draw()
        if filters is not None:
            _history(filters)
    except (FilterError, HistoryError) as error:
        st.error("Could not show the history")
        st.text(str(error))


def _history(filters: Filters) -> None:
    history = current().history
    resolved = filters.resolved(now(), clock.tz())
    version = last_id(history)
    for notice in history.notices:
        st.warning("The history was damaged when the console opened it")
        st.text(notice)
    if count_deleted := st.session_state.pop("history.deleted", 0):
        st.success(f"{count_deleted:,} {'exchange' if count_deleted == 1 else 'exchanges'} deleted")
    if not version:
        st.info("No exchanges yet. Walk through the flow: every request and response is recorded here.")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.page_link("walkthrough.py", label="Open the walkthrough", icon=":material/footprint:")
            toolbar.import_()
        return
    bar = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="history.bar"
    )
    with bar:
        summary = _switch()
    opened = url_state.number(url_state.ROW)
    if opened is None:
        main, rail = st.columns([5, 1.35], gap="medium")
        with main:
            _main(filters, resolved, version)
    else:
        _main(filters, resolved, version)
        exchange_detail.draw(opened)
    number = cache.cached("count", (filters.line, version), lambda: count(history, resolved, SECONDS))
    summary.text(f"{number} {'exchange' if str(number) == '1' else 'exchanges'}, newest first")
    with bar:
        _tools(filters, resolved, number)
    if opened is None:
        with rail:
            facets.draw(filters, resolved, version)


def _main(filters: Filters, resolved: Filters, version: int) -> None:
    """Draw the list, the repeats or the charts, before anything is counted."""
    shown = st.query_params.get(url_state.SHOW)
    if shown in ("repeats", "charts"):
        try:
            (repeats if shown == "repeats" else charts).draw(filters, resolved, version)
        except HistoryTimeout as error:
            st.info(str(error))
    else:
        rows = listing.read(resolved)
        if rows or url_state.number(url_state.BEFORE) is not None:
            listing.draw(resolved, rows, version)
        else:
            st.info("No exchanges match these filters. Remove a filter to see more.")


def _switch() -> DeltaGenerator:
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
        return st.empty()


def _tools(filters: Filters, resolved: Filters, number: Count) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        _download(resolved, number)
        toolbar.import_()
        toolbar.secret()
        toolbar.delete(filters, resolved)


def _show() -> None:
    chosen = st.session_state["history.show"]
    url_state.put(url_state.SHOW, next((name for name, label in SHOWN.items() if label == chosen), None))


@st.fragment(run_every=LINK_RENEWED)
def _download(filters: Filters, number: Count) -> None:
    """Draw the download links, and renew them while the page is open and when one was used."""
    settings = current().settings
    browser = session.browser()
    with st.popover(f"Download {number}", icon=":material/download:", key="history.download.open"):
        for format, (label, help_text) in FORMATS.items():
            st.link_button(
                f"Download {number} as {label}",
                f"{session.origin()}{links.sign(settings, filters, now(), format, browser)}",
                key="history.download" if format == "csv" else f"history.download.{format}",
                on_click="rerun",  # a link works once
                help=help_text,
                width="stretch",
            )
        st.caption("Everything that matches the filters, redacted as stored.")


page()
