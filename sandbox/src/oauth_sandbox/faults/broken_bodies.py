"""Faults that break a correct response: a code is spent, a token issued, and the client may not know."""

import json
import re
from dataclasses import replace
from typing import Annotated, Literal

from msgspec import Meta

from oauth_sandbox.configuration import Api, NoEffectError
from oauth_sandbox.faults.fault import Fault, Situation
from oauth_sandbox.openid.claims import Flaw
from oauth_sandbox.request import Endpoint
from oauth_sandbox.response import Response, json_text

ISSUER = re.compile(r"([?&]iss=)[^&]*")


class EmptyBody(Fault, frozen=True, tag="empty-body"):
    """The correct status and headers without a body."""

    def respond(self, situation: Situation) -> Response:
        """Respond with a Content-Length of 0."""
        return replace(situation.proceed(), body=b"")


Malformation = Literal[
    "no-access-token", "no-token-type", "expires-in-negative", "expires-in-text", "expires-in-twice", "scope-list"
]
"""What is wrong with a token response: each breaks some client library (RFC 6749 §5.1)."""


class MalformedToken(Fault, frozen=True, tag="malformed-token"):
    """A token response with one member missing or wrong; other responses are as usual."""

    malformation: Annotated[Malformation, Meta(description="What is wrong with the response.")] = "no-access-token"

    @property
    def only_at(self) -> Endpoint:
        """The token endpoint."""
        return Endpoint.TOKEN

    def respond(self, situation: Situation) -> Response:
        """Respond with the token response, changed."""
        response = situation.proceed()
        members = json.loads(response.body) if response.status == 200 and response.body[:1] == b"{" else {}
        if "access_token" not in members:
            return response
        match self.malformation:
            case "no-access-token":
                del members["access_token"]
            case "no-token-type":
                del members["token_type"]
            case "expires-in-negative":
                members["expires_in"] = -1
            case "expires-in-text":
                members["expires_in"] = str(members["expires_in"])
            case "scope-list":
                members["scope"] = members.get("scope", "").split()
        body = json_text(members).encode()
        if self.malformation == "expires-in-twice":
            body = body[:-1] + b',"expires_in":1}'
        return replace(response, body=body)


FLAW = "What is wrong with the id_token, by default expired. Of wrong-subject only a comparison with userinfo tells."


class OfGeneric(Fault, frozen=True):
    """A fault of the OpenID provider."""

    def check_effect(self, api: Api) -> None:
        """Refuse an API without id_token."""
        if api is not Api.GENERIC:
            raise NoEffectError(
                f"The fault {self.kind} is for the API {Api.GENERIC}; this sandbox is {api}, without id_token."
            )


class WrongIdToken(OfGeneric, frozen=True, tag="wrong-id-token"):
    """Tokens with an id_token that a client must refuse; other responses are as usual."""

    flaw: Annotated[Flaw, Meta(description=FLAW)] = "expired"

    @property
    def only_at(self) -> Endpoint:
        """The token endpoint."""
        return Endpoint.TOKEN

    def respond(self, situation: Situation) -> Response:
        """Respond with tokens; the endpoint makes the id_token with the flaw, because it has the key."""
        situation.request.flaw = self.flaw
        return situation.proceed()


class WrongIssuer(OfGeneric, frozen=True, tag="wrong-issuer"):
    """A redirect with a code whose ``iss`` is another server's (RFC 9207 §2.4); other responses are as usual."""

    @property
    def only_at(self) -> Endpoint:
        """The authorization endpoint."""
        return Endpoint.AUTHORIZE

    def respond(self, situation: Situation) -> Response:
        """Respond with the redirect, changed."""
        response = situation.proceed()
        location = response.headers.get("Location", "")
        other = ISSUER.sub(r"\1https%3A%2F%2Fanother-issuer.example", location)
        return replace(response, headers={**response.headers, "Location": other}) if other else response


class WrongContentType(Fault, frozen=True, tag="wrong-content-type"):
    """The correct body with a different ``Content-Type``."""

    content_type: Annotated[
        str,
        Meta(
            pattern=r"^[\x21-\x7e][\x20-\x7e]{0,98}[\x21-\x7e]$(?!\n)",
            description="The Content-Type sent instead: 2 to 100 characters of printable ASCII.",
        ),
    ] = "text/html"

    def respond(self, situation: Situation) -> Response:
        """Respond with only that header changed."""
        response = situation.proceed()
        return replace(response, headers={**response.headers, "Content-Type": self.content_type})
