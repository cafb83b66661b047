"""What is kept is recognised again after a catalogue was written, and nothing else changes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from oauth.catalogue.catalogues import own_folder
from oauth.cli.main import main
from oauth.exchange import Exchange, Request, Response, Step
from oauth.history import recognise_again as module
from oauth.history.filters import Filters
from oauth.history.recognise_again import recognise_again
from oauth.history.recognition import Recognition
from oauth.history.store import History, Row
from oauth.installation import Installation
from oauth.recorder import Recorder
from oauth.redaction import Vault
from tests.catalogue.test_catalogues import ACME, BODY

URL = "https://eu.acme.example/me"
OK = Response(200, body=b'{"id": 1}')
REFUSED = Response(400, body=b'{"error": "invalid_grant", "error_description": "No."}')


def write_acme() -> None:
    own_folder().mkdir(parents=True, exist_ok=True)
    (own_folder() / "acme.toml").write_text(ACME, "utf-8")


def record(history: History, exchange: Exchange, response: Response | None) -> None:
    recorder = Recorder(history, Vault(b"key"))
    begun = recorder.begin(exchange)
    if response is not None:
        recorder.complete(begun, replace(begun.live, response=response))
    assert not recorder.problem


@pytest.fixture
def rows(history: History, exchange: Callable[..., Exchange]) -> Callable[[], list[Row]]:
    """Four exchanges that were recorded without the catalogue; reads them, oldest first."""
    request = Request("GET", URL, (("Authorization", "Bearer a-token-of-ada-0123456789"),))
    record(history, exchange(Step.API, request=request), OK)
    for number in range(3):
        record(history, exchange(Step.API, request=request, owner=f"ada{number}"), Response(401, body=BODY))
    record(history, exchange(Step.TOKEN), REFUSED)
    record(history, exchange(Step.API, request=request), None)
    return lambda: list(history.rows(Filters()))[::-1]


def last(history: History) -> module.Progress:
    return list(recognise_again(history))[-1]


def test_rows_from_before_a_catalogue_are_recognised_and_nothing_else_changes(
    history: History, rows: Callable[[], list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    before = rows()
    write_acme()
    progress = last(history)
    assert (progress.read, dict(progress.changed)) == (5, {("answer/unknown_error", "acme/stale"): 3})
    expected = [replace(row, entry="acme/stale") if row.entry == "answer/unknown_error" else row for row in before]
    assert rows() == expected
    assert [row.exchange.id for row in history.rows(Filters.parse("entry:acme/stale"))] == [4, 3, 2]


def test_a_second_run_changes_nothing(history: History, rows: Callable[[], list[Row]]) -> None:
    write_acme()
    last(history)
    before = rows()
    assert not last(history).changed
    assert rows() == before


def test_a_run_that_was_stopped_goes_on(
    history: History, rows: Callable[[], list[Row]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    write_acme()
    first = next(recognise_again(history))
    assert (first.read, first.changed.total()) == (3, 2)
    assert last(history).changed.total() == 1
    assert [row.entry for row in rows()][1:4] == ["acme/stale"] * 3


def test_a_deleted_catalogue_s_entries_go_back(history: History, rows: Callable[[], list[Row]]) -> None:
    before = rows()
    write_acme()
    last(history)
    (own_folder() / "acme.toml").unlink()
    assert dict(last(history).changed) == {("acme/stale", "answer/unknown_error"): 3}
    assert rows() == before


def test_a_partner_s_number_gives_way_to_the_catalogue_that_speaks_for_the_host(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    body = b'{"error": "invalid_grant", "error_description": "Invalid refresh token"}'
    request = Request("POST", "http://acme.internal/token")
    record(history, exchange(Step.REFRESH, request=request), Response(400, body=body))
    (row,) = history.rows(Filters())
    assert (row.documented_error, row.entry) == (11, "partner/11")
    own_folder().mkdir(parents=True)
    acme = ACME.replace("*.acme.example", "acme.internal").replace('code = "stale"', 'code = "invalid_grant"')
    pattern, text = "The token of user {name} went stale at {time}.", "Invalid refresh token"
    acme = acme.replace(pattern, text).replace("pattern", "description").replace("invalid_token", "invalid_grant")
    (own_folder() / "acme.toml").write_text(acme, "utf-8")
    last(history)
    (row,) = history.rows(Filters())
    assert (row.documented_error, row.entry) == (None, "acme/stale")


def test_a_number_that_was_known_from_more_than_is_kept_stays(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    answered = replace(exchange(Step.TOKEN), response=Response(400, body=b"{}"))
    history.add([Row(answered, 5, "invalid_client", "Words that are not kept")])
    assert not last(history).changed
    (row,) = history.rows(Filters())
    assert (row.documented_error, row.error, row.entry) == (5, "invalid_client", "partner/5")


def test_an_exchange_that_is_answered_meanwhile_is_left_to_its_recorder(
    history: History, rows: Callable[[], list[Row]], exchange: Callable[..., Exchange], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_acme()
    stored = module._store

    def meanwhile(history: History, changes: list[tuple[str, Row, Recognition]]) -> object:
        history.complete(
            4, replace(exchange(Step.API), response=OK), documented_error=None, error="", error_description=""
        )
        return stored(history, changes)

    monkeypatch.setattr(module, "_store", meanwhile)
    assert last(history).changed.total() == 2
    assert [row.entry for row in rows()][1:4] == ["acme/stale", "acme/stale", ""]


def test_the_command_says_what_changed(
    console: Installation, exchange: Callable[..., Exchange], capsys: pytest.CaptureFixture[str]
) -> None:
    record(console.history, exchange(Step.API, request=Request("GET", URL)), Response(401, body=BODY))
    write_acme()
    line = "        1  answer/unknown_error → acme/stale\n"
    assert main(["history", "recognise", "--dry-run"]) == 0
    assert capsys.readouterr().out == f"{line}Exchanges read: 1, would change: 1.\n"
    assert main(["history", "recognise"]) == 0
    assert capsys.readouterr().out == f"{line}Exchanges read: 1, changed: 1.\n"
    assert main(["history", "recognise"]) == 0
    assert capsys.readouterr().out == "Exchanges read: 1, changed: 0.\n"


def test_an_interrupted_command_says_what_it_has_changed(
    console: Installation,
    exchange: Callable[..., Exchange],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(2):
        record(console.history, exchange(Step.API, request=Request("GET", URL)), Response(401, body=BODY))
    write_acme()
    monkeypatch.setattr(module, "BATCH", 1)

    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oauth.cli.history._show_progress", interrupt)
    assert main(["history", "recognise"]) == 130
    done = capsys.readouterr()
    assert done.out.endswith("Exchanges read: 1, changed: 1.\n")
    assert done.err == "Interrupted. Run it again to go on.\n"


def test_an_exchange_that_is_recorded_after_the_catalogue_has_its_entry(
    history: History, exchange: Callable[..., Exchange]
) -> None:
    write_acme()
    record(history, exchange(Step.API, request=Request("GET", URL)), Response(401, body=BODY))
    (row,) = history.rows(Filters())
    assert (row.entry, row.error) == ("acme/stale", "stale")
