from typing import TYPE_CHECKING

from oauth.drills import drills
from oauth.history.filters import Filters
from oauth.installation import Installation

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "errors.py"


def titles(page: "Page") -> list[str]:
    return [expander.label for expander in page.app.expander if expander.label.startswith("**")]


def test_all_eleven_are_listed_in_their_order(page: "Page") -> None:
    page.go(PAGE)
    assert [title.partition("**")[2].partition("**")[0] for title in titles(page)] == [str(n) for n in range(1, 12)]


def test_each_has_its_cause_its_remedy_and_its_documented_answer(page: "Page") -> None:
    page.go(PAGE)
    text = page.text()
    assert text.count("**Cause**") == text.count("**Documented remedy**") == 11
    assert "2592000" in text
    assert '"error_description": "Client is not active",' in text


def test_a_search_finds_words_of_code_text_and_remedy(page: "Page") -> None:
    page.go(PAGE)
    page.type("q", "invalid_grant refresh")
    assert [title[2:4] for title in titles(page)] == ["11"]
    page.type("q", "no such words")
    assert "No errors match this search" in page.text()


def test_each_error_has_its_own_address(page: "Page") -> None:
    page.go(PAGE, error="8")
    opened = [expander.label for expander in page.app.expander if expander.proto.expanded]
    assert [label.partition("**")[2].partition("**")[0] for label in opened] == ["8"]


def test_drill_produces_its_error_and_shows_the_response(page: "Page") -> None:
    page.go(PAGE, error="2")
    page.press("drill.2-used.run")
    text = page.text()
    assert "documented error 2; proven: code.used" in text
    assert ":red[Documented error 2] ·" in text


def test_every_drill_passes_against_the_sandbox_and_is_kept_as_a_drill(page: "Page", console: Installation) -> None:
    page.app.default_timeout = 120
    page.go(PAGE)
    page.press("errors.run_all")
    outcomes = page.app.session_state["errors.outcomes"]
    assert {id: outcome.actual for id, outcome in outcomes.items() if not outcome.passed} == {}
    assert len(outcomes) == sum(drill.catalogue == "partner" for drill in drills())
    assert {outcome.drill.number for outcome in outcomes.values()} >= set(range(1, 12))
    assert {row.exchange.case for row in console.history.rows(Filters())} == {"drill"}
    assert f"{len(outcomes)} passed, 0 failed" in page.text()


def test_drill_at_a_real_provider_shows_a_preview_and_needs_confirmation(page: "Page", console: Installation) -> None:
    page.go(PAGE)
    page.pick("errors.provider", "olx")
    assert "POST /api/open/oauth/token HTTP/1.1" in page.text()
    assert page.app.button(key="drill.6-secret.run").disabled
    assert "lock the account" in page.app.checkbox(key="drill.6-secret.sure").label
    assert console.history.count(Filters()) == 0
