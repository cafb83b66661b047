"""Parts of a page that wait for their turn to be drawn, as the whole page does in ``navigation.py``."""

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from oauth.page_turns import PAGES

F = TypeVar("F", bound=Callable[..., None])


def fragment(run_every: float) -> Callable[[F], F]:
    """Return the decorator of a part that is drawn again by itself after so many seconds, in its turn."""
    return lambda function: st.fragment(PAGES.turn()(function), run_every=run_every)
