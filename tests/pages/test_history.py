import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn
from unittest.mock import Mock

import pytest
import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from oauth import isolation
from oauth.access import LOCAL
from oauth.exchange import Exchange, Request, Step
from oauth.history.database import HistoryError
from oauth.history.filters import Filters
from oauth.history.saved_views import Views
from oauth.installation import Installation
from oauth.isolation import IsolationError
from pages.parts.history import repeats
from tests.hostile.entries import damage_history

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "history.py"
LINE = "history.filter.line"


@pytest.fixture
def walked(page: "Page") -> "Page":
    """A page with a flow behind it: two exchanges that worked, one that was refused with error 2."""
    page.paste(page.decide())
    page.press("token.send")
    page.press("token.send")
    return page


def table(page: "Page") -> list[tuple[str, str]]:
    frame = page.app.dataframe[0].value
    return [(step, "".join(status)) for step, status in zip(frame["step"], frame["status"], strict=True)]


def newest(console: Installation) -> int:
    number = console.history.page(Filters(), None, 1)[0].exchange.id
    assert number is not None
    return number


def type_line(page: "Page", *pieces: str) -> None:
    page.app.multiselect(key=LINE).set_value(list(pieces))
    page.run()


def test_an_empty_history_says_what_to_do_first(page: "Page") -> None:
    page.go(PAGE)
    assert "Walk through the flow" in page.text()


def test_every_exchange_is_listed_newest_first(walked: "Page") -> None:
    walked.go(PAGE)
    assert table(walked) == [("token", "400"), ("token", "200"), ("callback", "no response")]
    assert "3 exchanges, newest first" in walked.text()


def test_facets_narrow_the_list_and_stand_in_the_address(walked: "Page") -> None:
    walked.go(PAGE)
    status = walked.app.pills(key="history.filter.status")
    assert status.options == ["2xx :gray[1]", "4xx :gray[1]", "none :gray[1]"]
    status.set_value(["4xx"])
    walked.run()
    assert table(walked) == [("token", "400")]
    assert walked.app.query_params["status"] == "4xx"
    assert walked.app.multiselect(key=LINE).value == ["status:4xx"]
    walked.app.pills(key="history.filter.status").set_value(["4xx", "none"])
    walked.run()
    assert [status for _, status in table(walked)] == ["400", "no response"]


def test_terms_are_typed_into_the_line(walked: "Page") -> None:
    walked.go(PAGE)
    type_line(walked, "status:2xx,4xx", "-error:2 exchange")
    assert walked.app.query_params["-error"] == "2"
    assert walked.app.multiselect(key=LINE).value == ["status:2xx,4xx", "-error:2", "exchange"]
    type_line(walked, "step:token", "status:2xx,4xx")
    assert table(walked) == [("token", "400"), ("token", "200")]
    type_line(walked)
    assert len(table(walked)) == 3
    assert "status" not in walked.app.query_params


def test_a_wrong_term_is_named_and_nothing_is_lost(walked: "Page") -> None:
    walked.go(PAGE, step="token")
    type_line(walked, "step:token", "status:banana")
    assert "status is 'banana'; it can be 2xx" in walked.text()
    assert walked.app.multiselect(key=LINE).value == ["step:token", "status:banana"]
    assert len(table(walked)) == 2, "the list shows what the other terms say"
    type_line(walked, "step:token", "status:4xx")
    assert "banana" not in walked.text()
    assert table(walked) == [("token", "400")]


def test_the_line_is_completed_with_what_the_history_has(walked: "Page") -> None:
    walked.go(PAGE)
    walked.run()
    options = walked.app.multiselect(key=LINE).options
    assert {"step:refresh", "status:4xx", "error:11", "client:demo-app", "-client:demo-app", "since:today"} <= set(
        options
    )


