"""The sandbox's refusals, one class per error, with the provider's fields and texts.

The texts are written here independently of the console's catalogue, so that each is checked against the other. Numbers
are those of the provider's documentation of authorization errors.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar, NamedTuple

REALM = "sandbox"


def challenge(scheme: str = "Bearer", **parameters: str) -> dict[str, str]:
    """Return a ``WWW-Authenticate`` header (RFC 9110 §11.6.1; for a bearer token RFC 6750 §3)."""
    items = ", ".join(f'{name}="{value}"' for name, value in {"realm": REALM, **parameters}.items())
    return {"WWW-Authenticate": f"{scheme} {items}"}


class ProviderError(Exception):
    """A refusal: ``status``, ``members`` of the JSON body, and ``headers``."""

    status: int = 400
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def members(self) -> Mapping[str, object]:
        """The JSON body."""
        raise NotImplementedError


class OAuthError(ProviderError):
    """An error of the authorization layer (RFC 6749 §5.2), which the provider extends by a title for people."""

    error: ClassVar[str]
    description: str
    human_title: ClassVar[str] = ""

    @property
    def members(self) -> Mapping[str, object]:
        """``error``, ``error_description`` and, where documented, ``error_human_title``."""
        title = {"error_human_title": self.human_title} if self.human_title else {}
        return {"error": self.error, "error_description": self.description, **title}


class ApiError(ProviderError):
    """An error of the API itself: ``{"error": {"status", "title", "detail"}}``."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}

    @property
    def members(self) -> Mapping[str, object]:
        """The status with its phrase (RFC 9110 §15), and the detail."""
        return {"error": {"status": self.status, "title": HTTPStatus(self.status).phrase, "detail": self.detail}}


class WrappedError(ApiError):
    """An error of the API that the documentation shows inside another object: ``{"data": {"error": ...}}``."""

    @property
    def members(self) -> Mapping[str, object]:
        """The members of an ``ApiError``, wrapped."""
        return {"data": super().members}


class Problem(NamedTuple):
    """What is wrong with a field. Some of the documented examples have a ``detail``, one has a ``code`` for all."""

    field: str
    title: str
    detail: str = ""
    code: int = 0


class InvalidData(ApiError):
    """Invalid fields, each with what is wrong: ``{"error": {..., "validation": [{"field", "title"}]}}``."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(400, "Data validation error occurred")
        self.problems = problems

    @property
    def members(self) -> Mapping[str, object]:
        """The documented members, with a list of fields."""
        code = max(problem.code for problem in self.problems)
        return {
            "error": {
                "status": self.status,
                **({"code": code} if code else {}),
                "title": "Invalid request",
                "detail": self.detail,
                "validation": [
                    {"field": it.field, "title": it.title, **({"detail": it.detail} if it.detail else {})}
                    for it in self.problems
                ],
            }
        }


class InvalidJson(WrappedError):
    """A body that is not valid JSON; the documentation names extra and misspelt fields as causes too."""

    def __init__(self) -> None:
        super().__init__(400, "Error while decoding JSON data: Syntax error")


class UnknownResource(ApiError):
    """A path of the API that there is not, in the documented words and with members of its own."""

    def __init__(self) -> None:
        super().__init__(404, "Unsupported API version")

    @property
    def members(self) -> Mapping[str, object]:
        """The type of the error, and its text."""
        return {"error": {"type": "NotFoundException", "message": self.detail}}


# Token endpoint, documented.


class MissingParameter(OAuthError):
    """A required parameter is missing (RFC 6749 §5.2). For ``code`` it is documented error 1."""

    error = "invalid_request"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.description = f'Missing parameter: "{name}" is required'


class InvalidCode(OAuthError):
    """Error 2: the code is unknown, used, expired, revoked, or another client's (RFC 6749 §5.2, ``invalid_grant``)."""

    error = "invalid_grant"
    description = "Authorization code doesn't exist or is invalid for the client"


class MissingGrantType(OAuthError):
    """Error 3: ``grant_type`` is missing (RFC 6749 §5.2, ``invalid_request``)."""

    error = "invalid_request"
    description = "The grant type was not specified in the request"


class InvalidScope(OAuthError):
    """Error 4: the scope exceeds that of the client or of the grant (RFC 6749 §5.2, ``invalid_scope``)."""

    error = "invalid_scope"
    description = "The scope requested is invalid for this client"


