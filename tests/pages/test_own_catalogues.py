"""Your own catalogues: errors documented from the history or a pasted answer, changed, shared, and recognised."""

import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from oauth.catalogue import editing
from oauth.catalogue.catalogues import catalogue, own_folder
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history.filters import Filters
from oauth.history.recognise_again import recognise_again
from oauth.installation import Installation
from tests.catalogue.test_catalogues import ACME

if TYPE_CHECKING:  # a conftest is no module to import; pytest hands out what is in it
    from tests.pages.conftest import Page

PAGE = "errors.py"
SECRET = "canary0of0the0customer0a81"
QUOTA = '{"code": "E-17", "message": "The quota of plan gold is used up.", "token": "TOKEN"}'.replace("TOKEN", SECRET)
WRITTEN = {"field.cause": "The plan has a monthly quota.", "field.remedy": "Upgrade.\n\nOr wait."}


@pytest.fixture
def record(console: Installation) -> Callable[..., int]:
    """Record the answer of an API that the console does not know; return the row."""

    def record(body: str = QUOTA, url: str = "https://api.acme.example/me", status: int = 403) -> int:
        recorder = console.recorder()
        request = Request("GET", url, (("Authorization", f"Bearer {SECRET}"),))
        begun = recorder.begin(Exchange(Step.API, request, datetime(2026, 11, 23, 10, tzinfo=UTC)))
        recorder.complete(begun, replace(begun.live, response=Response(status, body=body.encode())))
        return begun.live.id or 0

    return record


def write(page: "Page", **values: str) -> None:
    """Type values into the form, by the ends of their keys."""
    for name, text in values.items():
        key = f"errors.document.{name}"
        areas = {area.key: area for area in page.app.text_area}
        (areas[key] if key in areas else page.app.text_input(key=key)).set_value(text)
        page.run()


def open_list(page: "Page") -> None:
    page.go(PAGE)
    page.app.session_state["errors.document"] = True
    page.run()


def value(page: "Page", name: str) -> str:
    return str(page.app.session_state[f"errors.document.field.{name}"])


def files() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(own_folder().glob("*.toml"))}


def entries_in_history(console: Installation) -> list[str | None]:
    return [row.entry for row in console.history.rows(Filters())]


def add_acme() -> None:
    editing.create("acme", ACME)


def test_an_answer_in_the_history_is_documented_and_recognised_from_then_on(
    page: "Page", console: Installation, record: Callable[..., int]
) -> None:
    number = record()
    page.go("history.py", row=str(number))
    (link,) = (it for it in page.app.get("page_link") if it.proto.label == "Document this error")
    assert link.proto.query_string == f"document={number}"
    page.go(PAGE, document=str(number))
    assert [value(page, it) for it in ("code", "description", "status", "endpoint", "id")] == [
        "E-17",
        "",  # words beside a code of its own may be of this case only
        "403",
        "resource",
        "E-17",
    ]
    assert [page.value(f"errors.document.head.{it}") for it in ("name", "hosts")] == ["Acme", "api.acme.example"]
    assert f"Row {number} is recognised as this error." in page.text()
    write(
        page,
        **WRITTEN,
        **{"head.documentation": "https://docs.acme.example/errors", "field.title": "The quota is used up"},
    )
    page.press("errors.document.save")
    assert f"acme/E-17.\nRow {number} is recognised as it." in page.text()
    text = files()["acme.toml"]
    assert (
        'example = \'{"code": "E-17", "message": "The quota of plan gold is used up.", "token": "example-value"}\''
        in text
    )
    assert 'remedy = ["Upgrade.", "Or wait."]' in text
    assert 'source = "https://docs.acme.example/errors"' in text
    assert stat.S_IMODE((own_folder() / "acme.toml").stat().st_mode) == 0o600
    assert SECRET not in text + page.text() + str(page.app.query_params)
    record()
    assert entries_in_history(console) == ["acme/E-17", "answer/unknown_error"]
    assert list(recognise_again(console.history))[-1].changed.total() == 1
    assert entries_in_history(console) == ["acme/E-17", "acme/E-17"]
    page.go("history.py", row="1")
    assert ":red[The quota is used up]" in page.text()
    assert "Edit this error" in [it.proto.label for it in page.app.get("page_link")]


