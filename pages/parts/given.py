"""The values that widgets are given, which follow what they stand for and give way to what a person types."""

from dataclasses import dataclass

import streamlit as st

GIVEN = "given"
WHOLE = "run.whole"


@dataclass(frozen=True, slots=True)
class _Given:
    """What a widget was given, and what it held before where the browser may not have heard of it yet."""

    value: object
    before: object
    heard: bool


def begin_run() -> None:
    """A run of the script begins. It is whole once ``end_run`` was reached: a quick reader cuts it short."""
    st.session_state[f"{WHOLE}.last"] = st.session_state.get(WHOLE, True)
    st.session_state[WHOLE] = False


def end_run() -> None:
    """The run reached its end, so the browser was sent all of it."""
    st.session_state[WHOLE] = True


def keep(key: str, value: object) -> None:
    """Give a widget its value: when it is first drawn, and again whenever what it stands for has changed.

    After a run that was cut short the browser may still send what stood there before. That is nobody's wish, so the
    value is given again.
    """
    given: dict[str, _Given] = st.session_state.setdefault(GIVEN, {})
    state, last = st.session_state, given.get(key)
    if key not in state:
        given[key] = _Given(value, None, heard=True)
    elif last is not None and last.value != value:
        given[key] = _Given(value, state[key], heard=False)
    elif last is not None and not last.heard and state[key] == last.before and not state.get(f"{WHOLE}.last", True):
        pass
    else:
        given[key] = _Given(value, None, heard=True)
        return
    state[key] = value


def forget(key: str) -> None:
    """Let a widget be given its value anew."""
    st.session_state.get(GIVEN, {}).pop(key, None)
