import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from oauth.history.store import History
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.routes import routes
from oauth.settings import Settings, load


@pytest.fixture
def times() -> list[datetime]:
    """The clock reads the last of these."""
    return [datetime(2026, 11, 23, 10, 16, 19, tzinfo=UTC)]


@pytest.fixture
def clock(times: list[datetime]) -> Callable[[], datetime]:
    return lambda: times[-1]


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    shutil.copy(migrated, tmp_path)
    return load({"CONSOLE_HOME": str(tmp_path), "CONSOLE_KEY": "a key of thirty-two characters.."})


@pytest.fixture
def history(settings: Settings, clock: Callable[[], datetime]) -> Iterator[History]:
    history = History(settings.database_url, clock)
    yield history
    history.database.engine.dispose()


@pytest.fixture
def http(settings: Settings, history: History, clock: Callable[[], datetime]) -> Iterator[httpx.Client]:
    """A client of the routes, served on a free port of the loopback address behind a compressing middleware."""
    key = settings.derived_key("fingerprint")
    app = Starlette(
        routes=routes(settings, lambda: Recorder(history, Vault(key)), clock), middleware=[Middleware(GZipMiddleware)]
    )
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        yield client


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", lifespan="off", access_log=False, forwarded_allow_ips="")
        )
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
