"""Load on a token endpoint: client_credentials requests on a few connections that are kept, as fast as it answers.

The client does little while the time runs, because it shares the machine with the server.
"""

import json
import select
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

BODY = b"grant_type=client_credentials&client_id=machine-app&client_secret=machine-secret"


def load(url: str, connections: int, seconds: float) -> tuple[int, float]:
    """Return the number of tokens that ``url`` gave, one at least, and the seconds that took.

    Raises ``RuntimeError`` when a response has no token, or one comes twice.
    """
    parts = urlsplit(url)
    request = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    answers: list[bytes] = []
    with ExitStack() as stack, select.epoll() as ready:
        sockets: dict[int, socket.socket] = {}
        begun: dict[int, bytes] = {}
        for _ in range(connections):
            connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=30))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sockets[connection.fileno()] = connection
            ready.register(connection, select.EPOLLIN)
            connection.sendall(request)
        start = time.perf_counter()
        end = start + seconds
        while not answers or time.perf_counter() < end:
            for number, _ in ready.poll(30):
                connection = sockets[number]
                if not (chunk := connection.recv(65_536)):
                    raise RuntimeError("The server closed a connection.")
                answer = begun.pop(number, b"") + chunk
                if answer.endswith(b"}"):  # the end of its JSON, as these answers have no other brace
                    answers.append(answer)
                    connection.sendall(request)
                else:
                    begun[number] = answer
        took = time.perf_counter() - start
    for answer in answers:
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{url} answered no token: {answer.decode()}")
    if len({json.loads(answer.partition(b"\r\n\r\n")[2])["access_token"] for answer in answers}) != len(answers):
        raise RuntimeError(f"{url} gave a token twice.")
    return len(answers), took
