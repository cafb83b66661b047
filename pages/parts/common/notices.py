"""Notices and marked lines. Their headlines and marks are Markdown; what may quote others is below, drawn as text."""

import streamlit as st


def error(headline: str, *lines: object) -> None:
    """Draw what failed, and why."""
    st.error(headline)
    st.text("\n".join(map(str, lines)))


def warning(headline: str, *lines: object) -> None:
    """Draw what needs attention, and what follows from it."""
    st.warning(headline)
    st.text("\n".join(map(str, lines)))


def pop_error(key: str, headline: str) -> None:
    """Draw the problem that a callback left in the session state, if any, once."""
    if problem := st.session_state.pop(key, ""):
        error(headline, problem)


def line(mark: str, text: str) -> None:
    """Draw a text behind an icon."""
    with st.container(horizontal=True, wrap=False, gap="xsmall"):
        st.markdown(mark, width="content")
        st.text(text, width="stretch")
