import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Recorder:
    """A loopback server that keeps each request's octets and answers 200 with an empty body."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="session")
def recorder() -> Iterator[Recorder]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Recorder(listening.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listening, server))
        thread.start()
        yield server
        with socket.create_connection(("127.0.0.1", server.port)) as goodbye:
            goodbye.sendall(b"QUIT\r\n\r\n")
        thread.join()


def _serve(listening: socket.socket, server: Recorder) -> None:
    while True:
        connection, _ = listening.accept()
        with connection:
            received = _request(connection)
            if received.startswith(b"QUIT"):
                return
            server.requests.append(received)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(65536)):
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]) and (more := connection.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body
