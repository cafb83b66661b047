"""A short-lived cache of counts in the browser session: opening an exchange counts nothing again.

A count holds for the owner whose exchanges were counted, so that none outlives a change of the person or the role.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import streamlit as st

from oauth.installation import now
from pages.parts.common import session

_T = TypeVar("_T")

LIFETIME = timedelta(seconds=30)


def cached(name: str, subject: object, compute: Callable[[], _T]) -> _T:
    """Return the cached result of ``compute`` for the same ``subject``, or compute it anew."""
    key, whose = f"history.memo.{name}", (session.person().sees, subject)
    entry = st.session_state.get(key)
    if entry is None or entry[0] != whose or now() - entry[1] >= LIFETIME:
        entry = st.session_state[key] = (whose, now(), compute())
    result: _T = entry[2]
    return result
