"""A response as a value, and its delivery."""

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from starlette.types import Receive, Scope, Send

from oauth_sandbox.errors import ProviderError

JSON = "application/json"

COMMON_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return msgspec.to_builtins(value, builtin_types=(datetime,))


# One encoder for all: json.dumps with options makes a new one every time.
json_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode
"""Encode plain values, dataclasses, structs and times as JSON."""


@dataclass(slots=True)  # not frozen: one is made per request, and making a frozen one takes three times as long
class Response:
    """Status, body and headers; ``Content-Length`` is added on sending unless given or forbidden."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, members: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Response":
        """Return a JSON response."""
        return cls(status, json_text(members).encode(), {"Content-Type": JSON, **(headers or {})})

    @classmethod
    def html(cls, text: str, status: int, headers: Mapping[str, str] | None = None) -> "Response":
        """Return an HTML page; undecodable bytes in it become question marks."""
        body = text.encode(errors="replace")
        return cls(status, body, {"Content-Type": "text/html; charset=utf-8", **(headers or {})})

    @classmethod
    def redirect(cls, location: str) -> "Response":
        """Return a redirect to a URL that is encoded already."""
        return cls(302, b"", {"Location": location, "Referrer-Policy": "no-referrer"})

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response with a new request id, as an ASGI application."""
        await send_response(self, new_request_id(), send)

    def raw_headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        """Return the headers as ASGI needs them; every response has a request id and forbids caching."""
        pairs = [(_name(name), value.encode("latin-1")) for name, value in self.headers.items()]
        if "Content-Length" not in self.headers and self.status != 204:  # RFC 9110 §8.6
            pairs.append((b"content-length", b"%d" % len(self.body)))
        return [*pairs, (b"x-request-id", request_id.encode()), *COMMON_HEADERS]


@functools.cache
def _name(name: str) -> bytes:
    return name.lower().encode()


def error_response(error: ProviderError) -> Response:
    """Return a refusal as a response."""
    return Response.json(error.members, error.status, error.headers)


def new_request_id() -> str:
    """Return 32 random hex digits."""
    return os.urandom(16).hex()


async def send_response(response: Response, request_id: str, send: Send) -> None:
    """Send a response in one piece."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.raw_headers(request_id)})
    await send({"type": "http.response.body", "body": response.body})
