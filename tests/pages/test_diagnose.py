import json
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from oauth import isolation
from oauth.diagnosis import diagnose as diagnose_exchange
from oauth.diagnosis import pasted
from oauth.diagnosis.as_json import ResultObject, diagnose
from oauth.history.filters import Filters
from oauth.installation import Installation, now
from oauth.isolation import IsolationError
from oauth.paste import ParseError, read
from pages.parts.common.markdown import escaped
from pages.parts.diagnose import pasted as pasted_text
from tests.benchmarks.paste import short_har
from tests.paste.samples import samples

if TYPE_CHECKING:
    from tests.pages.conftest import Page

PAGE = "diagnose.py"
USED_CODE = "c0ffee" * 6 + "abcd"
CURL = (
    "curl -X POST https://www.olx.pl/api/open/oauth/token -H 'Content-Type: application/json' "
    """-d '{"grant_type":"authorization_code","client_id":"200123","client_secret":"a-customers-real-secret-0001",
"scope":"read write v2"}'"""
)
REFUSED = """HTTP/1.1 400 Bad Request
Content-Type: application/json
X-Request-Id: r-4711

{"error": "invalid_request", "error_description": "Missing parameter: \\"code\\" is required",}"""


def paste(page: "Page", text: str) -> None:
    page.go(PAGE)
    page.app.text_area(key="diagnose.text").set_value(text)
    page.press("diagnose.read")


def test_response_is_shown_with_its_remedy_and_repairs(page: "Page") -> None:
    paste(page, REFUSED)
    text = page.text()
    assert ":red[Documented error 1] ·" in text
    assert "Provide the missing code parameter" in text
    assert "Parsed after repair" in text
    assert "Request ID: r-4711" in text


def test_status_that_only_the_body_states_is_said_to_be_from_there(page: "Page") -> None:
    paste(page, '{"error": "invalid_grant", "status_code": 400}')
    assert "400 in the body" in page.text()
    paste(page, '{"error": "invalid_grant"}')
    assert "status unknown" in page.text()


def test_a_lone_curl_command_is_read_redacted_and_checked(page: "Page") -> None:
    paste(page, CURL)
    text = page.text()
    assert "Request without a response" in text
    assert "code" in text
    assert "a-customers-real-secret-0001" not in text
    assert "«client_secret #" in text
    assert page.app.text_area(key="diagnose.text").value == ""


def test_words_of_a_program_without_a_response_are_shown_and_saved(page: "Page", console: Installation) -> None:
    paste(page, f"{CURL}\ncurl: (6) Could not resolve host: www.olx.pl")
    text = page.text()
    assert "The program could not resolve the host name" in text
    assert "Check the host name in the program's configuration for typos." in text
    page.press("diagnose.save")
    [row] = console.history.page(Filters(), None, 10)
    assert row.exchange.failure is not None
    assert row.exchange.failure.kind == "program_unknown_host"


def test_button_without_a_text_keeps_the_last_reading(page: "Page") -> None:
    """A dropped file is read at once, and the button is pressed all the same."""
    paste(page, "")
    assert "the text is empty" in page.text()
    paste(page, REFUSED)
    page.press("diagnose.read")
    assert "could not be read" not in page.text()
    assert ":red[Documented error 1] ·" in page.text()


def test_unreadable_text_stays_in_the_field_with_the_place_of_the_problem(page: "Page") -> None:
    paste(page, '{"error":\n}')
    assert "could not be read" in page.text()
    assert "line 2" in page.text()
    assert page.app.text_area(key="diagnose.text").value == '{"error":\n}'


def test_text_without_anything_known_is_told_what_was_looked_for(page: "Page", console: Installation) -> None:
    paste(page, "no such thing at all")
    text = page.text()
    assert "Nothing was recognised" in text
    assert "Looked for" in text
    assert "curl" in text
    assert page.app.text_area(key="diagnose.text").value == "no such thing at all"
    assert {button.key for button in page.app.button} >= {f"diagnose.example.{name}" for name in pasted_text.EXAMPLES}
    paste(page, '{"id": 1, "name": "x"}')
    assert "Nothing was recognised" in page.text()


