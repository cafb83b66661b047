"""Intermediaries between a browser or a console and a server: TLS termination, and a proxy that maps names."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import trustme


@contextmanager
def tls_in_front_of(port: int, ca: trustme.CA, *names: str) -> Iterator[int]:
    """Terminate TLS with a certificate of ``ca`` for these names and forward to a port; yield the TLS port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)

    def connect(accepted: socket.socket) -> None:
        outside = context.wrap_socket(accepted, server_side=True)
        try:
            inside = socket.create_connection(("127.0.0.1", port))
        except OSError:  # the console stopped while the browser still connects
            outside.close()
            raise
        _join(outside, inside)

    with _listen(connect) as own:
        yield own


@contextmanager
def proxy_to(ports: Mapping[str, int]) -> Iterator[int]:
    """Run a proxy whose tunnels (RFC 9110 §9.3.6) lead from ``host:port`` to a port of this machine; yield its port."""

    def connect(accepted: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (data := accepted.recv(4096)):
                accepted.close()
                return
            head += data
        target = head.split()[1].decode()
        if target not in ports:
            accepted.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            accepted.close()
            return
        inside = socket.create_connection(("127.0.0.1", ports[target]))
        accepted.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        _join(accepted, inside)

    with _listen(connect) as own:
        yield own


@contextmanager
def _listen(connect: Callable[[socket.socket], None]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=_serve_one, args=(connect, accepted), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.close()


def _serve_one(connect: Callable[[socket.socket], None], accepted: socket.socket) -> None:
    try:
        connect(accepted)
    except OSError:  # a browser tries the certificate and disconnects
        accepted.close()


def _join(one: socket.socket, other: socket.socket) -> None:
    for source, target in ((one, other), (other, one)):
        threading.Thread(target=_forward, args=(source, target), daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
    except OSError:
        pass  # the other side disconnected
    finally:
        target.close()
