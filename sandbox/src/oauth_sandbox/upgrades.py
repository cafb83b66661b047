"""uvicorn's protocol, without the wish of a client for another protocol than WebSocket (RFC 9110 §7.8).

Java's client and ``curl --http2`` ask for HTTP/2 in each request. uvicorn answers such a request as if it had no body.
"""

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

INVALID = "Invalid HTTP request received."


class UpgradesIgnored(HttpToolsProtocol):
    """Reads a request with such a wish again without it, which a server may ignore."""

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self._unset_keepalive_if_required()
        self.parse(data)

    def parse(self, data: bytes) -> None:
        """Parse what came, and refuse what is no HTTP."""
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as wish:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            elif self.parser.get_method() != b"CONNECT":
                self._read_again(data[wish.args[0] :])
            else:
                self._refuse()
        except HttpParserError:
            self._refuse()

    def on_headers_complete(self) -> None:
        """Let a request wait that is read again."""
        if not self._is_read_again():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Let a request wait that is read again."""
        if not self._is_read_again():
            super().on_message_complete()

    def _is_read_again(self) -> bool:
        return self.parser.should_upgrade() and not self._should_upgrade()

    def _read_again(self, rest: bytes) -> None:
        line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        # Connection announces no upgrade any more, which is how the control knows a proxy.
        pairs = ((name, _without_upgrade(value) if name == b"connection" else value) for name, value in self.headers)
        headers = [b"%b: %b" % header for header in pairs if header[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.data_received(b"\r\n".join((line, *headers, b"", rest)))

    def _refuse(self) -> None:
        self.logger.warning(INVALID)
        self.send_400_response(INVALID)


def _without_upgrade(connection: bytes) -> bytes:
    return b",".join(token for token in connection.split(b",") if token.strip().lower() != b"upgrade")
