"""The step before the first: the parameters go to the server beforehand, and the browser carries a reference only."""

import streamlit as st

from oauth.installation import now
from pages.parts.common import session
from pages.parts.common.session import Session
from pages.parts.walkthrough import step, token_request


def draw(current: Session) -> None:
    """Draw the pushed authorization request (RFC 9126)."""
    with step.frame(current, "par", "Before 1 · Push the parameters"):
        st.write(
            "The parameters go from here to the server, with the client's proof. The browser then carries a reference."
        )
        token_request.draw(current, "par", "Push them")
        if current.flow.pushed is not None:
            _life()
            st.button(
                "Send the parameters plainly instead",
                key="par.forget",
                icon=":material/undo:",
                on_click=current.forget_pushed,
            )


@st.fragment(run_every=1)
def _life() -> None:
    current = session.get()
    if current is not None and current.flow.pushed is not None:
        st.caption(step.countdown("The reference lives", current.flow.pushed.expires_at - now()))
