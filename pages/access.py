"""The Access page of a console with a sign-in: the tokens of programs, and the audit."""

import streamlit as st

from oauth.access import Action
from oauth.history.store import HistoryError
from pages.parts.access import audit, tokens
from pages.parts.common import session

TABS = {"Tokens": (Action.TOKENS, tokens.draw), "Audit": (Action.AUDIT, audit.draw)}


def page() -> None:
    """Draw the page, with the tabs that this person may see."""
    st.title("Access", anchor=False)
    allowed = {name: draw for name, (action, draw) in TABS.items() if session.person().may(action)}
    for tab, draw in zip(st.tabs(list(allowed), key="access.tab", on_change="rerun"), allowed.values(), strict=True):
        if tab.open:
            with tab:
                try:
                    draw()
                except HistoryError as error:
                    st.error(str(error))


page()
