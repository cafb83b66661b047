from pathlib import Path

import pytest

from tests.benchmarks.history_kills import SESSIONS, run

pytestmark = pytest.mark.process


def test_a_killed_console_loses_no_completed_exchange_and_leaves_no_request_without_its_row(
    database_url: str, tmp_path: Path
) -> None:
    tally = run(database_url, 2, tmp_path)
    assert tally.completed > 0
    assert (tally.without_row, tally.lost) == (set(), set())
    # At the moment of a kill each session waits for one answer at most.
    assert tally.unanswered <= tally.kills * SESSIONS
