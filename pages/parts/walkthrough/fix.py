"""Fixes applied to a request: change its fields, and continue at the step that the fix names."""

import streamlit as st

from oauth.access import Action
from oauth.diagnosis import Change, Fix, Label, Target
from oauth.exchange import Step
from oauth.providers import ClientAuthentication
from pages.parts.common import session
from pages.parts.common.permissions import needs
from pages.parts.common.session import Fixing, Session
from pages.parts.walkthrough import keeping, own_client, prefill, sending
from pages.parts.walkthrough.actions import ACTION_OF, ACTIONS

WIDGETS = {Target.URL: "url", Target.BODY_FORMAT: "body", Target.AUTHENTICATION: "secret_in"}
"""The last part of the key of the widget that holds what a change is about."""


@needs(Action.SEND)
def apply(current: Session, action: str, fix: Fix) -> None:
    """Change the request as the fix says, then send it if the fix is ready, or start a new flow if it requires one."""
    target = action if action in ACTIONS and ACTIONS[action].step is fix.step else ACTION_OF.get(fix.step, "authorize")
    fixing = Fixing(action, fix, current.shown[action])
    if fix.label is Label.START_AGAIN and fix.step is Step.AUTHORIZE:
        keeping.leave(current)
        current = session.start(current.flow.provider, current.flow.client, current.chosen)
    current.fixing = fixing
    prefill.open_card(current, target)
    for change in fix.changes:
        _change(current, target, change)
    if fix.label is Label.READY:
        sending.press(current, target)


def _change(current: Session, action: str, change: Change) -> None:
    match change.target:
        case Target.URL | Target.BODY_FORMAT | Target.AUTHENTICATION:
            st.session_state[f"{action}.{WIDGETS[change.target]}"] = change.after
            if change.target is Target.AUTHENTICATION:  # as the control does: for the client's other requests too
                st.session_state[session.AUTHENTICATION] = ClientAuthentication(str(change.after))
        case Target.QUERY:
            prefill.drop_from_query(action, change.name)
        case Target.FIELD | Target.HEADER:
            prefill.put(current, action, change.name, change.after)
            if change.after and change.name == current.flow.provider.api_key_header:
                own_client.correct_key(current, change.after)
        case Target.METHOD:
            pass  # the walkthrough always uses the right method; only a pasted request can have another
