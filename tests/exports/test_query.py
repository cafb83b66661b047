from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from oauth.exchange import Exchange
from oauth.exports import formats
from oauth.exports.query import source
from oauth.history.filters import Filters
from oauth.history.store import History


@pytest.mark.parametrize(
    "line", ["", "since:2026-11-20 until:2026-11-20", "since:2026-11-20T00:00:00Z", "until:2026-11-20 status:none,200"]
)
def test_export_has_the_exchanges_that_the_list_has_at_every_time(
    history: History, exchange: Callable[..., Exchange], line: str
) -> None:
    day = datetime(2026, 11, 20, tzinfo=UTC)
    for at in (day, day + timedelta(hours=5), day + timedelta(days=1, microseconds=-1), day - timedelta(days=1)):
        history.begin(replace(exchange(), started_at=at))
    filters = Filters.parse(line).resolved(day, UTC)
    buffer = BytesIO()
    formats.write(source(history, filters), "jsonl", buffer, lambda *_: None)
    assert len(buffer.getvalue().splitlines()) == history.count(filters) > 2
