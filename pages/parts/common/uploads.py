"""Uploaded files, which Streamlit keeps in the memory of the server as long as the session, and two minutes longer."""

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def forget(file: UploadedFile) -> None:
    """Remove a file from the memory of the server; from the next run on its uploader has no file."""
    file.truncate(0)  # the session keeps the object as the last value of the uploader
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
