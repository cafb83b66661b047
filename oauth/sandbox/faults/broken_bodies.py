"""Faults that do what was asked and spoil the answer: a code is spent, a token issued, and the client may not know."""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from oauth.sandbox.faults.fault import Fault, Situation
from oauth.sandbox.response import Response


class EmptyBody(Fault, frozen=True, tag="empty-body"):
    """The right status and headers, and no body."""

    def respond(self, situation: Situation) -> Response:
        """Content-Length is 0."""
        return replace(situation.proceed(), body=b"")


class WrongContentType(Fault, frozen=True, tag="wrong-content-type"):
    """The right body under another ``Content-Type``."""

    content_type: Annotated[
        str, Meta(pattern=r"^[\x21-\x7e][\x20-\x7e]{0,98}[\x21-\x7e]$", description="The Content-Type sent instead.")
    ] = "text/html"

    def respond(self, situation: Situation) -> Response:
        """Everything else stays."""
        response = situation.proceed()
        return replace(response, headers={**response.headers, "Content-Type": self.content_type})
