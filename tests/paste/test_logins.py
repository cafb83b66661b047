"""HARs of whole logins: one flow, no success a failure, and the failed call as its headline."""

from pathlib import Path

import pytest

from tests.paste.foreign_logins import LOGINS, SHAPES, har
from tests.paste.logins import assert_failed, assert_succeeded

RECORDED = Path(__file__).parent / "har"
"""Logins that Chromium recorded over three servers, as ``tests/browser/test_recorded_login.py`` does."""


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.har")), ids=lambda path: path.stem)
def test_recorded_login_is_one_flow(path: Path) -> None:
    text = path.read_text()
    if "success" in path.stem:
        assert_succeeded(text)
    else:
        # oidc-provider shows a browser a page, in which no code is read.
        assert_failed(text, "token", "" if path.stem == "oidc-provider-wrong-secret-by-page" else "invalid_client")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LOGINS)
def test_login_at_a_server_in_the_har_of_a_program(name: str, shape: str) -> None:
    assert_succeeded(har(LOGINS[name](False), shape))
    assert_failed(har(LOGINS[name](True), shape), "token", "invalid_grant")
