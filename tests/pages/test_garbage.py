"""Garbage collection: a full one stops all threads, so none follows a run of a page."""

import gc
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from oauth.page_turns import PAGES
from pages.parts.common import garbage
from tests.pages.conftest import Page

FULL = 2


@pytest.fixture
def full_collections() -> Iterator[list[int]]:
    """The full collections during the test, of which none is due by itself."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == FULL:
            found.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_no_full_collection_follows_a_run(full_collections: list[int]) -> None:
    app = AppTest.from_string("import streamlit as st\nst.button('Press')").run()
    for _ in range(5):
        app.button[0].click().run()
    assert full_collections == [], "runner.postScriptGC in .streamlit/config.toml has no effect any more"


def test_loaded_modules_are_left_out_of_collections_once_a_page_is_drawn(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    gc.unfreeze()
    monkeypatch.setattr(garbage, "_modules", 0)  # as in a process that has just started
    page.run()
    assert gc.get_freeze_count() > 100_000


def test_page_has_no_turn_once_it_is_drawn(page: Page) -> None:
    taken = PAGES.taken
    page.run()
    assert PAGES.taken > taken
    assert (PAGES.running, PAGES.waiting) == (0, 0)


def test_run_that_is_stopped_or_begun_anew_in_the_middle_leaves_its_turn() -> None:
    def script() -> None:
        import streamlit as st

        from oauth.page_turns import PAGES

        with PAGES.turn():
            if st.session_state.setdefault("runs", 0) < 3:
                st.session_state.runs += 1
                st.rerun()
            st.text(f"{PAGES.running} is drawn")
            st.stop()

    app = AppTest.from_function(script).run()
    assert app.text[0].value == "1 is drawn"
    assert (PAGES.running, PAGES.waiting) == (0, 0)