class InactiveClient(OAuthError):
    """Error 5: the client was deactivated (RFC 6749 §5.2, ``invalid_client``)."""

    status = 401
    error = "invalid_client"
    description = "Client is not active"
    headers = challenge("Basic")  # a 401 names a way to authenticate (RFC 9110 §15.5.2)


class InvalidClient(OAuthError):
    """Error 6: the client is unknown, its secret wrong, or one of them missing (RFC 6749 §5.2, ``invalid_client``).

    The provider responds 400, also to HTTP Basic, where RFC 6749 asks for 401.
    """

    error = "invalid_client"
    description = "The client credentials are invalid"


class UnauthorizedClient(OAuthError):
    """Error 10: this client may not use this grant (RFC 6749 §5.2, ``unauthorized_client``)."""

    error = "unauthorized_client"
    description = "The grant type is unauthorized for this client_id"
    human_title = "Unauthorized client."


class InvalidRefreshToken(OAuthError):
    """Error 11: the refresh token is unknown, expired, replaced, revoked, or another client's (RFC 6749 §5.2)."""

    error = "invalid_grant"
    description = "Invalid refresh token"
    human_title = "Provided authorization credentials are invalid or expired."


# Token endpoint, not among the eleven.


class InvalidRequest(OAuthError):
    """An unreadable or contradictory request (RFC 6749 §5.2, ``invalid_request``)."""

    error = "invalid_request"

    def __init__(self, description: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.status = status
        self.headers = headers or {}


class UnsupportedGrantType(OAuthError):
    """An unknown grant type (RFC 6749 §5.2, ``unsupported_grant_type``)."""

    error = "unsupported_grant_type"

    def __init__(self, grant_type: str) -> None:
        super().__init__(grant_type)
        self.description = f'Grant type "{grant_type}" not supported'


class RedirectUriMismatch(OAuthError):
    """The redirect URI differs from the authorization request's (RFC 6749 §4.1.3). The code is widely used but not
    registered.
    """

    error = "redirect_uri_mismatch"
    description = "The redirect URI is missing or do not match"


class VerifierMismatch(OAuthError):
    """The verifier is missing, does not match the challenge, or comes without one (RFC 7636 §4.6)."""

    error = "invalid_grant"
    description = "The code verifier is missing, or does not match the code challenge"


# Resources.


class InvalidToken(OAuthError):
    """Error 7: the access token is unknown, expired or revoked (RFC 6750 §3.1, ``invalid_token``)."""

    status = 401
    error = "invalid_token"
    description = "The access token provided is invalid"
    headers = challenge(error=error, error_description=description)


class InsufficientScope(OAuthError):
    """Error 8: the token lacks a scope (RFC 6750 §3.1, ``insufficient_scope``). The provider responds 401, not 403."""

    status = 401
    error = "insufficient_scope"
    description = "The request requires higher privileges than provided by the access token"
    human_title = "Insufficient scope."

    def __init__(self, needed: str) -> None:
        super().__init__(needed)
        self.headers = challenge(error=self.error, error_description=self.description, scope=needed)


class InvalidOwner(ApiError):
    """Error 9: an application's token at a user's endpoint. The body is the API's; the challenge's code is that of a
    400 in RFC 6750 §3.1.
    """

    def __init__(self) -> None:
        detail = "Invalid owner in token"
        super().__init__(400, detail, challenge(error="invalid_request", error_description=detail))


class MissingToken(ApiError):
    """No access token: a challenge without an error code (RFC 6750 §3.1)."""

    def __init__(self) -> None:
        super().__init__(401, "No access token was sent. Add the header `Authorization: Bearer TOKEN`.", challenge())


DOCUMENTED: Mapping[int, Callable[[], ProviderError]] = {
    1: lambda: MissingParameter("code"),
    2: InvalidCode,
    3: MissingGrantType,
    4: InvalidScope,
    5: InactiveClient,
    6: InvalidClient,
    7: InvalidToken,
    8: lambda: InsufficientScope("read v2"),
    9: InvalidOwner,
    10: UnauthorizedClient,
    11: InvalidRefreshToken,
}
"""The eleven by number, with the values of the documentation."""
