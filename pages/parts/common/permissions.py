"""Permissions on the pages: what each page needs, and what acts.

A widget that a person may not use is not drawn, so that the browser has nothing to send; a page is not in the
navigation, and its address says who may open it. What acts checks again, for a page that was drawn under another role.
``tests/pages/widgets.py`` has the action of each widget, which tests compare with what is drawn for each role, and
``docs/operate.md`` has both as a matrix.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec

import streamlit as st

from oauth.access import MINIMUM, Action
from oauth.access.audit import Event
from oauth.history.store import HistoryError
from pages.parts.common import notices, session

PAGES: Mapping[str, Action] = {
    "walkthrough": Action.SEND,
    "diagnose": Action.DIAGNOSE,
    "history": Action.READ,
    "errors": Action.READ,
    "sandbox": Action.SANDBOX,
    "providers": Action.PROFILES,
    "access": Action.TOKENS,
}
"""The action that each page is for, by the name of its file."""

_DENIED = "permissions.denied"

P = ParamSpec("P")


def may(action: Action | None) -> bool:
    """Return whether this person may do something; ``None`` is allowed to everybody."""
    return action is None or session.person().may(action)


def who_may(action: Action) -> str:
    """Return a sentence with the role that an action needs, and the one that this person has."""
    needed = MINIMUM[action].label
    role = session.person().role
    yours = f"yours is {role.label}" if role else "you have none"
    return f"To {action}, you need the role {needed}; {yours}. Whoever runs this console gives roles (CONSOLE_ROLES)."


def needs(action: Action, event: Event | None = None) -> Callable[[Callable[P, object]], Callable[P, None]]:
    """Decorate what a widget calls: for a person who may not do this, do nothing, and have the page say who may.

    With an ``event``, the call is recorded in the audit by its name and its arguments, which must have no secret.
    """

    def decorate(call: Callable[P, object]) -> Callable[P, None]:
        @wraps(call)
        def checked(*arguments: P.args, **named: P.kwargs) -> None:
            name = call.__name__.strip("_").replace("_", " ")
            try:
                if not may(action):
                    st.session_state[_DENIED] = who_may(action)
                    session.audit(Event.REFUSAL, name, f"needs the right to {action}", allowed=False)
                    return
                if event is not None:
                    plain = [str(value) for value in arguments if isinstance(value, (str, int, float))]
                    session.audit(event, " ".join([name, *plain]))
                call(*arguments, **named)
            except HistoryError as error:
                st.session_state[_DENIED] = str(error)

        return checked

    return decorate


def say_denied() -> None:
    """Draw what was denied since the last run."""
    notices.pop_error(_DENIED, "Nothing was done")


def draw_denied(action: Action) -> None:
    """Draw the page of a person who may not open it."""
    st.title("Not allowed", anchor=False)
    st.text(who_may(action))
