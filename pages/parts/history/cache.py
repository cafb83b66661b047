"""A short-lived cache of counts in the browser session: opening an exchange counts nothing again."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import streamlit as st

from oauth.installation import now

_T = TypeVar("_T")

LIFETIME = timedelta(seconds=30)


def cached(name: str, subject: object, compute: Callable[[], _T]) -> _T:
    """Return the cached result of ``compute`` for the same ``subject``, or compute it anew."""
    key = f"history.memo.{name}"
    entry = st.session_state.get(key)
    if entry is None or entry[0] != subject or now() - entry[1] >= LIFETIME:
        entry = st.session_state[key] = (subject, now(), compute())
    result: _T = entry[2]
    return result
