"""Faults that answer something else. The request has no effect: no code is spent, no token issued."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from oauth.sandbox.errors import DOCUMENTED, ApiError, OAuthError, challenge
from oauth.sandbox.faults.fault import Fault, Situation
from oauth.sandbox.json_schema import Schema
from oauth.sandbox.request import basic, bearer
from oauth.sandbox.response import Answer, refusal

SECRET_PARAMETERS = ("client_secret", "code", "refresh_token", "access_token", "token", "code_verifier")
ERROR_TEXT = r"^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$"  # NQCHAR, RFC 6749 §5.2


@dataclass(frozen=True, slots=True)
class Documented(Fault):
    """One of the eleven documented errors. At the authorization endpoint it is a redirect, where it can be one."""

    kind: ClassVar[str] = "documented"
    properties: ClassVar[Mapping[str, Schema]] = {
        "number": {"type": "integer", "minimum": 1, "maximum": 11, "description": "The number of the documented error."}
    }
    number: int

    def answer(self, situation: Situation) -> Answer:
        """With the documented status, members and texts."""
        error = DOCUMENTED[self.number]()
        redirected = situation.redirect(error.error, error.description) if isinstance(error, OAuthError) else None
        return redirected or refusal(error)


@dataclass(frozen=True, slots=True)
class RegisteredError(Fault):
    """Any other error code. At the authorization endpoint it is a redirect, where it can be one."""

    kind: ClassVar[str] = "error"
    properties: ClassVar[Mapping[str, Schema]] = {
        "error": {"type": "string", "pattern": ERROR_TEXT, "description": "The code, such as server_error."},
        "error_description": {
            "type": "string",
            "pattern": ERROR_TEXT,
            "description": "The text beside it: printable ASCII without quotation mark and backslash.",
        },
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "default": 400, "description": "HTTP status."},
    }
    error: str
    error_description: str = "Provoked by a fault of the sandbox"
    status: int = 400

    def answer(self, situation: Situation) -> Answer:
        """A 401 has the challenge of RFC 6750 §3."""
        members = {"error": self.error, "error_description": self.error_description}
        redirected = situation.redirect(self.error, self.error_description)
        return redirected or Answer.of(members, self.status, challenge(**members) if self.status == 401 else {})


@dataclass(frozen=True, slots=True)
class TooManyRequests(Fault):
    """429 with ``Retry-After`` (RFC 6585 §4)."""

    kind: ClassVar[str] = "too-many-requests"
    properties: ClassVar[Mapping[str, Schema]] = {
        "retry_after": {
            "type": "integer",
            "minimum": 0,
            "maximum": 86_400,
            "default": 30,
            "description": "Seconds to wait, in Retry-After.",
        }
    }
    retry_after: int = 30

    def answer(self, situation: Situation) -> Answer:
        """In the API's shape."""
        del situation
        return refusal(ApiError(429, "Too many requests", {"Retry-After": str(self.retry_after)}))


@dataclass(frozen=True, slots=True)
class RequestLimit(Fault):
    """The 403 of the request limit: a page with a Request ID, as a network in front of the provider answers it."""

    kind: ClassVar[str] = "request-limit"

    def answer(self, situation: Situation) -> Answer:
        """As past a real limit."""
        del situation
        return request_limit_page()


@dataclass(frozen=True, slots=True)
class ServerError(Fault):
    """5xx in the API's shape."""

    kind: ClassVar[str] = "server-error"
    properties: ClassVar[Mapping[str, Schema]] = {
        "status": {"enum": [500, 501, 502, 503, 504], "default": 503, "description": "HTTP status."}
    }
    status: int = 503

    def answer(self, situation: Situation) -> Answer:
        """The status is all that it tells."""
        del situation
        return refusal(ApiError(self.status, "The server cannot answer now"))


@dataclass(frozen=True, slots=True)
class HtmlPage(Fault):
    """An HTML error page where JSON is expected, as a proxy answers it."""

    kind: ClassVar[str] = "html-page"
    properties: ClassVar[Mapping[str, Schema]] = {
        "status": {"enum": [200, 403, 404, 500, 502, 503, 504], "default": 502, "description": "HTTP status."}
    }
    status: int = 502

    def answer(self, situation: Situation) -> Answer:
        """A page that names no cause."""
        del situation
        return _page(f"{self.status} - the gateway got no answer", "Try again later.", self.status)


@dataclass(frozen=True, slots=True)
class EchoSecret(Fault):
    """An error whose text has every secret of the request in it: no log or report may keep it."""

    kind: ClassVar[str] = "echo-secret"

    def answer(self, situation: Situation) -> Answer:
        """``invalid_request``, with the secrets from query, body and ``Authorization``."""
        received = situation.received
        given = {**received.query_parameters, **received.parameters}
        authorization = received.headers.get("authorization", "")
        try:
            credentials = basic(authorization)
        except ValueError:
            credentials = ("", authorization)
        found = [given[name] for name in SECRET_PARAMETERS if name in given]
        found += [credentials[1]] if credentials else []
        found += filter(None, [bearer(authorization)])
        text = f"Cannot process the request with {', '.join(found) or 'no secret'}"
        # A query may hold bytes that are no UTF-8.
        text = text.encode(errors="replace").decode()
        return Answer.of({"error": "invalid_request", "error_description": text}, 400)


def request_limit_page() -> Answer:
    """The answer past the request limit. The Request ID in the page is its own, and not that of ``X-Request-ID``."""
    text = f"The request could not be satisfied. Request blocked. Request ID: {secrets.token_urlsafe(40)}"
    return _page("403 Forbidden", text, 403)


def _page(title: str, text: str, status: int) -> Answer:
    return Answer.html(
        f"<!doctype html>\n<html><head><title>{escape(title)}</title></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n",
        status,
    )
