"""The user's decision over HTTP, without a browser."""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox import authorization_endpoint, endpoints
from oauth_sandbox.authorization_endpoint import ErrorPage, ErrorRedirect
from oauth_sandbox.configuration import UserId
from oauth_sandbox.control.access import is_loopback
from oauth_sandbox.control.operation import Call, Conflict, Operation
from oauth_sandbox.paths import PATHS, authorization_paths
from oauth_sandbox.pipeline import process
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint, IncomingRequest
from oauth_sandbox.response import Response
from oauth_sandbox.validation import Fields, InvalidInput

PATH = "/control/consent"


class Decision(Fields):
    """The user's decision on an authorization request: give url, or parameters."""

    decision: Literal["approve", "deny"]
    url: Annotated[str, Meta(max_length=10_000, description="The URL of the authorization page.")] | UnsetType = UNSET
    parameters: (
        Annotated[
            dict[str, Annotated[str, Meta(max_length=4000)]],
            Meta(description="Parameters of the authorization request (RFC 6749 §4.1.1), after those of url."),
        ]
        | UnsetType
    ) = UNSET
    user_id: UserId | UnsetType = UNSET


UrlOrParameters = Meta(extra_json_schema={"anyOf": [{"required": ["url"]}, {"required": ["parameters"]}]})


class Redirect(Fields):
    """The redirect."""

    location: Annotated[str, Meta(description="The URL that the browser would be sent to.")]
    parameters: Annotated[
        dict[str, str], Meta(description="Its parameters: code and state, or error, error_description and state.")
    ]


def _decide(sandbox: Sandbox, call: Call) -> Redirect:
    body: Decision = call.body
    if body.url is UNSET and body.parameters is UNSET:
        raise InvalidInput((), "Give url, or parameters.")
    url = body.url or ""
    check_address(sandbox, url, call.origin)
    query = _query(url, body.parameters or {})
    elsewhere = is_elsewhere(url, call.origin)
    request = IncomingRequest(Endpoint.AUTHORIZE, "GET", query, {}, elsewhere=elsewhere)
    # The issuer is the address that the client knows, which may be another name of this machine.
    path = PATHS[sandbox.configuration.api][Endpoint.AUTHORIZE]
    address = url.partition("?")[0].rstrip("/").removesuffix(path.rstrip("/"))
    request.origin = address if address and not elsewhere and urlsplit(url).netloc else call.origin
    user = str(body.user_id or "")

    def proceed() -> Response:
        authorization = authorization_endpoint.examine(sandbox, query, endpoints.issuer(sandbox, request))
        return Response.redirect(authorization_endpoint.decide(sandbox, authorization, body.decision, user))

    response = process(sandbox, request, PATH, lambda: endpoints.response_of(proceed)).response
    location = response.headers.get("Location")
    if location is None:
        raise Conflict(_refusal_reason(sandbox, query, user))
    return Redirect(location=location, parameters=dict(parse_qsl(_own_query(location), errors="replace")))


def check_address(sandbox: Sandbox, url: str, origin: str) -> None:
    """Raise ``Conflict`` when a URL has another path than the authorization page: a browser would not get there.

    Raises ``InvalidInput`` for what is not a URL.
    """
    try:
        path = urlsplit(url).path.rstrip("/")
    except ValueError as error:
        raise InvalidInput(("url",), "Expected a URL with a valid host.") from error
    if path and not any(path.endswith(known.rstrip("/")) for known in authorization_paths(sandbox.configuration.api)):
        known = " or ".join(f"{origin}{path}" for path in authorization_paths(sandbox.configuration.api))
        raise Conflict(f"{urlsplit(url)._replace(query='').geturl()} is not the authorization page. It is {known}.")


def is_elsewhere(url: str, origin: str) -> bool:
    """Return true for a URL at another server; the names of this machine are one."""
    called, own = urlsplit(url).netloc.lower(), urlsplit(origin).netloc.lower()
    return bool(called) and _as_one(called) != _as_one(own)


def _as_one(netloc: str) -> str:
    host, _, port = netloc.rpartition(":") if not netloc.endswith("]") and ":" in netloc else (netloc, "", "")
    return f"localhost:{port}" if is_loopback(host.strip("[]")) else netloc


def _query(url: str, parameters: Mapping[str, str]) -> str:
    return "&".join(filter(None, [_own_query(url), urlencode(parameters)]))


def _own_query(url: str) -> str:
    return url.partition("#")[0].partition("?")[2]


def _refusal_reason(sandbox: Sandbox, query: str, user: str) -> str:
    """Return the reason for which the user would see an error page."""
    try:
        authorization = authorization_endpoint.examine(sandbox, query)
        authorization_endpoint.decide(sandbox, authorization, "deny")
    except ErrorPage as refused:
        return f"{refused.problem}. {refused.remedy}"
    except ErrorRedirect:
        return "A fault struck the authorization request."
    if user and user not in map(str, sandbox.users):
        return f"There is no user {user}. Known users: {', '.join(map(str, sandbox.users))}."
    return "A fault struck the authorization request."


OPERATIONS = (
    Operation(
        "POST",
        "consent",
        "Approve or deny an authorization request; lint and faults apply to it",
        _decide,
        Redirect,
        body=Annotated[Decision, UrlOrParameters],
        conflicts=True,
    ),
)
