"""Uploaded files, which Streamlit keeps in the memory of the server as long as the session, and two minutes longer."""

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from oauth.history import misdirected
from oauth.history.store import HistoryError
from oauth.installation import now
from pages.parts.common import clock, notices, session


def say_misdirected() -> None:
    """Say that a file lately reached another console than that of its page, and what to set."""
    try:
        at = misdirected.last(session.database(), now())
    except HistoryError:
        return
    if at is not None:
        notices.warning(
            "A file reached another console",
            f"At {clock.at(at)} a file was uploaded to a console that had not drawn the page. Have the proxy keep each "
            "browser at one console (docs/operate.md, Several consoles). If a file is missing here, reload the page "
            "and upload it again.",
        )


def take(key: str) -> tuple[str, bytes] | None:
    """Return the name and the content of the file that was just uploaded with the uploader ``key``, and forget it.

    To be called where the uploader changes: each later run of the page would make an object of its own of the file,
    and its uploader a copy of that, which a session that ends meanwhile keeps. ``None`` when there is no new file: a
    forgotten one counts as a change in the next run.
    """
    file = st.session_state[key]
    if not isinstance(file, UploadedFile):
        return None
    content = file.getvalue()
    file.truncate(0)  # the session keeps the object as the last value of the uploader
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    return file.name, content
