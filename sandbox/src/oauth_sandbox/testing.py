"""A running sandbox for tests: real HTTP on a free loopback port. ``fixtures.py`` has the same for pytest."""

import asyncio
import contextlib
import inspect
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from starlette.types import ASGIApp

from oauth_sandbox.app import application
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, ready_made
from oauth_sandbox.control_client import Control, SteeredClients, SteeredClock, SteeringError
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.server import HOST, Server, listening, url_of

TIMEOUT = 10  # seconds

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Race(Generic[_T]):
    """The end of a race: what the winners returned, and what the losers raised."""

    won: list[_T]
    lost: list[BaseException]


@dataclass(frozen=True, slots=True)
class SteeredSandbox:
    """A sandbox for a test suite: its URL, clock, clients and control, all over HTTP."""

    url: str
    control: Control
    clock: SteeredClock
    clients: SteeredClients

    def race(self, n: int, call: Callable[[], _T], endpoint: str = "token") -> Race[_T]:
        """Call ``call`` in ``n`` threads, and let its first requests to ``endpoint`` arrive at one moment.

        A call loses by raising an exception. One that ends before all these requests have arrived ends the race: its
        exception is raised, or ``RuntimeError`` if it has none. Raises ``TimeoutError`` when they do not arrive.
        """
        hold = self.control.fault("hold", when="before", times=n, endpoint=endpoint)["id"]
        with ThreadPoolExecutor(n) as threads:
            calls = [threads.submit(_called, call) for _ in range(n)]
            try:
                self._wait(calls, endpoint)
            finally:
                with contextlib.suppress(SteeringError):  # it is used up, as it is after a race that succeeded
                    self.control.request("DELETE", f"faults/{hold}")
                self.control.release()
        errors = [future.exception() for future in calls]
        won = [future.result() for future, error in zip(calls, errors, strict=True) if error is None]
        return Race(won, [error for error in errors if error is not None])

    def _wait(self, calls: Sequence[Future[_T]], endpoint: str) -> None:
        """Wait until a request of each call is held. Raises as ``race`` does."""
        end = time.monotonic() + TIMEOUT
        while True:
            ended = [future for future in calls if future.done()]
            count = len(self.control.request("GET", "holds"))
            if count >= len(calls):
                return
            if ended:
                reason = f"race: a call ended when {count} of {len(calls)} requests to {endpoint} had arrived."
                error = next((error for future in ended if (error := future.exception()) is not None), None)
                if error is None:
                    raise RuntimeError(f"{reason} Each call must send one to {self.url}.")
                error.add_note(reason)
                raise error
            if time.monotonic() > end:
                raise TimeoutError(
                    f"race: {count} of {len(calls)} requests to {endpoint} arrived within {TIMEOUT} seconds. "
                    "A call that sent none may wait for another one, for example for a lock."
                )
            time.sleep(0.005)


def _called(call: Callable[[], _T]) -> _T:
    """Return what ``call`` returns. Raises ``TypeError`` for a coroutine."""
    result = call()
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError("race: the call is async. Give a function that runs it: lambda: asyncio.run(call()).")
    return result


@dataclass(frozen=True, slots=True)
class RunningSandbox(SteeredSandbox):
    """A sandbox that this process serves."""

    sandbox: Sandbox


class running:
    """Serve a sandbox, by default a new one in real time, until the block ends: ``with`` or ``async with``.

    ``provider`` is the API of a new one: ``partner``, ``olxgroup`` or ``generic``. Raises ``ValueError`` for another.

    It has a thread of its own, so that a test may call it from an event loop and wait for it there.
    """

    def __init__(self, sandbox: Sandbox | None = None, *, provider: str = Api.PARTNER) -> None:
        if provider not in list(Api):
            raise ValueError(f"There is no provider {provider!r}. Known are {', '.join(Api)}.")
        self._sandbox = sandbox or Sandbox(utc_now, configuration=ready_made(Api(provider)))
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> RunningSandbox:
        with contextlib.ExitStack() as cleanup:
            url = cleanup.enter_context(serving(application(self._sandbox, dated=True), dated=False))
            control = cleanup.enter_context(contextlib.closing(Control(url)))
            self._cleanup = cleanup.pop_all()
        return RunningSandbox(url, control, SteeredClock(control), SteeredClients(control), self._sandbox)

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    async def __aenter__(self) -> RunningSandbox:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)


@contextlib.contextmanager
def serving(app: ASGIApp, *, dated: bool = True) -> Iterator[str]:
    """Serve any ASGI application in a thread and yield its URL; ``dated`` adds the real ``Date`` to its responses.

    Raises ``RuntimeError`` when it does not start or stop within ``TIMEOUT`` seconds.
    """
    ready = threading.Event()
    with listening(HOST, 0) as listener:
        server = Server(app, ready.set, dated=dated)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        try:
            if not ready.wait(TIMEOUT):
                raise RuntimeError(f"The server did not start within {TIMEOUT} seconds.")
            yield url_of(listener)
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)
            if thread.is_alive():
                raise RuntimeError(f"The server did not stop within {TIMEOUT} seconds.")


@contextlib.contextmanager
def steered(url: str, token: str | None = None) -> Iterator[SteeredSandbox]:
    """Connect to the sandbox at ``url``."""
    with contextlib.closing(Control(url, token)) as control:
        yield SteeredSandbox(url, control, SteeredClock(control), SteeredClients(control))