def test_a_secret_in_the_line_reaches_no_address(walked: "Page") -> None:
    walked.go(PAGE)
    type_line(walked, "demo-secret", "-client_secret=another-client-secret-0123456789")
    assert "demo-secret" not in str(walked.app.query_params)
    assert "another-client-secret" not in str(walked.app.query_params)
    assert "replaced by its fingerprint" in walked.text()


def test_a_secret_that_only_the_history_knows_leaves_line_address_and_labels(
    walked: "Page", console: Installation
) -> None:
    secret = "s3cr3tOfAnotherSession0123456789"
    console.recorder().begin(
        Exchange(Step.TOKEN, Request("POST", f"https://p.example/?code={secret}"), datetime(2026, 11, 28, tzinfo=UTC))
    )
    del walked.app.session_state["console"]  # a session that knows no secret
    walked.go(PAGE, text=secret)
    assert secret not in str(walked.app.query_params)
    assert "replaced by its fingerprint" in walked.text()
    assert len(table(walked)) == 1, "the fingerprint is searched for instead"
    walked.app.text_input(key="history.view.name").set_value(f"of {secret}")
    walked.press("history.view.save")
    assert secret not in str(Views(console.history, LOCAL.id).all())
    type_line(walked, f"case:{secret}")
    assert secret not in str(walked.app.query_params)
    number = newest(console)
    walked.go(PAGE, row=str(number))
    walked.app.text_area(key="history.note").set_value(f"it was {secret}")
    walked.app.text_input(key="history.case").set_value(secret)
    walked.press("history.labels.save")
    row = console.history.get(number)
    assert row is not None
    assert secret not in row.note + row.exchange.case
    assert row.note.startswith("it was «code #")


def test_times_are_controls_too(walked: "Page") -> None:
    walked.go(PAGE)
    walked.pick("history.filter.since", "1h")
    assert walked.app.query_params["since"] == "1h"
    assert len(table(walked)) == 3
    walked.pick("history.filter.until", "yesterday")
    assert "No exchanges match these filters" in walked.text()


def test_an_address_is_a_saved_filter(walked: "Page") -> None:
    walked.go(PAGE, error="2", step="token")
    assert table(walked) == [("token", "400")]
    assert walked.app.pills(key="history.filter.error").value == ["2"]
    assert walked.app.multiselect(key=LINE).value == ["step:token", "error:2"]


def test_views_are_saved_opened_renamed_and_deleted(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, error="2", step="token")
    walked.app.text_input(key="history.view.name").set_value("Refused codes")
    walked.press("history.view.save")
    type_line(walked)
    assert len(table(walked)) == 3
    walked.press("history.view.1.open")
    assert table(walked) == [("token", "400")]
    walked.app.text_input(key="history.view.new").set_value("Codes")
    walked.press("history.view.rename")
    assert list(Views(console.history, LOCAL.id).all()) == ["Codes"]
    walked.press("history.view.1.delete")
    assert Views(console.history, LOCAL.id).all() != {}, "it asks first"
    walked.press("history.view.1.delete.sure")
    assert Views(console.history, LOCAL.id).all() == {}
    assert len(table(walked)) == 1, "a view's exchanges stay"


def test_a_view_s_name_keeps_no_secret(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, error="2")
    walked.app.text_input(key="history.view.name").set_value("theirs is demo-secret")
    walked.press("history.view.save")
    assert Views(console.history, LOCAL.id).all() == {"theirs is «client_secret 11ch»": "error:2"}


def test_repeats_are_grouped_on_request(walked: "Page") -> None:
    walked.press("token.send")
    walked.go(PAGE, show="repeats")
    frame = walked.app.dataframe[0].value
    assert next(zip(frame["count"], frame["step"], frame["status"], strict=True)) == (2, "token", "400")
    walked.choose("history.show", "Exchanges")
    assert "show" not in walked.app.query_params
    assert len(table(walked)) == 4


