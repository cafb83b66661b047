"""What a person sees, and what the log keeps, when a page has a fault of its own."""

import logging
import traceback

import streamlit as st
from streamlit.logger import get_logger

LOG = get_logger("oauth.console")


def report(error: Exception) -> bool:
    """Show a sentence instead of a traceback. The log gets the place but not the message, which may hold a secret."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    LOG.error("A page failed with %s at %s", type(error).__name__, " < ".join(reversed(places)))
    st.error(
        "This page failed because of a fault in the console. Every exchange that was sent is in the history. "
        "Reload the page to go on; the server's log names the place."
    )
    return True


def keep_messages_out_of_the_log() -> None:
    """Stop Streamlit from logging the full traceback of a page's fault: ``report`` logs what is safe of it."""
    get_logger("streamlit.error_util").addFilter(_has_no_traceback)


def _has_no_traceback(record: logging.LogRecord) -> bool:
    return record.exc_info is None
