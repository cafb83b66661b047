"""What was counted a moment ago in this browser session: opening an exchange counts nothing anew."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import streamlit as st

from oauth.installation import now

_T = TypeVar("_T")

STANDS = timedelta(seconds=30)
"""How long a count stands when nothing was recorded meanwhile."""


def kept(name: str, subject: object, make: Callable[[], _T]) -> _T:
    """What ``make`` gave for the same subject a moment ago, or what it gives now."""
    key = f"history.memo.{name}"
    held = st.session_state.get(key)
    if held is not None and held[0] == subject and now() - held[1] < STANDS:
        found: _T = held[2]
        return found
    made = make()
    st.session_state[key] = (subject, now(), made)
    return made