def test_what_is_shown_can_be_left_before_it_is_there(walked: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    """The switch stands before the work on a million rows, and so also where that work fails."""
    monkeypatch.setattr(repeats, "repeats", Mock(side_effect=HistoryError("The disk is gone.")))
    walked.go(PAGE, show="repeats")
    assert "The disk is gone." in walked.text()
    walked.app.segmented_control(key="history.show").set_value("Exchanges")
    walked.run()
    assert table(walked)


def test_charts_tell_the_durations(walked: "Page") -> None:
    walked.go(PAGE, show="charts")
    assert "Documented errors over time" in walked.text()
    assert "token                  2" in walked.text()


def test_the_list_goes_on_page_by_page(walked: "Page", console: Installation) -> None:
    sent = console.history.page(Filters(), None, 1)[0].exchange
    for minute in range(60):
        console.history.begin(replace(sent, id=None, started_at=sent.started_at - timedelta(minutes=minute + 1)))
    walked.go(PAGE)
    first = list(walked.app.dataframe[0].value["id"])
    walked.press("history.older")
    second = list(walked.app.dataframe[0].value["id"])
    assert (len(first), len(second)) == (50, 13)
    assert not set(first) & set(second)
    walked.press("history.newest")
    assert list(walked.app.dataframe[0].value["id"]) == first


def test_a_note_and_a_case_are_kept_without_secrets(walked: "Page", console: Installation) -> None:
    number = newest(console)
    walked.go(PAGE, row=str(number))
    walked.app.text_area(key="history.note").set_value("called back, their secret is demo-secret")
    walked.app.text_input(key="history.case").set_value("T-77")
    walked.press("history.labels.save")
    row = console.history.get(number)
    assert row is not None
    assert row.note == "called back, their secret is «client_secret 11ch»"
    assert walked.app.text_area(key="history.note").value == row.note
    assert {kept.exchange.case for kept in console.history.rows(Filters())} == {"T-77"}


def test_the_rest_of_the_flow_is_beside_the_exchange(walked: "Page", console: Installation) -> None:
    number = newest(console)
    walked.go(PAGE, row=str(number))
    others = [button for button in walked.app.button if button.key and button.key.startswith("history.flow.")]
    assert len(others) == 2
    assert "**Flow " in walked.text(), "as Markdown for a ticket"
    walked.press(str(others[-1].key))
    assert walked.app.query_params["row"] == str(others[-1].key).rpartition(".")[2]


def test_a_failure_is_compared_with_the_last_success(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, row=str(newest(console)))
    walked.press("history.compare.success")
    frame = walked.app.dataframe[1].value
    found = {name: tuple(row) for name, *row in frame[["field", "", "remark"]].itertuples(index=False)}
    assert found["status"] == ("differs", "")
    assert found["access_token"][0] == "only there"
    assert "code" not in found, "the same code was sent twice"
    walked.app.toggle(key="history.compare.all").set_value(True)
    walked.run()
    frame = walked.app.dataframe[1].value
    assert dict(zip(frame["field"], frame["remark"], strict=True))["code"] == "the same secret"


def test_any_row_is_compared(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, row=str(newest(console)))
    walked.app.number_input(key="history.compare.row").set_value(4711)
    walked.run()
    assert "Row 4711 does not exist" in walked.text()


def test_a_secret_is_found_by_its_fingerprint_and_forgotten(walked: "Page") -> None:
    secret = walked.app.session_state["console"].flow.tokens.access_token
    walked.go(PAGE)
    walked.app.text_input(key="history.secret").set_value(secret)
    walked.press("history.secret.look")
    assert "As access_token: in 1 exchange, fingerprint #" in walked.text()
    assert walked.value("history.secret") == ""
    walked.press("history.secret.access_token")
    assert table(walked) == [("token", "200")]
    assert secret not in str(walked.app.query_params)
    walked.app.text_input(key="history.secret").set_value("never-seen-0123456789abcdef")
    walked.press("history.secret.look")
    assert "Not found in the history" in walked.text()
    assert "never-seen" not in str(walked.app.session_state)
    walked.app.text_input(key="history.secret").set_value("short")
    walked.press("history.secret.look")
    assert "fewer than 16 characters" in walked.text()


def test_deleting_asks_for_the_number_first(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, status="4xx")
    walked.press("history.delete.count")
    assert "1 exchanges, up to row" in walked.text()
    walked.app.text_input(key="history.delete.agreed").set_value("2")
    walked.press("history.delete")
    assert "Nothing was deleted" in walked.text()
    walked.app.text_input(key="history.delete.agreed").set_value("1")
    walked.press("history.delete")
    assert "1 exchange deleted" in walked.text()
    assert console.history.count(Filters(status="4xx")) == 0
    assert console.history.count(Filters()) == 2


def test_a_row_in_the_address_is_opened_with_its_card(walked: "Page", console: Installation) -> None:
    number = newest(console)
    walked.go(PAGE, row=str(number))
    text = walked.text()
    assert f"Row {number}" in text
    assert ":red[Documented error 2] ·" in text


def test_a_row_that_is_not_there_is_said(walked: "Page") -> None:
    walked.go(PAGE, row="4711")
    assert "Row 4711 does not exist" in walked.text()


def test_a_filter_that_finds_nothing_says_so(walked: "Page") -> None:
    walked.go(PAGE, text="no such words")
    assert "No exchanges match these filters" in walked.text()


def test_a_wrong_filter_in_the_address_is_named(walked: "Page") -> None:
    walked.go(PAGE, status="banana")
    assert "status is 'banana'" in walked.text()


def test_the_download_carries_the_filters_and_its_link_expires(walked: "Page", server: str) -> None:
    import httpx

    walked.go(PAGE, status="4xx")
    link = next(link for link in walked.app.link_button if link.key == "history.download")
    assert link.value == "Download 1 as CSV"
    # A process of its own writes the file, and takes seconds to start on a busy machine.
    answer = httpx.get(link.proto.url, trust_env=False, timeout=60)
    assert answer.status_code == 200
    assert answer.content.count(b"\r\n") >= 2
    assert httpx.get(link.proto.url + "x", trust_env=False).status_code == 403


def test_damaged_rows_are_shown_as_such_and_deleted_from_the_page(page: "Page", console: Installation) -> None:
    damage_history(console.history)
    page.go(PAGE, origin="*")  # they were imported
    assert [status for _, status in table(page)].count("damaged") == 5
    for shown in ("charts", "repeats"):
        page.go(PAGE, show=shown)
        assert "Could not show" not in page.text()
    del page.app.query_params["show"]
    page.go(PAGE, row="2")
    assert "This row is damaged." in page.text()
    assert "duration_ms is not a whole number in its range" in page.text()
    page.press("history.one.delete")
    assert "1 exchange deleted" in page.text()
    assert [status for _, status in table(page)].count("damaged") == 4


def import_har(page: "Page", entries: int) -> None:
    entry = {
        "startedDateTime": "2026-11-21T10:00:00Z",
        "request": {"method": "GET", "url": "https://p.example/me?access_token=a-customers-real-token-0001"},
        "response": {"status": 200, "content": {"text": "{}"}},
    }
    page.go(PAGE)
    content = json.dumps({"log": {"entries": [entry] * entries}}).encode()
    page.app.file_uploader(key="history.import.file").upload("customer.har", content)
    page.run()
    page.app.text_input(key="history.import.case").set_value("T-1")
    page.press("history.import")


def test_a_file_is_imported_in_a_process_of_its_own(
    page: "Page", console: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = Mock()
    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", removed)
    import_har(page, 3)
    assert "3 exchanges imported" in page.text()
    rows = console.history.page(Filters(case="T-1"), None, 5)
    assert ["«access_token #" in row.exchange.request.url for row in rows] == [True] * 3
    assert {row.exchange.owner for row in rows} == {LOCAL.id}
    assert removed.call_count == 1, "the file stays in the memory of the server"
    import_har(page, 3)
    assert "0 exchanges imported, 3 already there" in page.text()


def test_an_import_that_reaches_its_limit_says_how_far_it_was(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    error = IsolationError("it took more than 900 seconds; the last step was: 500 exchanges imported so far")
    monkeypatch.setattr(isolation, "call", Mock(side_effect=error))
    import_har(page, 1)
    assert "Import incomplete" in page.text()
    assert "500 exchanges imported so far" in page.text()
    page.run()
    assert "was stopped" not in page.text()


def test_a_cancelled_import_says_how_far_it_was(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*_: object, waiting: Callable[[float, str], None], **__: object) -> NoReturn:
        waiting(1.0, "500 exchanges imported so far")
        st.stop()  # as Streamlit ends the run of a page when a button is pressed meanwhile

    monkeypatch.setattr(isolation, "call", cancelled)
    import_har(page, 1)
    page.run()
    assert "The import was stopped" in page.text()
    assert "When it ended: 500 exchanges imported so far." in page.text()
    page.run()
    assert "The import was stopped" not in page.text()


def test_a_saved_view_keeps_the_columns_and_the_time_zone_of_downloads(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, step="token")
    walked.app.multiselect(key="history.download.columns").set_value(["note", "id"])
    walked.run()
    assert walked.app.query_params["columns"] == "id,note"
    walked.app.text_input(key="history.view.name").set_value("Notes")
    walked.press("history.view.save")
    walked.go(PAGE)
    walked.press("history.view.1.open")
    assert walked.app.query_params["columns"] == "id,note"
    assert walked.app.multiselect(key="history.download.columns").value == ["id", "note"]


def test_drills_and_imports_are_listed_once_the_chip_asks_for_them(walked: "Page", console: Installation) -> None:
    own = console.history.count(Filters())
    one = console.history.page(Filters(), None, 1)[0]
    console.history.add([replace(one, exchange=replace(one.exchange, marks=("imported",)))])
    console.history.begin(replace(one.exchange, id=None, case="drill", flow=""))
    walked.go(PAGE)
    assert len(table(walked)) == own
    walked.app.pills(key="history.filter.origin").set_value(["Drills and imports"])
    walked.run()
    assert len(table(walked)) == own + 2
    assert walked.app.query_params["origin"] == "*"
    walked.app.pills(key="history.filter.origin").set_value([])
    walked.run()
    assert len(table(walked)) == own
    walked.go(PAGE, case="drill")
    assert len(table(walked)) == 1


def test_the_status_is_coloured_and_the_time_relative(walked: "Page") -> None:
    walked.go(PAGE)
    frame = walked.app.dataframe[0].value
    assert set(frame["when"]) == {"just now"}
    columns = json.loads(walked.app.dataframe[0].proto.columns)
    options = columns["status"]["type_config"]["options"]
    colours = {option["value"]: option["color"] for option in options}
    assert colours["400"] == "red"
    assert colours["200"] == "green"


def test_a_comparison_says_that_nothing_differs(walked: "Page", console: Installation) -> None:
    one = console.history.page(Filters(), None, 1)[0]
    console.history.add([one])
    number = newest(console)
    walked.go(PAGE, row=str(number), **{"with": str(one.exchange.id)})
    assert f"row {one.exchange.id} (400): nothing differs" in walked.text()


def test_saving_a_note_says_so(walked: "Page", console: Installation) -> None:
    walked.go(PAGE, row=str(newest(console)))
    walked.app.text_area(key="history.note").set_value("called them back")
    walked.press("history.labels.save")
    assert [success.value for success in walked.app.success] == ["Saved"]


def test_the_line_proposes_the_clients_of_the_list_at_once(walked: "Page") -> None:
    walked.go(PAGE)
    assert "client:demo-app" in walked.app.multiselect(key=LINE).options
