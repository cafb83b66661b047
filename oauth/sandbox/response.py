"""An answer as a value, and how it goes out."""

import functools
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Send

from oauth.sandbox.errors import ProviderError

JSON = "application/json"

EVERY_ANSWER = (
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
)

# One encoder for all: json.dumps with options makes a new one every time.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers; ``Content-Length`` is added when it goes out, unless it is among them."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, members: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Answer":
        """Members as JSON."""
        return cls(status, _encode(members).encode(), {"Content-Type": JSON, **(headers or {})})

    @classmethod
    def html(cls, text: str, status: int, headers: Mapping[str, str] | None = None) -> "Answer":
        """A page. A value in it may hold bytes that are no UTF-8; they are shown as question marks."""
        body = text.encode(errors="replace")
        return cls(status, body, {"Content-Type": "text/html; charset=utf-8", **(headers or {})})

    @classmethod
    def redirect(cls, location: str) -> "Answer":
        """To an address that is encoded already."""
        return cls(302, b"", {"Location": location, "Referrer-Policy": "no-referrer"})

    def raw_headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        """As ASGI wants them. Every answer has a request id and is not to be kept in a cache."""
        pairs = [(_name(name), value.encode("latin-1")) for name, value in self.headers.items()]
        if "Content-Length" not in self.headers:
            pairs.append((b"content-length", b"%d" % len(self.body)))
        pairs.append((b"x-request-id", request_id.encode()))
        pairs += EVERY_ANSWER
        return pairs


@functools.cache
def _name(name: str) -> bytes:
    return name.lower().encode()


def refusal(error: ProviderError) -> Answer:
    """A refusal as an answer."""
    return Answer.of(error.members, error.status, error.headers)


def new_request_id() -> str:
    """32 random hex digits."""
    return secrets.token_hex(16)


async def send_answer(answer: Answer, request_id: str, send: Send) -> None:
    """Send it whole."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.raw_headers(request_id)})
    await send({"type": "http.response.body", "body": answer.body})
