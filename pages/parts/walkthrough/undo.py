"""Undo a new flow: the one that it took the place of comes back, with its tokens and its edited requests."""

from dataclasses import dataclass, field

import streamlit as st

from pages.parts.common import provider as profile
from pages.parts.common import session, widget_defaults
from pages.parts.common.session import Session
from pages.parts.walkthrough import own_client, prefill

ENDED = "ended walkthroughs"
"""Key in the session state of the flows that can come back, the newest last."""

MOST = 5


@dataclass(frozen=True, slots=True)
class _Ended:
    session: Session
    edits: dict[str, object] = field(repr=False)


def keep(current: Session) -> None:
    """Keep a flow that another one takes the place of, if anything was sent in it or edited."""
    edits = prefill.edits()
    if current.sequence or any(prefill.is_changed(key) for key in edits):
        ended: list[_Ended] = st.session_state.setdefault(ENDED, [])
        ended.append(_Ended(current, edits))
        del ended[:-MOST]


def draw(current: Session) -> None:
    """Draw the button that brings the flow before back."""
    ended: list[_Ended] = st.session_state.get(ENDED, [])
    if not ended:
        return
    before = ended[-1].session.flow
    has_tokens = before.tokens or before.application_tokens
    st.button(
        "Undo",
        key="walkthrough.undo",
        icon=":material/undo:",
        width="stretch",
        help=f"Brings flow {before.id} back, with its edited requests{' and its tokens' if has_tokens else ''}.",
        on_click=_restore,
    )
    if has_tokens and not (current.flow.tokens or current.flow.application_tokens):
        st.caption("The tokens of the flow before are kept: *Undo* brings them back.")


def _restore() -> None:
    ended = st.session_state[ENDED].pop()
    prefill.forget_edits()
    before: Session = ended.session
    st.session_state[session.SESSION] = before
    profile.preselect("walkthrough", before.flow.provider)
    st.session_state[f"walkthrough.client.{before.flow.provider.id}"] = before.chosen
    if before.chosen == session.OWN_CLIENT:
        own_client.fill_in(before.vault, before.flow.provider, before.flow.client)
    for key, value in ended.edits.items():
        widget_defaults.put(key, value)
