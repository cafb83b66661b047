"""Run the chosen page; names, order and icons of all pages."""

from pathlib import Path

import streamlit as st

from pages.parts.common import widget_defaults

# A local file: for a Material icon the browser would ask another host.
st.set_page_config(
    page_title="OAuth Console", page_icon=str(Path(__file__).parent / "parts" / "icon.svg"), layout="wide"
)

# Streamlit leaves room for a toolbar that this console does not show.
st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; padding-bottom: 4rem; }</style>")

widget_defaults.begin_run()
st.navigation(
    {
        "": [
            st.Page(
                "walkthrough.py",
                title="Walkthrough",
                icon=":material/footprint:",
                default=True,
                help="Get a token, one step at a time, and see every request and response.",
            )
        ],
        "Support": [
            st.Page(
                "diagnose.py",
                title="Diagnose",
                icon=":material/troubleshoot:",
                url_path="diagnose",
                help="Paste what a customer sent, to see which error it is, why it happened and what to do.",
            ),
            st.Page(
                "history.py",
                title="History",
                icon=":material/history:",
                url_path="history",
                help="Every exchange of every session: filter, open, download as CSV.",
            ),
        ],
        "Reference": [
            st.Page(
                "errors.py",
                title="Errors",
                icon=":material/error:",
                url_path="errors",
                help="The eleven documented authorization errors, each with its cause and remedy.",
            ),
            st.Page(
                "providers.py",
                title="Providers",
                icon=":material/hub:",
                url_path="providers",
                help="Built-in profiles and your own: addresses, requests, connection.",
            ),
            st.Page(
                "sandbox.py",
                title="Sandbox",
                icon=":material/science:",
                url_path="sandbox-state",
                help="The embedded provider: its clients, codes, tokens and clock.",
            ),
        ],
    },
    position="top",
).run()
widget_defaults.end_run()
