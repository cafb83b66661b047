"""Probes: ``/live`` says that the process runs, ``/ready`` that it may be sent people.

They are open to everybody, and say nothing but the kind of the reason.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from oauth.history.database import Database, HistoryError
from oauth.shutdown import SHUTDOWN

PATIENCE = 0.8
"""Seconds that a probe waits for the database; most probes wait for a second."""

GRACE = 3.0
"""Seconds after a good look for which a slow one counts as good, or load would take all consoles away at once."""

STOPPING, MIGRATING, DATABASE = "stopping", "migrating", "database"
"""The reasons."""


async def live(_request: Request) -> Response:
    """Answer that the process runs."""
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


def ready(get_database: Callable[[], Database]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that answers 200 if the console can serve people, and else 503 with the reason's kind.

    One look at the database serves all the probes that come meanwhile: it may take as long as a migration.
    """
    look: asyncio.Future[bool] | None = None
    good_until = 0.0

    def is_usable() -> bool:
        try:
            get_database().check()
        except HistoryError:
            return False
        return True

    async def reason() -> str:
        nonlocal look, good_until
        if SHUTDOWN.has_begun:
            return STOPPING
        if look is None or look.done():
            look = asyncio.ensure_future(run_in_threadpool(is_usable))
        try:
            usable = await asyncio.wait_for(asyncio.shield(look), PATIENCE)
            good_until = time.monotonic() + GRACE if usable else 0.0
        except TimeoutError:
            usable = time.monotonic() < good_until
        return "" if usable else MIGRATING if get_database().is_migrating else DATABASE

    async def endpoint(_request: Request) -> Response:
        why = await reason()
        content = {"status": "unavailable", "reason": why} if why else {"status": "ready"}
        return JSONResponse(content, 503 if why else 200, {"Cache-Control": "no-store"})

    return endpoint
