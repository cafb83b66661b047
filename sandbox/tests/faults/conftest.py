"""One raw request, to see what really goes over the wire."""

import socket
from collections.abc import Callable

import pytest

from oauth_sandbox.provider import Sandbox

Raw = Callable[..., bytes]


def raw_request(address: str, prefix: str = "") -> bytes:
    """A client_credentials request of demo-app on a connection of its own; all that comes until the end.

    Raises ``ConnectionResetError``.
    """
    host, port = address.removeprefix("http://").split(":")
    body = b"grant_type=client_credentials&client_id=demo-app&client_secret=demo-secret"
    head = (
        f"POST {prefix}/api/open/oauth/token HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: gzip\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    received = b""
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        while chunk := connection.recv(65_536):
            received += chunk
    return received


@pytest.fixture
def raw(address: tuple[str, Sandbox], sandbox: Sandbox) -> Callable[[], bytes]:
    return lambda: raw_request(address[0])
