"""uvicorn's protocol with a short way for requests that need no waiting, which spares them a task and a queue."""

import re
from collections.abc import Iterable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from oauth_sandbox.app import Application
from oauth_sandbox.endpoints import failure
from oauth_sandbox.request import LARGEST_BODY
from oauth_sandbox.response import new_request_id

INVALID = "Invalid HTTP request received."
METHODS = frozenset({b"GET", b"POST"})
ADDRESS = re.compile(rb"/[!-\"$-~]*")
"""Path and query of an endpoint; uvicorn reads what has a host or a fragment, and refuses the rest."""
CONTROL_CHARACTERS = bytes({*range(0x20), 0x7F} - {0x09})


class Protocol(HttpToolsProtocol):
    """Responds to a request to the sandbox as soon as its end was read; everything else goes uvicorn's way.

    ``body`` is that of the request that may go the short way, as far as it was read. ``idle_since`` is when the last
    response was written, ``None`` once more was received.
    """

    body: bytes | None = None
    idle_since: float | None = None

    def data_received(self, data: bytes) -> None:
        """Parse, and respond to what came whole."""
        self.idle_since = None
        try:
            self.parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as problem:
            if isinstance(problem, HttpParserUpgrade) and self.parser.get_method() != b"CONNECT":
                self._ignore_upgrade(data[problem.args[0] :])
                return
            self.logger.warning(INVALID)
            self.send_400_response(INVALID)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the sandbox see a request that was not sent to its end."""
        self._go_the_usual_way()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Wait for the end of a request that has begun."""
        self._go_the_usual_way()
        super().shutdown()

    def on_response_complete(self) -> None:
        """Let the connection be idle. Its timer stays: a new one for each request takes as long as parsing it."""
        self.idle_since = self.loop.time()
        if self.pipeline or self.timeout_keep_alive_task is None:
            super().on_response_complete()
        else:
            self.server_state.total_requests += 1
            self.flow.resume_reading()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it was idle the whole time, and look again later if it was not."""
        idle = 0 if self.idle_since is None else self.loop.time() - self.idle_since
        if idle < self.timeout_keep_alive:
            again = self.loop.call_later(self.timeout_keep_alive - idle, self.timeout_keep_alive_handler)
            self.timeout_keep_alive_task = again
        else:
            super().timeout_keep_alive_handler()

    def on_headers_complete(self) -> None:
        """Choose the way."""
        if self.parser.should_upgrade():
            return
        if (
            isinstance(self.app, Application)
            and (self.cycle is None or self.cycle.response_complete)
            and self.parser.get_method() in METHODS
            and ADDRESS.fullmatch(self.url)
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.expect_100_continue
            and not self.flow.write_paused
        ):
            self.body = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Collect the body, unless it is too large."""
        if self.body is not None and len(self.body) + len(body) > LARGEST_BODY:
            self._go_the_usual_way()
        if self.body is None:
            super().on_body(body)
        else:
            self.body += body

    def on_message_complete(self) -> None:
        """Respond, or go on the usual way."""
        if self.parser.should_upgrade():
            return
        if self.body is not None:
            if (response := self._response(self.body)) is not None:
                self.body = None
                self.transport.write(response)
                self.on_response_complete()
                return
            self._go_the_usual_way()
        super().on_message_complete()

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Read the request again without its wish for another protocol, which a server may ignore (RFC 9110 §7.8).

        Java's client asks for HTTP/2 by default; the parser would take the body for the other protocol's.
        """
        line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        # Connection announces no upgrade any more, which is how the control knows a proxy.
        kept = ((name, _without_upgrade(value) if name == b"connection" else value) for name, value in self.headers)
        headers = [b"%b: %b" % header for header in kept if header[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.data_received(b"\r\n".join((line, *headers, b"", rest)))

    def _go_the_usual_way(self) -> None:
        """Hand the request over to uvicorn, if one has begun on the short way."""
        if (body := self.body) is not None:
            self.body = None
            super().on_headers_complete()
            super().on_body(body)

    def _response(self, body: bytes) -> bytes | None:
        path, _, query = self.url.partition(b"?")
        scope: Any = self.scope
        # A path that is encoded is found in no table, and read again on the usual way.
        scope.update(method=self.parser.get_method().decode(), path=path.decode(), query_string=query)
        app: Any = self.app
        try:
            answer = app.at_once(scope, body)
            return None if answer is None else self._message(*answer)
        except Exception:
            self.logger.exception("Exception in the sandbox")
            response = failure()
            return self._message(response.status, response.raw_headers(new_request_id()), response.body)

    def _message(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
        lines = [name + b": " + value for name, value in (*self.server_state.default_headers, *headers)]
        head = b"\r\n".join(lines)
        if len(head.translate(None, CONTROL_CHARACTERS)) + 2 * len(lines) - 2 < len(head):
            raise ValueError("A header of the response has a control character.")
        return b"%b%b\r\n\r\n%b" % (STATUS_LINE[status], head, body)


def _without_upgrade(connection: bytes) -> bytes:
    return b",".join(token for token in connection.split(b",") if token.strip().lower() != b"upgrade")
