"""Misbehaving servers over real sockets: plain, with TLS, and as a proxy. Each counts the requests that reach it."""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket], None]
"""The behaviour of a server on a connection once it has read the request."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

SECONDS = 10
"""Timeout of a server for its client."""


@dataclass
class Server:
    """A listening server, and every request that reached it, in order of arrival."""

    port: int
    scheme: str = "http"
    host: str = "127.0.0.1"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/token"


@contextmanager
def serving(answer: Answer, *, host: str = "127.0.0.1") -> Iterator[Server]:
    """Serve ``answer`` to each complete request. On exit every connection has been counted."""
    yield from _listening(answer, None, host)


@contextmanager
def serving_tls(context: ssl.SSLContext, answer: Answer, *, host: str = "localhost") -> Iterator[Server]:
    """Serve ``answer`` behind TLS."""
    yield from _listening(answer, context, host)


@contextmanager
def raw(talk: Callable[[socket.socket], None], scheme: str = "http") -> Iterator[Server]:
    """Serve connections with ``talk``, from their first byte on."""
    yield from _accepting(Server(0, scheme), lambda server, connection: talk(connection))


def _listening(answer: Answer, context: ssl.SSLContext | None, host: str) -> Iterator[Server]:
    def serve(server: Server, connection: socket.socket) -> None:
        if context is None:
            _one(server, connection, answer)
            return
        with context.wrap_socket(connection, server_side=True) as encrypted:
            _one(server, encrypted, answer)

    yield from _accepting(Server(0, "http" if context is None else "https", host), serve)


def _one(server: Server, connection: socket.socket, answer: Answer) -> None:
    request = read_request(connection)
    if request:
        server.requests.append(request)
        answer(connection)


def _accepting(server: Server, serve: Callable[[Server, socket.socket], None]) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        with closing(connection):
            connection.settimeout(SECONDS)
            with suppress(OSError, ValueError):  # many tests let the client leave
                serve(server, connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if server.done.is_set():
                connection.close()
                return
            server.connections += 1
            threads.append(threading.Thread(target=handle, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.done.set()
        # The last in the queue: every earlier connection has been accepted and counted by then.
        socket.create_connection(("127.0.0.1", server.port)).close()
        accepting.join(SECONDS)
        listener.close()
        for thread in threads:
            thread.join(SECONDS)


def read_request(connection: socket.socket) -> bytes:
    """Read one request with its body; empty when the client leaves first."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < (int(lengths[0].partition(b":")[2]) if lengths else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(*parts: bytes) -> Answer:
    """Send the parts, and close."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return answer


def response(status: str, *body: bytes, **headers: str) -> Answer:
    """Send a complete response. In header names ``_`` stands for ``-``."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    head = f"HTTP/1.1 {status}\r\n{''.join(lines)}Content-Length: {sum(map(len, body))}\r\n\r\n"
    return answering(head.encode("latin-1"), *body)


def silent(connection: socket.socket) -> None:
    """Say nothing until the client leaves."""
    while connection.recv(65536):
        pass


def dripping(head: bytes) -> Answer:
    """Send a head, and then a byte every 20 ms until the client leaves."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        pause = threading.Event()
        while not pause.wait(0.02):
            connection.sendall(b"x")

    return answer


def then_silent(*parts: bytes) -> Answer:
    """Send the parts, and then nothing until the client leaves."""

    def answer(connection: socket.socket) -> None:
        answering(*parts)(connection)
        silent(connection)

    return answer


def reset(connection: socket.socket) -> None:
    """End the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def unused_port() -> int:
    """Return a port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port: int = unused.getsockname()[1]
    return port


@contextmanager
def full() -> Iterator[int]:
    """Open a port whose backlog is full, so that a connection is neither accepted nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield address[1]


@contextmanager
def proxying(
    user: str = "", refusing: Answer | None = None, reaching: tuple[str, int] | None = None
) -> Iterator[Server]:
    """Serve an HTTP proxy that forwards plain requests, opens tunnels (RFC 9110 §9.3.6), and counts its requests.

    ``user`` is the required ``user:password``. ``refusing`` answers every request instead. ``reaching`` is the address
    of every name, as if the proxy had a resolver of its own.
    """

    def serve(server: Server, connection: socket.socket) -> None:
        request = read_request(connection)
        if not request:
            return
        server.requests.append(request)
        required = f"proxy-authorization: basic {base64.b64encode(user.encode()).decode()}".lower()
        if user and required not in request.decode("latin-1").lower():
            page = b"<html><title>Proxy</title>Cache Access Denied.</html>"
            response("407 Proxy Authentication Required", page, Proxy_Authenticate='Basic realm="proxy"')(connection)
        elif refusing is not None:
            refusing(connection)
        elif request.startswith(b"CONNECT "):
            host, _, port = request.split()[1].decode().rpartition(":")
            with socket.create_connection(reaching or (host, int(port)), SECONDS) as onward:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
                back.start()
                _pump(connection, onward)
                back.join(SECONDS)
        else:
            _forward(request, connection, reaching)

    yield from _accepting(Server(0), serve)


def _forward(request: bytes, connection: socket.socket, reaching: tuple[str, int] | None) -> None:
    line, _, rest = request.partition(b"\r\n")
    method, url, version = line.split()
    authority, _, path = url.removeprefix(b"http://").partition(b"/")
    host, _, port = authority.decode().partition(":")
    with socket.create_connection(reaching or (host, int(port or 80)), SECONDS) as onward:
        lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"proxy-authorization:")]
        onward.sendall(b"\r\n".join([b" ".join((method, b"/" + path, version)), *lines]))
        _pump(onward, connection)


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one end closed, so the other one does too
