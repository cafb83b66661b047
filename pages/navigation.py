"""Run the chosen page; names, order and icons of all pages."""

from pathlib import Path

import streamlit as st

from pages.parts.common import garbage, widget_defaults

# A local file: for a Material icon the browser would ask another host.
st.set_page_config(
    page_title="OAuth Console", page_icon=str(Path(__file__).parent / "parts" / "icon.svg"), layout="wide"
)

# Streamlit leaves room for a toolbar that this console does not show.
st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; padding-bottom: 4rem; }</style>")


def _page(name: str, icon: str, help_text: str, path: str = "") -> st.Page:
    return st.Page(
        f"{name}.py",
        title=name.capitalize(),
        icon=f":material/{icon}:",
        url_path=path or name,
        default=name == "walkthrough",
        help=help_text,
    )


PAGES = {
    "": [_page("walkthrough", "footprint", "Get a token, one step at a time, and see every request and response.")],
    "Support": [
        _page(
            "diagnose",
            "troubleshoot",
            "Paste what a customer sent, to see which error it is, why it happened and what to do.",
        ),
        _page("history", "history", "Every exchange of every session: filter, open, download as CSV."),
    ],
    "Reference": [
        _page("errors", "error", "The documented errors of any provider, each with its cause and remedy."),
        _page("providers", "hub", "Built-in profiles and your own: addresses, requests, connection."),
        _page("sandbox", "science", "The embedded provider: its clients, codes, tokens and clock.", "sandbox-state"),
    ],
}

st.navigation(PAGES, position="top").run()
widget_defaults.end_run()
garbage.spare_modules()
