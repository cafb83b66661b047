"""Load on a token endpoint: client_credentials requests on a few connections that are kept, as fast as it answers."""

import json
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

BODY = b"grant_type=client_credentials&client_id=machine-app&client_secret=machine-secret"


@dataclass(slots=True)
class Connection:
    """One connection and what came on it since the last request."""

    socket: socket.socket
    received: bytes = b""


def load(url: str, connections: int, seconds: float) -> tuple[int, float]:
    """Return the number of tokens that ``url`` gave, and the seconds that took.

    Raises ``RuntimeError`` when a response has no token, or one comes twice.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    request = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    tokens: list[str] = []
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = socket.create_connection((parts.hostname, parts.port), timeout=30)
            stack.enter_context(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, Connection(connection))
            connection.sendall(request)
        begun = time.perf_counter()
        end = begun + seconds
        answers: list[bytes] = []
        while not answers or time.perf_counter() < end:
            for answer, connection in _answers(selector):
                answers.append(answer)
                connection.sendall(request)
        took = time.perf_counter() - begun
    for answer in answers:
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{url} answered no token: {answer.decode()}")
        tokens.append(json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"])
    if len(set(tokens)) != len(tokens):
        raise RuntimeError(f"{url} gave a token twice.")
    return len(tokens), took


def _answers(selector: selectors.BaseSelector) -> Iterator[tuple[bytes, socket.socket]]:
    """Every answer that is complete now."""
    for key, _ in selector.select(30):
        connection: Connection = key.data
        chunk = connection.socket.recv(65_536)
        if not chunk:
            raise RuntimeError("The server closed a connection.")
        connection.received += chunk
        head, separator, body = connection.received.partition(b"\r\n\r\n")
        if separator and len(body) >= _length(head):
            answer, connection.received = connection.received, b""
            yield answer, connection.socket


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + len(b"content-length:")
    return int(lower[start:].partition(b"\r\n")[0])
