"""The values that widgets are given, which follow what they stand for and give way to what a person types."""

from dataclasses import dataclass
from time import monotonic

import streamlit as st

GIVEN = "given"
WHOLE = "run.whole"

ON_THE_WAY = 1.0
"""Seconds in which what the browser sends may have been sent before it heard of a new value."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a widget was given, and when; and what it held before, where the browser may not have heard of it yet."""

    value: object
    before: object = None
    at: float = 0.0
    heard: bool = True

    def missed(self, held: object) -> bool:
        """Whether what the browser sends is what stood there before it could know better."""
        cut_short = not st.session_state.get(f"{WHOLE}.last", True)
        return not self.heard and held == self.before and (cut_short or monotonic() - self.at < ON_THE_WAY)


def begin_run() -> None:
    """A run of the script begins. It is whole once ``end_run`` was reached: a quick reader cuts it short."""
    st.session_state[f"{WHOLE}.last"] = st.session_state.get(WHOLE, True)
    st.session_state[WHOLE] = False


def end_run() -> None:
    """The run reached its end, so the browser was sent all of it."""
    st.session_state[WHOLE] = True


def keep(key: str, value: object) -> None:
    """Give a widget its value: when it is first drawn, and again whenever what it stands for has changed.

    A browser that had not heard of the value yet still sends what stood there before, after a run that was cut short
    or in the same moment. That is nobody's wish, so the value is given again.
    """
    given: dict[str, _Given] = st.session_state.setdefault(GIVEN, {})
    state, last = st.session_state, given.get(key)
    if key not in state:
        given[key] = _Given(value)
    elif last is not None and last.value != value:
        given[key] = _Given(value, state[key], monotonic(), heard=False)
    elif last is None or not last.missed(state[key]):
        given[key] = _Given(value)
        return
    state[key] = value


def forget(key: str) -> None:
    """Let a widget be given its value anew."""
    st.session_state.get(GIVEN, {}).pop(key, None)
