"""Default values of widgets, applied again when the default changes, and overridden by what the user types."""

from dataclasses import dataclass
from time import monotonic

import streamlit as st

DEFAULTS = "given"
"""Key in the session state of the defaults that were applied, by widget."""

RUN = "run.whole"
"""Key in the session state that says whether the current run reached its end; ``.last`` is the run before."""

IN_FLIGHT = 1.0
"""Seconds for which the browser may still send a value from before it learned of a new default."""


@dataclass(frozen=True, slots=True)
class _Default:
    """A default that was applied, and when; ``before`` is what the widget held where the browser may not know yet."""

    value: object
    before: object = None
    at: float = 0.0
    is_known: bool = True

    def is_missed(self, current: object) -> bool:
        """Return True when the browser sends the value from before, because it has not learned of this default."""
        cut_short = not st.session_state.get(f"{RUN}.last", True)
        return not self.is_known and current == self.before and (cut_short or monotonic() - self.at < IN_FLIGHT)


def begin_run() -> None:
    """Note that a run of the script begins. An impatient user cuts it short before ``end_run``."""
    st.session_state[f"{RUN}.last"] = st.session_state.get(RUN, True)
    st.session_state[RUN] = False


def end_run() -> None:
    """Note that the run reached its end, so that the browser was sent all of it."""
    st.session_state[RUN] = True


def keep(key: str, value: object) -> None:
    """Apply a widget's default before it is drawn first, and again whenever the default changes.

    The browser may send a stale value after a run that was cut short, or at the same moment: then the default is
    applied again.
    """
    defaults: dict[str, _Default] = st.session_state.setdefault(DEFAULTS, {})
    state, last = st.session_state, defaults.get(key)
    if key not in state:
        defaults[key] = _Default(value)
    elif last is not None and last.value != value:
        defaults[key] = _Default(value, state[key], monotonic(), is_known=False)
    elif last is None or not last.is_missed(state[key]):
        defaults[key] = _Default(value)
        return
    state[key] = value


def default_of(key: str) -> object:
    """Return the default that a widget was given last, ``None`` without one."""
    last: _Default | None = st.session_state.get(DEFAULTS, {}).get(key)
    return last.value if last is not None else None


def forget(key: str) -> None:
    """Forget a widget's default, so that the next one is applied."""
    st.session_state.get(DEFAULTS, {}).pop(key, None)
