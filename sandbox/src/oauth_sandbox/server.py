"""The sandbox as a server of its own."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import uvicorn
from starlette.types import ASGIApp

from oauth_sandbox import snapshots
from oauth_sandbox.app import application, together
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, Configuration, ready_made
from oauth_sandbox.control.access import ControlAccess, is_loopback
from oauth_sandbox.paths import MOUNTED
from oauth_sandbox.protocol import Protocol
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.response import json_text

HOST = "127.0.0.1"
PORT = 9000
LARGEST_PORT = 65_535
GRACE = 3  # seconds for open requests after the signal to stop
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ServeError(Exception):
    """The server cannot listen; the text is one line with the address, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: the certificate with its chain, and its key."""

    certificate: Path
    key: Path


def serve(
    host: str = HOST,
    port: int = PORT,
    *,
    configuration: Configuration | None = None,
    control_token: str | None = None,
    fault_header: bool = False,
    tls: Certificate | None = None,
    log: TextIO | None = None,
    with_others: bool = False,
    issuer: str = "",
    redirect_uris: Iterable[str] = (),
    snapshot: Path | None = None,
) -> None:
    """Serve a new sandbox until SIGTERM or SIGINT. Port 0 takes a free one.

    Prints one line on standard output when it listens: ``Sandbox ready at http://127.0.0.1:9000``. There is no access
    log, because URLs carry codes; ``log`` gets one line of JSON per request, without secrets. Without ``control_token``
    the control is open on loopback and off elsewhere. ``with_others`` adds the other APIs, below their names.
    ``redirect_uris`` are registered for every initial client, and ``issuer`` is that of the OpenID provider.
    ``snapshot`` is a file with which it begins, if there is one, and which it writes at the end; the states of other
    APIs in it stay. Raises ``ServeError`` when it cannot listen, or cannot use the certificate or that file.
    """
    configurations = {api: ready_made(api) for api in MOUNTED} if with_others else {}
    configuration = configuration or ready_made()
    configurations |= {configuration.api: configuration}
    by_api = {api: Sandbox(utc_now, configuration=it, fault_header=fault_header) for api, it in configurations.items()}
    sandboxes = tuple(by_api.values())
    for sandbox in sandboxes:
        if log is not None:
            sandbox.log.listener = lambda entry: print(json_text(entry), file=log, flush=True)
    try:
        unserved = {} if snapshot is None else snapshots.read(snapshot, sandboxes)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
        raise ServeError(f"--snapshot: {snapshot} cannot be used: {reason}. Correct it, or move it away.") from error
    for uri in redirect_uris:
        for sandbox in sandboxes:
            sandbox.register(uri)
    if issuer:
        if Api.GENERIC not in by_api:
            raise ServeError("--issuer: only the provider generic has one. Add --provider generic, or leave it out.")
        by_api[Api.GENERIC].publish(issuer)
    with listening(host, port) as listener:
        url = url_of(listener, "http" if tls is None else "https")
        is_open = control_token is None and is_loopback(listener.getsockname()[0])
        access = ControlAccess(control_token, open=is_open)
        if with_others:
            app = together(access, {path: by_api[api] for api, path in MOUNTED.items()}, dated=True)
        else:
            app = application(sandboxes[0], access, dated=True)
        Server(app, lambda: print(f"Sandbox ready at {url}", flush=True), tls, dated=False).run([listener])
    if snapshot is not None:
        try:
            snapshots.write(snapshot, sandboxes, unserved)
        except OSError as error:
            raise ServeError(
                f"--snapshot: {snapshot} cannot be written: {error.strerror}. The state is lost."
            ) from error


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Bind a socket to the address and listen. Raises ``ServeError``."""
    if not host:
        raise ServeError("--host is empty: give an address, such as 127.0.0.1, or 0.0.0.0 for all of this machine.")
    place = f"Cannot listen on {host}, port {port}"
    # getaddrinfo accepts a larger number and would listen on another port.
    if not 0 <= port <= LARGEST_PORT:
        raise ServeError(f"{place}: a port is a number from 0 to {LARGEST_PORT}. Choose another --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)[0]
        # With the protocol named, asyncio sets TCP_NODELAY; socket.create_server leaves it out, which costs 40 ms a
        # response.
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ServeError(f"{place}: {error.strerror}. Choose another --host.") from error
    with listener:
        if os.name == "posix":  # on Windows it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen()
        except OSError as error:
            raise ServeError(f"{place}: {error.strerror}. Choose another --host or --port.") from error
        yield listener


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a listening socket, with its actual port."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class Server(uvicorn.Server):
    """A uvicorn server that reports when it listens, and for which a signal to stop is not a failure."""

    def __init__(
        self, app: ASGIApp, ready: Callable[[], object], tls: Certificate | None = None, *, dated: bool = True
    ) -> None:
        config = uvicorn.Config(
            app,
            access_log=False,
            http=Protocol,
            log_level="warning",
            lifespan="off",
            ws="none",
            server_header=False,
            date_header=dated,
            # The sender is that of the connection, whatever a header says.
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE + 2,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        try:
            config.load()
        except OSError as error:  # ssl.SSLError is one
            raise ServeError(
                f"Cannot use the certificate {tls and tls.certificate} with the key {tls and tls.key}: "
                f"{error.strerror}. Give a PEM certificate and its key, without a passphrase."
            ) from error
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then report it."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what a fault still holds back after ``GRACE``; uvicorn's own way answers 500, with a traceback."""
        timer = asyncio.get_running_loop().call_later(GRACE, self._end_open_requests)
        await super().shutdown(sockets)
        timer.cancel()

    def _end_open_requests(self) -> None:
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal and return; uvicorn's own version raises the signal again, which ends the process."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
