"""Handle unexpected page errors: show a message, log only where they happened."""

import logging
import traceback

import streamlit as st
from streamlit.logger import get_logger

from pages.parts.common import session

LOG = get_logger("oauth.console")


def report(error: Exception) -> bool:
    """Show a sentence instead of a traceback, and log the location without the message, which may hold a secret."""
    if isinstance(error, session.SignedOutError):
        st.error(f"{error} Reload the page to sign in again. Every exchange that was sent is in the history.")
        return True
    locations = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    LOG.error("A page failed with %s at %s", type(error).__name__, " < ".join(reversed(locations)))
    st.error(
        "This page failed because of a bug in the console. Every exchange that was sent is in the history. "
        "Reload the page to continue. The server log says where it failed."
    )
    return True


def keep_messages_out_of_the_log() -> None:
    """Stop Streamlit from logging full tracebacks of page errors: ``report`` logs the safe part."""
    get_logger("streamlit.error_util").addFilter(_has_no_traceback)


def _has_no_traceback(record: logging.LogRecord) -> bool:
    return record.exc_info is None
