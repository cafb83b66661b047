"""Downloads of what the filters show: a link for each format, with a choice of the columns and of the time zone."""

import streamlit as st

from oauth.access import Action
from oauth.exports import links
from oauth.exports.layout import COLUMNS, DEFAULT_ZONE, Layout
from oauth.history.filters import Filters
from oauth.history.time_limits import Count
from oauth.installation import current, now
from pages.parts.common import clock, drawing, session
from pages.parts.common.permissions import may
from pages.parts.history import url_state

LINK_RENEWED = 30
"""Seconds between renewals of the download links, which expire after a minute."""

FORMATS = {
    "csv": ("CSV", "For a spreadsheet. No cell is taken for a formula."),
    "jsonl": ("JSON Lines", "For programs: one exchange per line, as stored."),
    "har": ("HAR", "For a browser's developer tools and other consoles. Always whole, with times in UTC."),
}

_COLUMNS, _ZONE = "history.download.columns", "history.download.zone"


def layout() -> Layout:
    """Return the layout in the address, by default all columns with times in UTC."""
    columns = st.query_params.get(url_state.COLUMNS, "").split(",")
    return Layout.of(columns, st.query_params.get(url_state.ZONE, DEFAULT_ZONE))


def put(layout: Layout) -> None:
    """Put a layout into the address."""
    url_state.put(url_state.COLUMNS, "" if layout.columns == COLUMNS else ",".join(layout.columns))
    url_state.put(url_state.ZONE, "" if layout.zone == DEFAULT_ZONE else layout.zone)


@drawing.fragment(run_every=LINK_RENEWED)
def draw(filters: Filters, number: Count) -> None:
    """Draw the download links, and renew them while the page is open and when one was used."""
    if not may(Action.EXPORT):
        return
    settings = current().settings
    browser = session.browser()
    chosen = layout()
    with st.popover(f"Download {number}", icon=":material/download:", key="history.download.open"):
        for format, (label, help_text) in FORMATS.items():
            st.link_button(
                f"Download {number} as {label}",
                session.origin()
                + links.sign(settings, filters, now(), format, browser, chosen, person=session.person().id),
                key="history.download" if format == "csv" else f"history.download.{format}",
                on_click="rerun",  # a link works once
                help=help_text,
                width="stretch",
            )
        st.session_state[_COLUMNS] = list(chosen.columns) if chosen.columns != COLUMNS else []
        st.multiselect(
            "Columns",
            list(COLUMNS),
            key=_COLUMNS,
            placeholder="All columns",
            on_change=_choose,
            help="Of CSV and JSON Lines. id is the number of the row. Only a file with all columns can be imported.",
        )
        st.session_state[_ZONE] = chosen.zone
        zones = list(dict.fromkeys([DEFAULT_ZONE, clock.zone(), chosen.zone]))
        st.segmented_control("Time zone", zones, key=_ZONE, required=True, on_change=_choose)
        st.caption("Everything that matches the filters, redacted as stored. A saved view keeps columns and time zone.")


def _choose() -> None:
    put(Layout.of(st.session_state[_COLUMNS], st.session_state[_ZONE] or DEFAULT_ZONE))
