"""Faults that replace the response. The request has no effect: no code is spent, no token issued."""

import secrets
from html import escape
from typing import Annotated, Literal

from msgspec import Meta

from oauth_sandbox.errors import DOCUMENTED, ApiError, OAuthError, challenge
from oauth_sandbox.faults.fault import Fault, Situation
from oauth_sandbox.request import basic, bearer
from oauth_sandbox.response import Response, error_response

SECRET_PARAMETERS = ("client_secret", "code", "refresh_token", "access_token", "token", "code_verifier")
ERROR_TEXT = r"^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$"  # NQCHAR, RFC 6749 §5.2


class Documented(Fault, frozen=True, tag="documented"):
    """One of the eleven documented errors; a redirect at the authorization endpoint, where that is possible."""

    number: Annotated[int, Meta(ge=1, le=11, description="The number of the documented error.")]

    def respond(self, situation: Situation) -> Response:
        """Respond with the documented status, fields and texts."""
        error = DOCUMENTED[self.number]()
        redirected = situation.redirect(error.error, error.description) if isinstance(error, OAuthError) else None
        return redirected or error_response(error)


class RegisteredError(Fault, frozen=True, tag="error"):
    """Any other error code; a redirect at the authorization endpoint, where that is possible."""

    error: Annotated[
        str,
        Meta(
            pattern=ERROR_TEXT,
            description="The code, such as server_error: printable ASCII without quotation marks and backslashes.",
        ),
    ]
    error_description: Annotated[
        str,
        Meta(
            pattern=ERROR_TEXT,
            description="The text beside it: printable ASCII without quotation marks and backslashes.",
        ),
    ] = "Provoked by a fault of the sandbox"
    status: Annotated[int, Meta(ge=400, le=599, description="HTTP status.")] = 400

    def respond(self, situation: Situation) -> Response:
        """Respond with the error; a 401 has the challenge of RFC 6750 §3."""
        members = {"error": self.error, "error_description": self.error_description}
        redirected = situation.redirect(self.error, self.error_description)
        return redirected or Response.json(members, self.status, challenge(**members) if self.status == 401 else {})


class TooManyRequests(Fault, frozen=True, tag="too-many-requests"):
    """429 with ``Retry-After`` (RFC 6585 §4)."""

    retry_after: Annotated[int, Meta(ge=0, le=86_400, description="Seconds to wait, in Retry-After.")] = 30

    def respond(self, _situation: Situation) -> Response:
        """Respond with an API error and ``Retry-After``."""
        return error_response(ApiError(429, "Too many requests", {"Retry-After": str(self.retry_after)}))


class RequestLimitReached(Fault, frozen=True, tag="request-limit"):
    """The 403 of the request limit: a page with a Request ID, as the network in front of the provider sends it."""

    def respond(self, _situation: Situation) -> Response:
        """Respond as past the real limit."""
        return request_limit_page()


class ServerError(Fault, frozen=True, tag="server-error"):
    """A 5xx in the API's format."""

    status: Annotated[Literal[500, 501, 502, 503, 504], Meta(description="HTTP status.")] = 503

    def respond(self, _situation: Situation) -> Response:
        """Respond with the status and no further detail."""
        return error_response(ApiError(self.status, "The server cannot answer now"))


class HtmlPage(Fault, frozen=True, tag="html-page"):
    """An HTML error page instead of JSON, as a proxy sends it."""

    status: Annotated[Literal[200, 403, 404, 500, 502, 503, 504], Meta(description="HTTP status.")] = 502

    def respond(self, _situation: Situation) -> Response:
        """Respond with a page that names no cause."""
        return _page(f"{self.status} - the gateway got no response", "Try again later.", self.status)


class EchoSecret(Fault, frozen=True, tag="echo-secret"):
    """An error whose text contains every secret of the request, to test logs and reports."""

    def respond(self, situation: Situation) -> Response:
        """Respond ``invalid_request`` with the secrets from query, body, ``Authorization`` and ``X-API-KEY``."""
        request = situation.request
        parameters = {**request.query_parameters, **request.parameters}
        authorization = request.headers.get("authorization", "")
        try:
            credentials = basic(authorization)
        except ValueError:
            credentials = ("", authorization)
        values = [parameters[name] for name in SECRET_PARAMETERS if name in parameters]
        values += [credentials[1]] if credentials else []
        values += filter(None, [bearer(authorization), request.headers.get("x-api-key")])
        text = f"Cannot process the request with {', '.join(values) or 'no secret'}"
        # A query may contain bytes that are not UTF-8.
        text = text.encode(errors="replace").decode()
        return Response.json({"error": "invalid_request", "error_description": text}, 400)


def request_limit_page() -> Response:
    """Return the page past the request limit; its Request ID is not that of ``X-Request-ID``."""
    text = f"The request could not be satisfied. Request blocked. Request ID: {secrets.token_urlsafe(40)}"
    return _page("403 Forbidden", text, 403)


def _page(title: str, text: str, status: int) -> Response:
    return Response.html(
        f"<!doctype html>\n<html><head><title>{escape(title)}</title></head>\n"
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n",
        status,
    )
