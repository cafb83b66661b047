"""An import refuses what it cannot keep, by entry, and nothing that it keeps disturbs the history."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from oauth.exports import formats
from oauth.exports.query import source
from oauth.history import charts, facets, repeats
from oauth.history.deletion import delete_shown, last_id
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.imports import import_file
from oauth.redaction import Vault
from tests.hostile.entries import LINE, damage_history, files

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = b"key of the tests' fingerprints.."
COUNT = 2700


def exported(history: History, format: str) -> bytes:
    output = io.BytesIO()
    formats.write(source(history, Filters()), format, output, lambda rows, octets: None)
    return output.getvalue()


def read_everything(history: History) -> int:
    """Read the history in every way but the exports, and return the number of its rows."""
    rows = list(history.rows(Filters()))
    for row in rows:
        for zone in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Niue")):
            assert row.exchange.started_at.astimezone(zone)
        assert pd.Timestamp(row.exchange.started_at)
        assert row.exchange.duration_ms is None or 0 <= row.exchange.duration_ms < 2**31
    charts.errors(history, Filters(), 60, ZoneInfo("Europe/Kyiv"))
    charts.durations(history, Filters(), 60)
    repeats.repeats(history, Filters(), 60)
    list(facets.facets(history, Filters(), 60))
    return len(rows)


def test_type_confused_entries_are_refused_by_their_number_or_kept_whole(
    open_history: Callable[..., History], database_url: str
) -> None:
    history = open_history()
    kept = count = 0
    raised = []
    # The database decides about what was decoded already, so that some are enough for the slower one.
    for names, content in files(COUNT if database_url.startswith("sqlite") else COUNT // 10):
        try:
            report = import_file(io.BytesIO(content), history, lambda: Vault(KEY), NOW)
        except Exception as error:  # noqa: BLE001 (all of them are listed)
            raised.append((names, repr(error)))
            continue
        assert all(problem.startswith(("Line ", "Entry ")) for problem in report.problems)
        refused = [problem for problem in report.problems if "with the current time" not in problem]
        sound = names[0].startswith(("jsonl", "har"))  # one more, at the beginning
        assert report.count + report.duplicates + len(refused) == len(names) + sound, (names, report)
        kept += report.count
        count += len(names)
    assert not raised, f"{len(raised)} files of {count} entries: {raised[:10]}"
    assert read_everything(history) == kept
    assert not any(row.damage for row in history.rows(Filters()))
    history.database.engine.dispose()
    assert exported(history, "jsonl").count(b"\n") == kept
    assert exported(history, "csv")
    assert exported(history, "har")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ('"duration_ms": "x"', "Line 1: duration_ms cannot be read: expected int | null, got str."),
        ('"duration_ms": -1', "Line 1: duration_ms cannot be read: expected int >= 0."),
        ('"status": 1000', "Line 1: status cannot be read: expected int <= 999."),
        ('"step": "steep"', "Line 1: step cannot be read: invalid enum value 'steep'."),
        ('"owner": null', "Line 1: owner cannot be read: expected str, got null."),
        (
            '"started_at": "now"',
            "Line 1: it cannot be read: 'now' is not a time with a zone of our days, such as 2026-11-24T08:15Z.",
        ),
    ],
)
def test_refusal_names_the_line_the_field_and_what_is_wrong(change: str, problem: str, history: History) -> None:
    line = json.dumps(LINE | json.loads(f"{{{change}}}"))
    report = import_file(io.BytesIO(line.encode()), history, lambda: Vault(KEY), NOW)
    assert (report.count, report.problems) == (0, (problem,))


@pytest.fixture
def damaged(tmp_path: Path) -> History:
    history = History(f"sqlite:///{tmp_path / 'history.db'}", lambda: NOW)
    damage_history(history)
    return history


def test_damaged_rows_are_shown_as_such_exported_beside_the_others_and_deleted(damaged: History) -> None:
    assert read_everything(damaged) == 6
    damage = {row.exchange.id: row.damage for row in damaged.rows(Filters())}
    assert [len(damage[number]) for number in range(1, 7)] == [0, 1, 1, 1, 1, 1]
    assert damage[2] == ("duration_ms is not a whole number in its range",)
    assert {step for step, _, _ in charts.durations(damaged, Filters(), 60).steps} == {"token", "steep"}
    damaged.set_note(2, "labelled")
    damaged.database.engine.dispose()
    for format in ("csv", "jsonl", "har"):
        assert exported(damaged, format).count(b"p.example/token") >= 6, format
    assert list(delete_shown(damaged, Filters(), last_id(damaged)))[-1] == 6
