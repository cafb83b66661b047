from typing import TYPE_CHECKING

import pytest

from oauth.history.filters import Filters
from oauth.installation import Installation

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "history.py"


@pytest.fixture
def walked(page: "Page") -> "Page":
    """A page with a flow behind it: two exchanges that worked, one that was refused with error 2."""
    page.paste(page.decide())
    page.press("token.send")
    page.press("token.send")
    return page


def table(page: "Page") -> list[tuple[str, str]]:
    frame = page.app.dataframe[0].value
    return list(zip(frame["step"], frame["status"], strict=True))


def test_an_empty_history_says_what_to_do_first(page: "Page") -> None:
    page.go(PAGE)
    assert "Walk through the flow" in page.text()


def test_every_exchange_is_listed_newest_first(walked: "Page") -> None:
    walked.go(PAGE)
    assert table(walked) == [("token", "400"), ("token", "200"), ("callback", "no answer")]
    assert "3 exchanges, newest first" in walked.text()


def test_filters_narrow_the_list_and_stand_in_the_address(walked: "Page") -> None:
    walked.go(PAGE)
    walked.pick("history.filter.status", "4xx")
    assert table(walked) == [("token", "400")]
    assert walked.app.query_params["status"] == "4xx"


def test_an_address_is_a_saved_filter(walked: "Page") -> None:
    walked.go(PAGE, error="2", step="token")
    assert table(walked) == [("token", "400")]
    assert walked.app.selectbox(key="history.filter.error").value == "2"


def test_a_row_in_the_address_is_opened_with_its_card(walked: "Page", console: Installation) -> None:
    newest = console.history.page(Filters(), None, 1)[0].exchange.id
    walked.go(PAGE, row=str(newest))
    text = walked.text()
    assert f"Row {newest}" in text
    assert ":red[Documented error 2] ·" in text


def test_a_row_that_is_not_there_is_said(walked: "Page") -> None:
    walked.go(PAGE, row="4711")
    assert "There is no row 4711" in walked.text()


def test_a_filter_that_finds_nothing_says_so(walked: "Page") -> None:
    walked.go(PAGE, text="no such words")
    assert "No exchange fits these filters" in walked.text()


def test_a_wrong_filter_in_the_address_is_named(walked: "Page") -> None:
    walked.go(PAGE, status="banana")
    assert "status is 'banana'" in walked.text()


def test_the_download_carries_the_filters_and_its_link_expires(walked: "Page", server: str) -> None:
    import httpx

    walked.go(PAGE, status="4xx")
    link = next(link for link in walked.app.link_button if link.key == "history.download")
    assert link.value == "Download 1 as CSV"
    answer = httpx.get(link.proto.url, trust_env=False)
    assert answer.status_code == 200
    assert answer.content.count(b"\r\n") >= 2
    assert httpx.get(link.proto.url + "x", trust_env=False).status_code == 403