def test_long_text_without_anything_known_is_told_the_same(page: "Page") -> None:
    text = "no such {thing} at all\n" * (pasted_text.LONG // 20)
    paste(page, text)
    assert "Nothing was recognised" in page.text()
    assert page.app.text_area(key="diagnose.text").value == text


@pytest.mark.parametrize(("name", "number"), [("curl", 1), ("log", 11), ("callback", 10)])
def test_example_is_put_into_the_field_and_diagnosed(page: "Page", name: str, number: int) -> None:
    paste(page, "no such thing at all")
    page.press(f"diagnose.example.{name}")
    assert page.app.text_area(key="diagnose.text").value == pasted_text.EXAMPLES[name]
    assert f":red[Documented error {number}] ·" in page.text()
    assert len(page.app.header) == 1
    assert "Nothing was recognised" not in page.text()


def test_text_that_an_example_took_the_place_of_can_be_restored(page: "Page") -> None:
    paste(page, "no such thing at all")
    page.press("diagnose.example.log")
    page.press("diagnose.restore")
    assert page.app.text_area(key="diagnose.text").value == "no such thing at all"
    assert not any(button.key == "diagnose.restore" for button in page.app.button)


def test_examples_are_offered_before_anything_is_pasted(page: "Page") -> None:
    page.go(PAGE)
    page.press("diagnose.example.callback")
    assert ":red[Documented error 10]" in page.text()


def test_long_text_is_read_in_a_process_of_its_own(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    call = Mock(wraps=isolation.call)
    monkeypatch.setattr(isolation, "call", call)
    paste(page, REFUSED)
    assert not call.called
    paste(page, f"{REFUSED}{' ' * pasted_text.LONG}")
    assert call.call_count == 1
    assert ":red[Documented error 1] ·" in page.text()
    assert page.app.text_area(key="diagnose.text").value == ""
    assert not any(button.key == "diagnose.cancel" for button in page.app.button)


def test_log_that_takes_too_long_is_shown_as_far_as_it_was_read(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{REFUSED}\n\n" + "2026-11-23 10:15:00 nothing of interest\n" * pasted_text.LONG
    monkeypatch.setattr(isolation, "call", Mock(return_value=(read(REFUSED), len(REFUSED) + 2)))
    paste(page, text)
    assert ":red[Documented error 1] ·" in page.text()
    assert "Reading stopped at line 7 after 90 seconds" in page.text()
    assert "Read up to line 7." in page.text()
    assert "Read whole" not in page.text()
    assert page.app.text_area(key="diagnose.text").value == text, "the rest is to be cut out of it"


@pytest.mark.parametrize(
    ("error", "problem"),
    [(ParseError("no reader knows it"), "no reader knows it"), (IsolationError("it took more"), "it took more")],
)
def test_long_text_that_cannot_be_read_stays_in_the_field(
    page: "Page", monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str
) -> None:
    monkeypatch.setattr(isolation, "call", Mock(side_effect=error))
    text = "no such thing " * pasted_text.LONG
    paste(page, text)
    assert problem in page.text()
    assert page.app.text_area(key="diagnose.text").value == text


@pytest.mark.parametrize("padding", [0, pasted_text.LONG])
def test_file_is_read_and_leaves_the_memory_of_the_server(
    page: "Page", monkeypatch: pytest.MonkeyPatch, padding: int
) -> None:
    removed = Mock()
    monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", removed)
    page.go("diagnose.py")
    page.app.file_uploader(key="diagnose.file.0").upload("a.txt", f"{REFUSED}{' ' * padding}".encode())
    page.run()
    assert ":red[Documented error 1] ·" in page.text()
    assert removed.call_count == 1
    assert page.app.file_uploader(key="diagnose.file.1").value is None


def test_file_of_another_encoding_is_refused_with_the_place(page: "Page") -> None:
    page.go("diagnose.py")
    page.app.file_uploader(key="diagnose.file.0").upload("a.txt", REFUSED.encode("utf-16"))
    page.run()
    assert "the byte at offset 0 is invalid" in page.text()


def test_paste_is_saved_on_request_only_and_redacted(page: "Page", console: Installation) -> None:
    paste(page, CURL)
    assert console.history.count(Filters()) == 0
    page.type("diagnose.case", "T-9")
    page.press("diagnose.save")
    kept = console.history.page(Filters(), None, 10)
    assert [row.exchange.case for row in kept] == ["T-9"]
    assert b"a-customers-real-secret-0001" not in kept[0].exchange.request.body
    assert "Saved as rows" in page.text()


def test_saved_row_has_the_error_that_was_recognised(page: "Page", console: Installation) -> None:
    paste(page, REFUSED)
    page.press("diagnose.save")
    paste(page, "It failed with error invalid_grant: Invalid refresh token")
    page.press("diagnose.save")
    rows = console.history.page(Filters(), None, 10)
    assert [(row.documented_error, row.error) for row in rows] == [(11, "invalid_grant"), (1, "invalid_request")]


def test_request_opens_in_the_walkthrough_with_its_fields_filled_in(page: "Page") -> None:
    paste(page, CURL)
    page.press("diagnose.1.open")
    page.go("walkthrough.py")
    assert page.value("token.field.client_id.value") == "200123"
    assert page.value("token.field.client_secret.value").startswith("«client_secret #")
    assert page.app.checkbox(key="token.field.code.send").value is False
    assert page.value("token.url") == "https://www.olx.pl/api/open/oauth/token"


def test_a_pasted_exchange_is_replayed_at_the_sandbox_and_gives_the_same_error(
    page: "Page", console: Installation
) -> None:
    paste(page, f"{CURL}\n{REFUSED}")
    page.press("diagnose.1.replay")
    text = page.text()
    assert "Same result at the sandbox" in text
    assert "demo-app" in text
    hosts = {row.exchange.request.url.split("/")[2] for row in console.history.rows(Filters())}
    assert all(host.startswith(("localhost", "127.0.0.1")) for host in hosts)


def test_long_paste_is_paged_and_each_page_diagnosed_once(page: "Page", monkeypatch: pytest.MonkeyPatch) -> None:
    judged = Mock(wraps=diagnose_exchange)
    monkeypatch.setattr(pasted, "diagnose", judged)
    paste(page, short_har(1_200))
    assert "1,200 exchanges, read as HAR" in page.text()
    failed = judged.call_count
    assert 0 < failed <= 20
    page.run()
    assert judged.call_count == failed
    page.app.session_state["diagnose.page"] = 2
    page.run()
    assert failed < judged.call_count <= 2 * failed + 1
    page.app.session_state["diagnose.page"] = 60
    page.run()
    assert "«refresh_token #" in page.text()
    assert not page.app.header, "the last page has healthy exchanges"


def test_secret_named_by_a_later_exchange_is_redacted_in_earlier_ones(page: "Page") -> None:
    told = REFUSED.replace("Missing parameter", "a-customers-real-secret-0001 Missing parameter")
    paste(page, f"{told}\n\n{CURL}")
    assert "a-customers-real-secret-0001" not in page.text()


def test_page_and_command_say_the_same_of_every_sample(page: "Page", console: Installation) -> None:
    key = console.settings.derived_key("fingerprint")
    page.go(PAGE)
    for text in samples():
        page.app.text_area(key="diagnose.text").set_value(text)
        page.press("diagnose.read")
        results = list(diagnose(text, now(), key))
        drawn = page.text()
        errors = [_headline(result) for result in results if result["title"]]
        # The headline of a card is the error, or its cause where that is proven or likely; the error is then below it.
        assert len(page.app.header) == len(errors), text
        assert all(error in drawn for error in errors), text
        for result in results:
            for cause in result["causes"]:
                assert cause["title"] in drawn, text
                assert all(fact["text"] in drawn for fact in cause["evidence"]), text


def _headline(result: ResultObject) -> str:
    number = result["documented"]
    return (
        f":red[Documented error {number}] · {result['title']}" if number else f":red[{escaped(result['title'] or '')}]"
    )


@pytest.mark.parametrize("text", ['{"id": 1, "name": "x"}', 'HTTP/1.1 200 OK\n\n{"id": 1, "name": "x"}'])
def test_success_of_an_unknown_endpoint_needs_no_access_token(page: "Page", text: str) -> None:
    paste(page, text)
    assert "1 exchange, read as" in page.text()
    assert not page.app.header


def marked(page: "Page") -> str:
    """The pasted text as the page draws it."""
    (text,) = [code.value for code in page.app.code if code.language == "diff" and "│" in code.value]
    return text


SEVERAL = """The worker said: {"error": "invalid_scope"} at noon.
HTTP/1.1 201 Created

{"data": {"id": 7}}

HTTP/1.1 404 Not Found
Content-Length: 0

HTTP/1.1 400 Bad Request

{"error":"invalid_grant","error_description":"Invalid refresh token"}
That is all."""


def listed(page: "Page") -> list[str]:
    """The lines of the exchanges in the list."""
    return [expander.label for expander in page.app.expander if expander.label.startswith("**")]


def test_text_is_marked_with_the_numbers_of_its_exchanges(page: "Page") -> None:
    paste(page, SEVERAL)
    lines = marked(page).splitlines()
    assert [line[0] for line in lines if line[3:]] == ["1", "2", "2", "3", "3", "4", "4", " "]
    assert lines[0] == '1│ The worker said: ▶{"error": "invalid_scope"}◀ at noon.'
    assert lines[-1] == " │ That is all."
    assert "not understood: 1 of 8." in page.text()


def test_likeliest_error_comes_first_and_healthy_exchanges_last(page: "Page") -> None:
    paste(page, SEVERAL)
    assert [label.split(" · ")[0] for label in listed(page)] == ["**4**", "**1**", "**3**", "**2**"]
    assert "3 failures, the likeliest first" in page.text()
    details = [expander for expander in page.app.expander if expander.label in listed(page)]
    assert [expander.proto.expanded for expander in details] == [True, False, False, False]
    assert page.app.header[0].value.startswith(":red[Documented error 11]")


def test_one_error_is_the_headline_without_a_list(page: "Page") -> None:
    paste(page, REFUSED)
    assert listed(page) == []
    healthy, _, refused = SEVERAL.partition("\n")[2].partition("HTTP/1.1 404 Not Found\nContent-Length: 0\n\n")
    paste(page, healthy + refused)
    assert [label.split(" · ")[0] for label in listed(page)] == ["**1**"]
    assert [element.value.partition(" ·")[0] for element in page.app.header] == [":red[Documented error 11]"]


def test_text_says_whether_it_was_cut(page: "Page") -> None:
    paste(page, REFUSED)
    assert "Read whole" in page.text()
    assert "Every line belongs to an exchange" in page.text()
    paste(page, 'HTTP/1.1 400 Bad Request\n\n{"error": "invalid_grant", "error_description": "Invalid refr')
    assert "Cut off in exchange 1" in page.text()


def test_secret_is_hidden_in_the_marked_text_wherever_it_stands(page: "Page") -> None:
    secret = "a-customers-real-secret-0001"
    paste(page, f"Our secret is {secret}, see:\n{CURL}\nfor {secret}\n{REFUSED}")
    text = marked(page)
    assert secret not in page.text()
    assert text.count("«client_secret #") == 3
    numbers = [line.partition("│")[0] for line in text.splitlines()]
    assert numbers[0] == numbers[3] == " "
    assert numbers[1:3] == ["1", "1"]


def test_words_of_a_provider_are_no_markdown_in_the_list(page: "Page") -> None:
    error = '{"error": "bad_[x](https://evil.example)**", "error_description": "%s"}'
    paste(page, "\n\n".join(f"HTTP/1.1 400 Bad Request\n\n{error % words}" for words in ("one", "two")))
    labels = [expander.label for expander in page.app.expander if expander.label.startswith("**")]
    assert len(labels) == 2
    assert not any("[" in label or "](" in label or "://" in label for label in labels)


def test_pasted_text_reaches_neither_history_nor_address(page: "Page", console: Installation) -> None:
    paste(page, f"The customer wrote: zebra-4711.\n{REFUSED}")
    assert "zebra-4711" in marked(page)
    page.press("diagnose.save")
    assert "zebra-4711" not in repr(console.history.page(Filters(), None, 10))
    assert "zebra" not in str(dict(page.app.query_params))


def test_a_new_text_clears_the_last_result_and_its_ticket(page: "Page") -> None:
    page.go("diagnose.py")
    page.app.text_area(key="diagnose.text").set_value('HTTP/1.1 400 Bad Request\n\n{"error": "invalid_grant"}')
    page.press("diagnose.read")
    page.app.text_input(key="diagnose.case").set_value("T-1")
    page.run()
    assert "read as" in page.text()
    page.app.text_area(key="diagnose.text").set_value("nothing of the kind")
    page.press("diagnose.read")
    assert "read as" not in page.text()
    assert "Nothing was recognised" in page.text()
    assert "Reading stopped at line 1" in page.text(), "it says how far the text was understood"
    assert sum(str(button.key).startswith("diagnose.example.") for button in page.app.button) == 3
    page.app.text_area(key="diagnose.text").set_value('HTTP/1.1 401 Unauthorized\n\n{"error": "invalid_client"}')
    page.press("diagnose.read")
    assert "read as" in page.text()
    assert page.value("diagnose.case") == ""


def test_a_saved_paste_has_its_client_and_its_proven_cause(page: "Page", console: Installation) -> None:
    page.go("diagnose.py")
    page.press("diagnose.example.curl")
    page.press("diagnose.save")
    row = console.history.page(Filters(), None, 1)[0]
    assert row.exchange.client_id == "200123"
    assert row.cause
    assert "Saved as rows" in page.text()


def test_a_har_is_a_line_a_request_opened_at_the_first_failure(page: "Page") -> None:
    def entry(path: str, status: int, body: str) -> dict[str, object]:
        content = {"text": body, "mimeType": "application/json"}
        return {
            "startedDateTime": "2026-11-21T10:00:00Z",
            "request": {"method": "POST", "url": f"https://p.example{path}", "headers": []},
            "response": {"status": status, "headers": [], "content": content},
        }

    refused = '{"error": "invalid_grant"}'
    entries = [entry("/ok", 200, "{}"), entry("/token", 400, refused), entry("/token", 400, refused)]
    paste(page, json.dumps({"log": {"entries": entries}}))
    assert [label.split(" · ")[0] for label in listed(page)] == ["**2**", "**3**", "**1**"]
    assert [label.split(" · ")[-1] for label in listed(page)] == ["`POST /token`", "`POST /token`", "`POST /ok`"]
    details = [expander for expander in page.app.expander if expander.label in listed(page)]
    assert [expander.proto.expanded for expander in details] == [True, False, False]
