from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oauth.exchange import Exchange, Request, Step
from oauth.history.store import History
from tests.servers.postgresql import Server


@pytest.fixture
def times() -> list[datetime]:
    """The clock reads the last of these."""
    return [datetime(2026, 11, 23, 10, 16, 19, 42, tzinfo=UTC)]


@pytest.fixture
def clock(times: list[datetime]) -> Callable[[], datetime]:
    return lambda: times[-1]


@pytest.fixture
def open_history(clock: Callable[[], datetime], database_url: str) -> Iterator[Callable[..., History]]:
    """Opens the history, as another process would."""
    opened: list[History] = []

    def open_one(url: str = database_url) -> History:
        opened.append(History(url, clock))
        return opened[-1]

    yield open_one
    for history in opened:
        history.database.engine.dispose()


@pytest.fixture
def history(open_history: Callable[..., History]) -> History:
    return open_history()


@pytest.fixture
def exchange(clock: Callable[[], datetime]) -> Callable[..., Exchange]:
    """Makes an exchange that was not sent yet."""

    def make(step: Step = Step.TOKEN, **values: Any) -> Exchange:
        request = values.pop("request", None) or Request(
            "POST",
            "https://provider.example/oauth/token",
            (("Host", "provider.example"), ("Content-Type", "application/json")),
            b'{"grant_type": "authorization_code"}',
        )
        return Exchange(step, request, clock(), **values)

    return make


@pytest.fixture
def stored(database_url: str, request: pytest.FixtureRequest) -> Callable[[], bytes]:
    """Reads everything that the database has written: SQLite's files, or a dump of PostgreSQL's."""

    def read() -> bytes:
        if database_url.startswith("sqlite"):
            path = Path(database_url.removeprefix("sqlite:///"))
            return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
        server: Server = request.getfixturevalue("postgresql_server")
        return server.dump(database_url)

    return read
