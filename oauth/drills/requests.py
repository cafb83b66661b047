"""Requests of drill steps, sans-IO."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlencode

from oauth import flow as flows
from oauth.drills.schema import Authorize, Call, Changes, Sent, Texts, TokenRequest, fill
from oauth.errors import InputError
from oauth.exchange import Headers, Request, Step
from oauth.flow import Client, Field, Flow, Grant, Tokens
from oauth.request_builder import USER_AGENT

FORM = "application/x-www-form-urlencoded"


def step_of(step: Sent) -> Step:
    """Return the step of the flow that the request belongs to."""
    match step:
        case Authorize():
            return Step.AUTHORIZE
        case Call():
            return Step.API
        case TokenRequest():
            return Step.REFRESH if step.grant is Grant.REFRESH_TOKEN else Step.TOKEN


def values_of(flow: Flow, first: Tokens | None) -> Texts:
    """Return the values of the placeholders; empty for what the flow does not have. ``first`` are its first tokens."""
    tokens, application = flow.tokens, flow.application_tokens
    return {
        "client_id": flow.client.id,
        "client_secret": flow.client.secret,
        "api_key": flow.client.api_key,
        "redirect_uri": flow.redirect_uri,
        "state": flow.state,
        "code": flow.code,
        "access_token": tokens.access_token if tokens else "",
        "refresh_token": tokens.refresh_token if tokens else "",
        "first_access_token": first.access_token if first else "",
        "first_refresh_token": first.refresh_token if first else "",
        "application_token": application.access_token if application else "",
    }


def fields_of(step: Sent, flow: Flow, values: Texts) -> list[Field]:
    """Return the fields of the request, changed as the step says. Raises ``InputError`` for an unknown client."""
    sender = replace(flow, client=client_of(step.client, flow)) if step.client else flow
    match step:
        case Authorize():
            fields = flows.authorization_fields(sender)
        case TokenRequest():
            fields = flows.token_fields(sender, step.grant)
        case Call():
            fields = flows.api_fields(sender, _tokens(step, flow))
    return list(_apply_changes(fields, step, values))


def request_of(step: Sent, flow: Flow, fields: Iterable[Field], values: Texts) -> Request:
    """Build the request. Raises ``InputError`` when an address or a header cannot be sent."""
    match step:
        case Authorize():
            return _with_browser_headers(flows.authorization_request(flow.provider.authorization_endpoint, fields))
        case Call():
            first = flow.provider.endpoints[0].path if flow.provider.endpoints else ""
            return flows.api_request(flow.provider.api + (step.path or first), fields)
        case TokenRequest():
            url = flow.provider.token_endpoint
            authentication = step.authentication or flow.provider.client_authentication
            request = flows.token_request(url, fields, step.body_format, authentication)
            return _reshape(request, step, values)


def decision_request(request: Request, decision: str) -> Request:
    """Build the consent form's request as a browser posts it, to the URL of its page."""
    body = urlencode({"decision": decision}).encode()
    headers = (*request.headers, ("Content-Type", FORM), ("Content-Length", str(len(body))))
    return replace(request, method="POST", headers=headers, body=body)


def client_of(id: str, flow: Flow) -> Client:
    """Return a ready-made client of the provider. Raises ``InputError`` when it is unknown."""
    for ready in flow.provider.clients:
        if ready.id == id:
            return flows.client_from(ready)
    raise InputError(f"{flow.provider.name} does not have the ready-made client {id}.")


def _tokens(step: Call, flow: Flow) -> Tokens | None:
    return flow.application_tokens if step.token == "application" else flow.tokens


def _apply_changes(fields: Iterable[Field], step: Changes, values: Texts) -> Iterable[Field]:
    values_by_name = {name: fill(text, values) for name, text in step.set.items()}
    for item in fields:
        value = values_by_name.pop(item.name, None)
        if value is not None:
            item = replace(item, value=value, send=True)
        yield replace(
            item, name=step.rename.get(item.name, item.name), send=item.send and item.name not in step.leave_out
        )
    for name, value in (*values_by_name.items(), *((name, fill(text, values)) for name, text in step.extra.items())):
        yield Field(name, value, "Added by the drill", "drill")


def _with_browser_headers(request: Request) -> Request:
    """Add the headers that a browser would send."""
    more = (("User-Agent", USER_AGENT), ("Accept", "text/html"), ("Accept-Encoding", "identity"))
    return replace(request, headers=(*request.headers, *more))


def _reshape(request: Request, step: TokenRequest, values: Mapping[str, str]) -> Request:
    """Return the request with another body, method, query and headers."""
    body = request.body if step.body is None else fill(step.body, values).encode()
    query = urlencode({name: fill(text, values) for name, text in step.query.items()})
    headers = {"Content-Length": str(len(body))} | {name: fill(text, values) for name, text in step.header.items()}
    url = f"{request.url}{'&' if '?' in request.url else '?'}{query}" if query else request.url
    return Request(step.method, url, _replace_headers(request.headers, headers), body)


def _replace_headers(headers: Headers, changes: Mapping[str, str]) -> Headers:
    """Return the headers with some replaced or added, and those with an empty value removed."""
    names = {name.lower() for name in changes}
    unchanged = [(name, value) for name, value in headers if name.lower() not in names]
    return (*unchanged, *((name, value) for name, value in changes.items() if value))
