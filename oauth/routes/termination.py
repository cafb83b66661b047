"""SIGTERM: the console says that it is not ready, records the responses it waits for, and ends in time.

uvicorn alone waits for every connection, and so for a slow download, without a limit.
"""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from types import FrameType

import uvicorn

from oauth.shutdown import SHUTDOWN

NOTICE = 4.0
"""Seconds that a console behind a proxy goes on, for the proxy to notice that it is not ready."""

PATIENCE = 6.0
"""Seconds after SIGTERM until which responses are waited for."""

CLOSING = 1
"""Seconds that connections have to close."""

LAST = 9.0
"""Seconds after SIGTERM at which the process ends, whatever still holds it."""

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def graceful(*, behind_proxy: bool) -> AsyncIterator[None]:
    """Handle SIGTERM in the block, in which uvicorn serves. A second SIGTERM has its usual effect."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(server, uvicorn.Server) or threading.current_thread() is not threading.main_thread():
        yield  # a server of another kind, which has its own way to end
        return
    loop, tasks = asyncio.get_running_loop(), []

    def begin(number: int, frame: FrameType | None) -> None:
        if SHUTDOWN.has_begun:
            server.handle_exit(number, frame)
            return
        SHUTDOWN.begin()
        # In a context of its own: the signal may have interrupted a request, whose id the log would have.
        loop.call_soon_threadsafe(
            lambda: tasks.append(asyncio.ensure_future(_end(server, behind_proxy=behind_proxy))), context=Context()
        )

    signal.signal(signal.SIGTERM, begin)
    yield


async def _end(server: uvicorn.Server, *, behind_proxy: bool) -> None:
    start = time.monotonic()
    _LOG.info("Told to stop: nothing new is sent, and %d requests wait for their response", SHUTDOWN.sending)
    last = threading.Timer(LAST, _give_up)
    last.daemon = True
    last.start()
    await asyncio.sleep(NOTICE if behind_proxy else 0)
    while SHUTDOWN.sending and time.monotonic() - start < PATIENCE:
        await asyncio.sleep(0.05)
    missing, broken_off = SHUTDOWN.sending, SHUTDOWN.break_off()
    _LOG.info("Stopping: %d responses have not come, %d downloads were broken off", missing, broken_off)
    server.config.timeout_graceful_shutdown = CLOSING
    server.handle_exit(signal.SIGTERM, None)


def _give_up() -> None:
    _LOG.error("Did not end within %g seconds, and is ended now", LAST)
    os._exit(1)
