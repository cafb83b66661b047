from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from oauth.exchange import Exchange, Request, Step
from oauth.history.store import History


@pytest.fixture
def times() -> list[datetime]:
    """The clock reads the last of these."""
    return [datetime(2026, 11, 23, 10, 16, 19, 42, tzinfo=UTC)]


@pytest.fixture
def clock(times: list[datetime]) -> Callable[[], datetime]:
    return lambda: times[-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def open_history(clock: Callable[[], datetime], path: Path) -> Iterator[Callable[..., History]]:
    """Opens the history in ``path``, as another process would."""
    opened: list[History] = []

    def open_one(url: str = f"sqlite:///{path}") -> History:
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