def test_problems_stand_at_their_fields_and_nothing_typed_is_lost(page: "Page", record: Callable[..., int]) -> None:
    page.go(PAGE, document=str(record()))
    write(page, **{"field.status": "4o3", "field.source": "docs.acme.example"})
    text = page.text()
    assert "HTTP status must be a number from 100 to 599" in text
    assert "Source must be an address that begins with https://" in text
    assert "Cause is missing" not in text  # not before something was typed there, or Save was pressed
    page.press("errors.document.save")
    assert "Nothing was saved. Fields to correct: 5." in page.text()
    assert "Cause is missing" in page.text()
    assert (value(page, "status"), value(page, "code")) == ("4o3", "E-17")
    assert files() == {}


def test_fields_are_filled_from_a_pasted_answer_and_typed_ones_stay(page: "Page") -> None:
    open_list(page)
    page.press("errors.document.new")
    write(page, **{"field.title": "My own title"})
    answer = (
        f'HTTP/1.1 429 Too Many\nContent-Type: application/json\n\n{{"error": "slow_down", "access_token": "{SECRET}"}}'
    )
    write(page, **{"field.example": answer})
    assert [value(page, it) for it in ("title", "code", "status", "spec", "id")] == [
        "My own title",
        "slow_down",
        "429",
        "slow_down",
        "slow_down",
    ]
    assert value(page, "example") == '{"error": "slow_down", "access_token": "example-value"}'
    write(page, **{"field.example": '{"code": "wait", "message": "Later, please."}'})
    assert [value(page, it) for it in ("title", "code", "description", "status")] == [
        "My own title",
        "wait",
        "",
        "",
    ]
    write(page, **{"field.example": "The moon is full."})
    assert [value(page, it) for it in ("code", "description", "example")] == ["", *["The moon is full."] * 2]


def test_an_entry_that_matches_something_else_is_warned_of(page: "Page", record: Callable[..., int]) -> None:
    page.go(PAGE, document=str(record('{"error": "access_denied"}', "http://127.0.0.1:9/me")))
    write(page, **{"head.hosts": "api.acme.example"})
    assert "Add 127.0.0.1:9 to the hosts of this catalogue" in page.text()
    assert "Other providers have the same: " in page.text()
    write(page, **{"field.code": "other"})
    assert "The example says code 'access_denied', which is not this error." in page.text()
    assert "Row 1 is not this error: its words differ." in page.text()


def test_words_with_values_become_a_pattern(page: "Page", record: Callable[..., int]) -> None:
    body = '{"error": "invalid_grant", "error_description": "The shop of ada was closed at 10:15."}'
    page.go(PAGE, document=str(record(body)))
    page.press("errors.document.pattern")
    assert (value(page, "description"), value(page, "pattern")) == ("", "The shop of ada was closed at {time}.")
    assert "Row 1 is recognised as this error." in page.text()


def test_a_secret_is_refused_and_replaced(page: "Page", record: Callable[..., int]) -> None:
    page.go(PAGE, document=str(record()))
    write(page, **WRITTEN, **{"head.documentation": "https://docs.acme.example/"})
    write(page, **{"field.title": f"Refused {SECRET}"})
    page.press("errors.document.save")
    assert "Title has a secret in it; put an invented value in its place" in page.text()
    assert files() == {}
    page.press("errors.document.invent.title")
    page.press("errors.document.save")
    assert 'title = "Refused example-value"' in files()["acme.toml"]


def test_errors_are_added_changed_and_deleted(page: "Page") -> None:
    add_acme()
    open_list(page)
    page.press("errors.own.acme.add")
    write(
        page,
        **{
            "field.example": '{"code": "gone", "message": "Not here."}',
            "field.cause": "c",
            "field.remedy": "r",
            "field.title": "t",
        },
    )
    page.press("errors.document.more")
    assert (value(page, "catalogue"), value(page, "code"), value(page, "source")) == (
        "acme",
        "",
        "https://docs.acme.example/errors",
    )
    page.press("errors.document.cancel")
    page.pick("errors.own.acme.entry", "gone")
    page.press("errors.own.acme.entry.edit")
    write(page, **{"field.title": "It is gone"})
    page.press("errors.document.save")
    found = catalogue("acme")
    assert found is not None
    assert [(it.id, it.title) for it in found.errors] == [("stale", "The token is stale"), ("gone", "It is gone")]
    page.press("errors.own.acme.edit")
    write(page, **{"head.hosts": "acme.example, *.acme.example"})
    page.press("errors.document.save")
    page.press("errors.own.acme.entry.delete.sure")
    assert (
        files()["acme.toml"]
        == ACME.replace('["*.acme.example"]', '["acme.example", "*.acme.example"]').rstrip() + "\n\n"
    )
    assert "This deletes the file with 1 error." in page.text()
    page.press("errors.own.acme.delete.sure")
    assert files() == {}


