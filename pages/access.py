"""The Access page of a console with a sign-in: the tokens of programs, and the audit."""

import streamlit as st

from oauth.history.store import HistoryError
from pages.parts.access import audit, tokens
from pages.parts.common import notices

TABS = {"Tokens": tokens.draw, "Audit": audit.draw}


def page() -> None:
    """Draw the page."""
    st.title("Access", anchor=False)
    for tab, draw in zip(st.tabs(list(TABS), key="access.tab", on_change="rerun"), TABS.values(), strict=True):
        if tab.open:
            with tab:
                try:
                    draw()
                except HistoryError as error:
                    notices.error("The database cannot be read", error)


page()
