"""Values that the console gives to widgets: defaults, applied again when they change, and values in place of them.

A browser may answer with values from before it saw a run, or skip a run that another one follows at once: a checkbox
that nobody touched then comes back unticked. So each run that reaches its end writes its number into a hidden field
behind all others. A browser that returns the number shows that run's values; until it does, a value that it may send
without anybody's doing is replaced by the one that was given.
"""

from dataclasses import dataclass, replace

import streamlit as st

GIVEN = "given"
"""Key in the session state of what was given, by widget."""

RUN = "run.number"
"""Key in the session state of the number of the next run to reach its end."""

SHOWN = "run.shown"
"""Key of the hidden field: the number of the last run that the browser shows."""

UNKNOWN = object()
"""A default that was not asked for yet, or a value before that nobody knows."""


@dataclass(frozen=True, slots=True)
class _Given:
    """The value given to a widget in run ``run``, the default it follows, and what the widget held before."""

    default: object
    value: object
    before: object
    run: int

    def is_missed(self, current: object) -> bool:
        """Return True for a value that the browser sends because it does not show the given one yet."""
        untouched = False if isinstance(self.value, bool) else "" if isinstance(self.value, str) else None
        return int(st.session_state.get(SHOWN) or 0) < self.run and current in (self.before, untouched)


def end_run() -> None:
    """Ask the browser to confirm that it shows this run, which reached its end."""
    number = _run()
    st.session_state[SHOWN] = str(number)
    st.session_state[RUN] = number + 1
    st.text_input("Last run shown", key=SHOWN, label_visibility="collapsed")


def keep(key: str, default: object) -> None:
    """Give a widget its default before it is drawn first, and again whenever the default changes."""
    entries, state = _all_given(), st.session_state
    entry = entries.get(key)
    if key not in state:
        state[key] = default
        entry = _Given(default, default, UNKNOWN if entry is None else entry.before, _run())
    elif entry is None:
        entry = _Given(default, state[key], UNKNOWN, 0)
    elif entry.default is UNKNOWN:
        entry = replace(entry, default=default, value=default if entry.value is UNKNOWN else entry.value)
    elif entry.default != default:
        entry = _Given(default, default, state[key], _run())
        state[key] = default
    if entry.is_missed(state[key]):
        state[key] = entry.value
    entries[key] = entry


def put(key: str, value: object) -> None:
    """Give a widget a value in place of its default, until the default changes."""
    _all_given()[key] = _Given(UNKNOWN, value, st.session_state.get(key, UNKNOWN), _run())
    st.session_state[key] = value


def default_of(key: str) -> object:
    """Return the default that a widget was given last, ``None`` without one."""
    entry = _all_given().get(key)
    return None if entry is None or entry.default is UNKNOWN else entry.default


def forget(key: str) -> None:
    """Forget a widget's value, so that it is given its default again."""
    _all_given()[key] = _Given(UNKNOWN, UNKNOWN, st.session_state.pop(key, UNKNOWN), _run())


def _all_given() -> dict[str, _Given]:
    entries: dict[str, _Given] = st.session_state.setdefault(GIVEN, {})
    return entries


def _run() -> int:
    """Return the number of this run, or between two runs of the next one."""
    number: int = st.session_state.setdefault(RUN, 1)
    return number
