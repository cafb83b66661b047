"""Faults that break a correct response: a code is spent, a token issued, and the client may not know."""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from oauth_sandbox.faults.fault import Fault, Situation
from oauth_sandbox.response import Response


class EmptyBody(Fault, frozen=True, tag="empty-body"):
    """The correct status and headers without a body."""

    def respond(self, situation: Situation) -> Response:
        """Respond with a Content-Length of 0."""
        return replace(situation.proceed(), body=b"")


class WrongContentType(Fault, frozen=True, tag="wrong-content-type"):
    """The correct body with a different ``Content-Type``."""

    content_type: Annotated[
        str,
        Meta(pattern=r"^[\x21-\x7e][\x20-\x7e]{0,98}[\x21-\x7e]$(?!\n)", description="The Content-Type sent instead."),
    ] = "text/html"

    def respond(self, situation: Situation) -> Response:
        """Respond with only that header changed."""
        response = situation.proceed()
        return replace(response, headers={**response.headers, "Content-Type": self.content_type})
