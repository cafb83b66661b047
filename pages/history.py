"""Every exchange of every session: the filters, the list and what it has in common, one exchange, and what is done."""

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
"""How long counting the list may take; then it is said to be more than what was counted."""

LINK_RENEWED = 30

FORMATS = {
    "csv": ("CSV", "For a spreadsheet: no cell is computed."),
    "jsonl": ("JSON Lines", "For programs: one exchange a line, as it is kept."),
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
        st.error("The history cannot be shown.")
        st.text(str(error))


def _history(filters: Filters) -> None:
    history = current().history
    resolved = filters.resolved(now(), clock.tz())
    version = last_id(history)
    for notice in history.notices:
        st.warning("The history was repaired when the console started.")
        st.text(notice)
    if gone := st.session_state.pop("history.deleted", 0):
        st.success(f"{gone:,} exchanges were deleted.")
    if not version:
        st.info("Nothing is kept yet. Walk through the flow, and every request and answer stands here.")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.page_link("walkthrough.py", label="Open the walkthrough", icon=":material/footprint:")
            toolbar.import_()
        return
    bar = st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="history.bar"
    )
    with bar:
        told = _switch()
    opened = url_state.number(url_state.ROW)
    if opened is None:
        main, rail = st.columns([5, 1.35], gap="medium")
        with main:
            _main(filters, resolved, version)
    else:
        _main(filters, resolved, version)
        exchange_detail.draw(opened)
    number = cache.kept("count", (filters.line, version), lambda: count(history, resolved, SECONDS))
    told.text(f"{number} {'exchange' if str(number) == '1' else 'exchanges'}, newest first")
    with bar:
        _tools(filters, resolved, number)
    if opened is None:
        with rail:
            facets.draw(filters, resolved, version)


def _main(filters: Filters, resolved: Filters, version: int) -> None:
    """What is drawn of the exchanges, before anything is counted."""
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
            st.info("No exchange fits these filters. Clear one of them to see more.")


def _switch() -> DeltaGenerator:
    """Draw what can be shown, before the work on it, so that it can be left; gives the place of the count."""
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
    """The downloads' links live a minute, so they are made again while the page is open."""
    with st.popover(f"Download {number}", icon=":material/download:", key="history.download.open"):
        for format, (label, what) in FORMATS.items():
            st.link_button(
                f"Download {number} as {label}",
                f"{session.origin()}{links.sign(current().settings, filters, now(), format)}",
                key="history.download" if format == "csv" else f"history.download.{format}",
                help=what,
                width="stretch",
            )
        st.caption("Everything that the filters show, redacted as it is kept.")


page()