def test_a_change_in_another_tab_is_not_overwritten(page: "Page") -> None:
    add_acme()
    open_list(page)
    page.press("errors.own.acme.entry.edit")
    (own_folder() / "acme.toml").write_text(ACME.replace("The token is stale", "Changed elsewhere"), "utf-8")
    write(page, **{"field.title": "Mine"})
    page.press("errors.document.save")
    assert "stale in acme.toml was changed or deleted meanwhile. Nothing was saved: open it again." in page.text()
    assert value(page, "title") == "Mine"
    assert "Changed elsewhere" in files()["acme.toml"]


def test_an_invalid_file_is_listed_with_its_problem(page: "Page") -> None:
    own_folder().mkdir(parents=True)
    (own_folder() / "acme.toml").write_text("name = 1", "utf-8")
    open_list(page)
    assert "acme.toml must contain its errors under [[error]]." in page.text()
    page.press("errors.own.acme.delete.sure")
    assert files() == {}


def upload(page: "Page", name: str, content: bytes) -> None:
    open_list(page)
    page.app.file_uploader(key="errors.document.import").upload(name, content)
    page.run()


def test_a_file_is_imported_and_a_taken_name_is_asked_about(page: "Page") -> None:
    upload(page, "Acme.toml", ACME.encode())
    assert files() == {"acme.toml": ACME}
    other = ACME.replace("The token is stale", "Other")
    upload(page, "acme.toml", other.encode())
    assert "acme.toml has 1 errors; the imported file has its own." in page.text()
    page.press("errors.document.clash.rename")
    assert files() == {"acme.toml": ACME, "acme-2.toml": other}
    upload(page, "acme.toml", other.encode())
    page.press("errors.document.clash.replace")
    assert files()["acme.toml"] == other
    upload(page, "github.toml", ACME.encode())
    assert not any(button.key == "errors.document.clash.replace" for button in page.app.button)
    page.press("errors.document.clash.cancel")
    assert set(files()) == {"acme.toml", "acme-2.toml"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ACME.replace("[[error]]", "[error]").encode(), "a.toml must contain its errors under [[error]]."),
        (
            ACME.replace('code = "stale"', 'kode = "stale"', 1).encode(),
            "a.toml, error stale: Object contains unknown field",
        ),
        (
            ACME.replace('"code": "stale"', f'"access_token": "{SECRET}"').encode(),
            "a.toml, error stale: example has a secret",
        ),
        (ACME.encode("utf-16"), "a.toml is not UTF-8 text."),
        (b"#" * ((1 << 20) + 1), "a.toml is larger than 1 MiB."),
    ],
)
def test_an_invalid_import_is_refused_with_file_entry_and_field(page: "Page", content: bytes, problem: str) -> None:
    upload(page, "a.toml", content)
    assert "Nothing was saved." in page.text()
    assert problem in page.text()
    assert files() == {}


def test_a_draft_is_kept_when_another_row_is_opened(page: "Page", record: Callable[..., int]) -> None:
    first, second = record(), record('{"code": "E-18", "message": "Wait."}')
    page.go(PAGE, document=str(first))
    write(page, **{"field.title": "Mine"})
    page.go(PAGE, document=str(second))
    assert "Another error is being written." in page.text()
    assert value(page, "title") == "Mine"
    page.press("errors.document.cancel")
    assert value(page, "code") == "E-18"
    page.press("errors.document.cancel")
    assert "Your catalogues (0)" in [it.label for it in page.app.expander]


def test_a_row_with_an_entry_of_yours_opens_that_entry(page: "Page", record: Callable[..., int]) -> None:
    add_acme()
    body = '{"code": "stale", "message": "The token of user bob went stale at 9."}'
    page.go(PAGE, document=str(record(body)))
    assert value(page, "title") == "The token is stale"
    write(page, **{"field.title": "Too old"})
    page.press("errors.document.save")
    assert 'title = "Too old"' in files()["acme.toml"]


def test_an_open_entry_of_yours_is_edited(page: "Page") -> None:
    add_acme()
    page.go(PAGE, entry="acme/stale")
    page.press("errors.document.edit")
    assert value(page, "title") == "The token is stale"
    page.press("errors.document.cancel")
    page.go(PAGE, entry="github/bad_verification_code")
    assert not any(button.key == "errors.document.edit" for button in page.app.button)


def test_a_missing_row_is_said(page: "Page") -> None:
    page.go(PAGE, document="7")
    assert "Row 7 is not in the history, or it is damaged." in page.text()
