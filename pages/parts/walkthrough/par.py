"""The step before the first: push the parameters to the server, so that the browser carries a reference only."""

import streamlit as st

from oauth.installation import now
from pages.parts.common import drawing, session
from pages.parts.common.session import Session
from pages.parts.walkthrough import step, token_request


def draw(current: Session) -> None:
    """Draw the pushed authorization request (RFC 9126)."""
    with step.frame(current, "par", "Before 1 · Push the parameters"):
        st.write(
            "The console sends the parameters to the server and authenticates the client. The browser then carries "
            "only a reference to them."
        )
        token_request.draw(current, "par", "Push the parameters")
        if current.flow.pushed is not None:
            _expiry()
            st.button(
                "Discard the reference",
                key="par.forget",
                icon=":material/undo:",
                help="Step 1 then sends the parameters in the URL.",
                on_click=current.forget_pushed,
            )


@drawing.fragment(run_every=1)
def _expiry() -> None:
    current = session.get()
    if current is not None and current.flow.pushed is not None:
        st.caption(step.expiry("Reference", current.flow.pushed.expires_at - now()))
