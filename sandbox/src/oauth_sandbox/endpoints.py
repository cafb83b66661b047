"""The responses of the provider's endpoints."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import msgspec

from oauth_sandbox import authorization_endpoint, olxgroup, token_endpoint
from oauth_sandbox.authorization_endpoint import ErrorPage, ErrorRedirect
from oauth_sandbox.configuration import Api
from oauth_sandbox.consent import consent_page, refusal_page
from oauth_sandbox.errors import ApiError, InvalidRequest, ProviderError
from oauth_sandbox.openid import endpoints as openid
from oauth_sandbox.partner import routes
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import OF_PARTNER_API, Endpoint, IncomingRequest
from oauth_sandbox.response import JSON, Response, error_response

Handler = Callable[[Sandbox, IncomingRequest], Response]


def respond(sandbox: Sandbox, request: IncomingRequest) -> Response:
    """Return the correct response, with the request's effect. Call it under the sandbox's lock."""
    return response_of(lambda: HANDLERS[sandbox.configuration.api][request.endpoint](sandbox, request))


def response_of(act: Callable[[], Response]) -> Response:
    """Call ``act`` and turn a refusal into a response."""
    try:
        return act()
    except ProviderError as error:
        return error_response(error)
    except ErrorPage as refused:
        return refusal_page(refused)
    except ErrorRedirect as refused:
        return Response.redirect(refused.location)


def failure() -> Response:
    """Return the response for a failure of the sandbox itself; the exception goes on to the server's log."""
    return error_response(ApiError(500, "The sandbox failed."))


def error_redirect(sandbox: Sandbox, request: IncomingRequest, error: str, description: str) -> Response | None:
    """Return the redirect that delivers an error to the client.

    ``None`` at other endpoints, and when the request must not be redirected.
    """
    if request.endpoint is not Endpoint.AUTHORIZE:
        return None
    try:
        authorization = authorization_endpoint.examine(sandbox, request.query, issuer(sandbox, request))
    except (ErrorPage, ErrorRedirect):
        return None
    return Response.redirect(authorization_endpoint.refuse(authorization, error, description))


def _authorize(sandbox: Sandbox, request: IncomingRequest) -> Response:
    _only(request, "GET", "HEAD", "POST")
    form = request.readable if request.method == "POST" else {}
    is_openid = sandbox.configuration.api is Api.GENERIC
    if is_openid and form and not request.query:  # a request may be a form (OpenID Connect Core §3.1.2.1)
        return Response.redirect(f"?{urlencode(form, errors='surrogateescape')}")
    try:
        authorization = authorization_endpoint.examine(sandbox, request.query, issuer(sandbox, request))
    except ErrorPage as refused:
        sandbox.refused.append((request.query, f"{refused.problem}. {refused.remedy}"))
        raise
    if request.method == "POST":
        decision, user = form.get("decision", ""), form.get("user", "")
        return Response.redirect(authorization_endpoint.decide(sandbox, authorization, decision, user))
    if authorization.wish is not None and authorization.wish.silent:
        return Response.redirect(authorization_endpoint.decide(sandbox, authorization, "approve"))
    return consent_page(authorization, sandbox.scope_in_words(authorization.scope), tuple(sandbox.users.values()))


def issuer(sandbox: Sandbox, request: IncomingRequest) -> str:
    """Return the issuer for the authorization response (RFC 9207), which the documented APIs do not have."""
    return sandbox.issuer_at(request.origin) if sandbox.configuration.api is Api.GENERIC else ""


def _token(sandbox: Sandbox, request: IncomingRequest) -> Response:
    if request.method != "POST":
        raise InvalidRequest("The token endpoint accepts POST only", status=405, headers={"Allow": "POST"})
    authorization = request.headers.get("authorization")
    tokens = token_endpoint.tokens(sandbox, request.readable, authorization)
    body = msgspec.json.encode(token_endpoint.members(sandbox, tokens))  # in a tenth of the time of json
    return Response(200, body, {"Content-Type": JSON})


def _only(request: IncomingRequest, *methods: str) -> None:
    if request.method not in methods:
        allow = ", ".join(methods)
        raise ApiError(405, "This method is not supported here: see the Allow header.", {"Allow": allow})


HANDLERS: Mapping[Api, Mapping[Endpoint, Handler]] = {
    Api.PARTNER: {
        Endpoint.AUTHORIZE: _authorize,
        Endpoint.TOKEN: _token,
        **dict.fromkeys(OF_PARTNER_API, routes.respond),
    },
    Api.OLXGROUP: {
        Endpoint.AUTHORIZE: _authorize,
        Endpoint.TOKEN: olxgroup.token,
        Endpoint.METADATA: olxgroup.metadata,
    },
    Api.GENERIC: {
        Endpoint.AUTHORIZE: _authorize,
        Endpoint.TOKEN: openid.token,
        Endpoint.USERINFO: openid.userinfo,
        Endpoint.DISCOVERY: openid.discovery,
        Endpoint.JWKS: openid.jwks,
        Endpoint.REVOKE: openid.revoke,
        Endpoint.INTROSPECT: openid.introspect,
        Endpoint.LOGOUT: openid.logout,
        Endpoint.PAR: openid.push,
        Endpoint.DEVICE: openid.begin_on_device,
        Endpoint.ACTIVATE: openid.activate,
        Endpoint.REGISTER: openid.register,
    },
}
