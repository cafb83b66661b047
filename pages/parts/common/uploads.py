"""Uploaded files, which Streamlit keeps in the memory of the server as long as the session, and two minutes longer."""

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


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
