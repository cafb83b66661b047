"""A TCP connection of one exchange: names resolved once, judged by the guard, and never waited for without a limit."""

import socket
import threading
from time import monotonic
from typing import Any, Protocol

from oauth.connection import Connection
from oauth.egress import Guard, Refused, literal

PIECE = 64 * 1024
"""Bytes taken from the network at once."""


class Broken(Exception):
    """The exchange ends here. ``kind`` is that of ``exchange.Failure``, ``detail`` says it in the system's words."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class Stream(Protocol):
    """Bytes in order, both ways. Both methods raise ``OSError``, or ``Broken`` where the reason has a name."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""

    def close(self) -> None:
        """Close the connection at once."""


class Limits:
    """When the connection must stand and when everything must be over, in seconds of the monotonic clock."""

    def __init__(self, connection: Connection) -> None:
        self._settings = connection
        self._started = monotonic()
        self.connecting = True

    def left(self) -> float:
        """Seconds that the next wait may take. Raises ``Broken`` when there are none."""
        settings, passed = self._settings, monotonic() - self._started
        wait = settings.connect_timeout - passed if self.connecting else settings.read_timeout
        wait = min(wait, settings.total_timeout - passed)
        if wait <= 0:
            raise self.over()
        return wait

    def over(self) -> Broken:
        """Which of the time-outs has ended a wait."""
        settings = self._settings
        if monotonic() - self._started >= settings.total_timeout:
            return Broken("total_timeout", f"not finished after {settings.total_timeout:g} seconds")
        if self.connecting:
            return Broken("connect_timeout", f"no connection after {settings.connect_timeout:g} seconds")
        return Broken("read_timeout", f"nothing came for {settings.read_timeout:g} seconds")


class Socket:
    """A stream over TCP."""

    def __init__(self, connected: socket.socket, limits: Limits) -> None:
        self._socket = connected
        self._limits = limits

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(self._limits.left())
        try:
            self._socket.sendall(data)
        except TimeoutError as error:
            raise self._limits.over() from error

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""
        self._socket.settimeout(self._limits.left())
        try:
            return self._socket.recv(PIECE)
        except TimeoutError as error:
            raise self._limits.over() from error

    def close(self) -> None:
        """Close the connection at once."""
        self._socket.close()


def connect(host: str, port: int, limits: Limits, guard: Guard) -> Socket:
    """Connect to the first address of a host that takes a connection, of those the guard lets through.

    Raises ``Broken``.
    """
    found = _addresses(host, port, limits)
    try:
        allowed = set(guard.reachable(host, port, [address[0] for _, address in found]))
    except Refused as error:
        raise Broken("not_allowed", str(error)) from error
    candidates = [(family, address) for family, address in found if address[0] in allowed]
    problem: OSError = OSError(f"{host} has no address")
    for position, (family, address) in enumerate(candidates):
        connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            # The time that is left is shared among the addresses that are left: one that swallows all has its part.
            connecting.settimeout(limits.left() / (len(candidates) - position))
            connecting.connect(address)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Socket(connecting, limits)
        except OSError as error:
            connecting.close()
            problem = error
        except Broken:
            connecting.close()
            raise
    if isinstance(problem, TimeoutError):
        raise limits.over() from problem
    raise Broken("refused" if isinstance(problem, ConnectionRefusedError) else "unreachable", str(problem)) from problem


def _addresses(host: str, port: int, limits: Limits) -> list[tuple[int, Any]]:
    """The addresses of a name, each with its family. The resolver knows no time limit, so a thread of its own asks."""
    answers: list[list[tuple[int, Any]]] = []
    problems: list[Exception] = []

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.append(list(dict.fromkeys((family, address) for family, _, _, _, address in found)))
        except (OSError, UnicodeError) as error:
            problems.append(error)

    if literal(host) is not None:
        resolve()
    else:
        resolver = threading.Thread(target=resolve, daemon=True)
        resolver.start()
        resolver.join(limits.left())
    if problems:
        raise Broken("unknown_host", f"{host}: {problems[0]}") from problems[0]
    if not answers:
        raise limits.over()
    return answers[0]
