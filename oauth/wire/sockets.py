"""The TCP connection of one exchange: its host is resolved once and checked, and every wait has a time limit."""

import socket
import threading
from time import monotonic
from typing import Any, Protocol

from oauth.connection_settings import ConnectionSettings
from oauth.egress import Allowlist, NotAllowedError, parse_address
from oauth.exchange import Response

PIECE = 64 * 1024
"""Bytes taken from the network at once."""


class WireError(Exception):
    """An exchange has failed. ``kind`` and ``detail`` are those of ``exchange.Failure``.

    ``response`` is that of a proxy in place of the server's.
    """

    def __init__(self, kind: str, detail: str, response: Response | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.response = response


class Stream(Protocol):
    """An open connection. Its methods raise ``OSError``, or ``WireError`` for a failure with a name."""

    def send(self, data: bytes) -> None:
        """Send all data."""

    def receive(self) -> bytes:
        """Receive the next data, empty at the end."""

    def close(self) -> None:
        """Close the connection at once."""


class TimeLimits:
    """The timeouts of one exchange, counted from its start."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._started = monotonic()
        self.connecting = True

    def remaining(self) -> float:
        """Return the seconds that the next wait may take. Raises ``WireError`` when the time is up."""
        settings, elapsed = self._settings, monotonic() - self._started
        wait = settings.connect_timeout - elapsed if self.connecting else settings.read_timeout
        wait = min(wait, settings.total_timeout - elapsed)
        if wait <= 0:
            raise self.error()
        return wait

    def error(self) -> WireError:
        """Return the error of the timeout that has ended a wait."""
        settings = self._settings
        if monotonic() - self._started >= settings.total_timeout:
            return WireError("total_timeout", f"not finished after {settings.total_timeout:g} seconds")
        if self.connecting:
            return WireError("connect_timeout", f"no connection after {settings.connect_timeout:g} seconds")
        return WireError("read_timeout", f"nothing received for {settings.read_timeout:g} seconds")


class TcpStream:
    """A stream over TCP."""

    def __init__(self, connection: socket.socket, limits: TimeLimits) -> None:
        self._socket = connection
        self._limits = limits

    def send(self, data: bytes) -> None:
        """Send all data."""
        self._socket.settimeout(self._limits.remaining())
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise self._limits.error() from error

    def receive(self) -> bytes:
        """Receive the next data, empty at the end."""
        self._socket.settimeout(self._limits.remaining())
        try:
            return self._socket.recv(PIECE)
        except TimeoutError as error:
            raise self._limits.error() from error

    def close(self) -> None:
        """Close the connection at once."""
        self._socket.close()


def connect(host: str, port: int, limits: TimeLimits, allowlist: Allowlist) -> TcpStream:
    """Connect to the first allowed address of a host that accepts a connection. Raises ``WireError``."""
    resolved = _resolve(host, port, limits)
    try:
        allowed = set(allowlist.reachable(host, port, [address[0] for _, address in resolved]))
    except NotAllowedError as error:
        raise WireError("not_allowed", str(error)) from error
    candidates = [(family, address) for family, address in resolved if address[0] in allowed]
    problem: OSError = OSError(f"{host} has no address")
    for position, (family, address) in enumerate(candidates):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            # The remaining addresses share the remaining time, so that one that never responds does not use it up.
            connection.settimeout(limits.remaining() / (len(candidates) - position))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return TcpStream(connection, limits)
        except OSError as error:
            connection.close()
            problem = error
        except WireError:
            connection.close()
            raise
    if isinstance(problem, TimeoutError):
        raise limits.error() from problem
    raise WireError(
        "refused" if isinstance(problem, ConnectionRefusedError) else "unreachable", str(problem)
    ) from problem


def _resolve(host: str, port: int, limits: TimeLimits) -> list[tuple[int, Any]]:
    """Resolve a host to addresses with their families. The resolver has no timeout, so it runs in a thread."""
    results: list[list[tuple[int, Any]]] = []
    problems: list[Exception] = []

    def resolve() -> None:
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            results.append(list(dict.fromkeys((family, address) for family, _, _, _, address in addresses)))
        except (OSError, UnicodeError) as error:
            problems.append(error)

    if parse_address(host) is not None:
        resolve()
    else:
        resolver = threading.Thread(target=resolve, daemon=True)
        resolver.start()
        resolver.join(limits.remaining())
    if problems:
        raise WireError("unknown_host", f"{host}: {problems[0]}") from problems[0]
    if not results:
        raise limits.error()
    return results[0]
