from typing import TYPE_CHECKING

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
    assert "None of the eleven errors" in page.text()


def test_each_error_has_its_own_address(page: "Page") -> None:
    page.go(PAGE, error="8")
    opened = [expander.label for expander in page.app.expander if expander.proto.expanded]
    assert [label.partition("**")[2].partition("**")[0] for label in opened] == ["8"]
