"""Uploaded files leave the memory of the server as soon as their content was taken."""

from unittest.mock import Mock

import pytest
import streamlit as st
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import DeletedFile, UploadedFile, UploadedFileRec

from pages.parts.common import uploads


def test_an_upload_is_taken_once_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = MemoryUploadedFileManager("/upload")
    record = UploadedFileRec("7", "a.har", "application/json", b"{}")
    manager.add_file("session", record)
    file = UploadedFile(record, FileURLs())
    monkeypatch.setattr(st, "session_state", {"file": file})
    monkeypatch.setattr(uploads, "get_script_run_ctx", lambda: Mock(session_id="session", uploaded_file_mgr=manager))
    assert uploads.take("file") == ("a.har", b"{}")
    assert manager.get_files("session", ["7"]) == []
    assert file.getvalue() == b"", "the session keeps the content as the uploader's last value"


@pytest.mark.parametrize("value", [None, DeletedFile("7")])
def test_a_removed_or_forgotten_file_is_no_new_one(monkeypatch: pytest.MonkeyPatch, value: DeletedFile | None) -> None:
    monkeypatch.setattr(st, "session_state", {"file": value})
    assert uploads.take("file") is None
