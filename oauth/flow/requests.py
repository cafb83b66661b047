"""Requests built from their fields, as they go over the wire."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import parse_qsl, quote_plus, urlencode, urlunsplit

from oauth.errors import InputError
from oauth.exchange import Request
from oauth.flow.model import Field, Flow
from oauth.providers import BodyFormat, ClientAuthentication
from oauth.request_builder import build_request, checked_url

_ASSERTION = re.compile(rb"""client_assertion"?(?:=|:\s?")[^&"]*""")


def authorization_request(url: str, fields: Iterable[Field]) -> Request:
    """Build the authorization request that the browser opens. Raises ``InputError`` for an invalid ``url``."""
    parts = checked_url(url, "authorization endpoint")
    query = "&".join(filter(None, [parts.query, urlencode(sent(fields))]))
    return Request("GET", urlunsplit(parts._replace(query=query)), (("Host", parts.netloc.rpartition("@")[2]),))


def with_authorization(flow: Flow, fields: Iterable[Field]) -> Flow:
    """Return the flow after the authorization request was sent: the token request has to repeat its parameters.

    For a ``request_uri`` these are the parameters that were pushed.
    """
    parameters = tuple(sent(fields))
    if flow.pushed is not None and dict(parameters).get("request_uri") == flow.pushed.request_uri:
        parameters = flow.pushed.parameters
    return replace(flow, authorization=parameters)


def token_request(
    url: str,
    fields: Iterable[Field],
    body_format: BodyFormat = BodyFormat.JSON,
    authentication: ClientAuthentication = ClientAuthentication.BODY,
) -> Request:
    """Build a token request (RFC 6749 §4.1.3, §4.4.2, §6). Raises ``InputError`` for an invalid ``url``.

    With Basic the id and the secret move to the header, form-encoded before base64 as §2.3.1 asks. A client that
    authenticates without its secret does not send it.
    """
    return _post(url, fields, body_format, authentication, basic_only=("client_id", "client_secret"))


def form_request(
    url: str, fields: Iterable[Field], authentication: ClientAuthentication = ClientAuthentication.BODY
) -> Request:
    """Build a request to an endpoint that takes a form (RFC 7009 §2.1, RFC 7662 §2.1, RFC 8628 §3.1).

    Raises ``InputError`` for an invalid ``url``.
    """
    return token_request(url, fields, BodyFormat.FORM, authentication)


def par_request(
    url: str, fields: Iterable[Field], authentication: ClientAuthentication = ClientAuthentication.BODY
) -> Request:
    """Build a pushed authorization request (RFC 9126 §2.1): even with Basic, ``client_id`` is in the form too.

    Raises ``InputError`` for an invalid ``url``.
    """
    return _post(url, fields, BodyFormat.FORM, authentication, basic_only=("client_secret",))


def api_request(url: str, fields: Iterable[Field]) -> Request:
    """Build an API call with the fields as headers (RFC 6750 §2.1).

    Raises ``InputError`` for an invalid ``url``, or for a header with a character that is not allowed.
    """
    return build_request("GET", url, headers_of(fields))


def keys_request(url: str) -> Request:
    """Build a request for the server's public keys (RFC 7517 §5). Raises ``InputError`` for an invalid ``url``."""
    return build_request("GET", url)


def without_signatures(request: Request) -> Request:
    """Return the request without its signatures, which differ each time, so that two requests can be compared."""
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in ("dpop", "content-length"))
    return replace(request, headers=headers, body=_ASSERTION.sub(b"", request.body))


def body_field(request: Request, name: str) -> str:
    """Return one field of a token request's body, or an empty string."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    value = body.get(name) if isinstance(body, dict) else ""
    return value if isinstance(value, str) else ""


def query(parameters: Iterable[tuple[str, str]]) -> str:
    """Return parameters as the query of a URL."""
    return urlencode(list(parameters))


def _post(
    url: str,
    fields: Iterable[Field],
    body_format: BodyFormat,
    authentication: ClientAuthentication,
    *,
    basic_only: tuple[str, ...],
) -> Request:
    """Build a POST. With Basic, the fields in ``basic_only`` are in the header and not in the body."""
    fields = list(fields)
    headers = headers_of(item for item in fields if item.header)
    parameters = sent(item for item in fields if not item.header)
    if authentication in (ClientAuthentication.NONE, ClientAuthentication.PRIVATE_KEY_JWT):
        parameters = [(name, value) for name, value in parameters if name != "client_secret"]
    if authentication is ClientAuthentication.BASIC:
        credentials = dict(parameters)
        parameters = [(name, value) for name, value in parameters if name not in basic_only]
        pair = ":".join(quote_plus(credentials.get(name, "")) for name in ("client_id", "client_secret"))
        headers.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
    if body_format is BodyFormat.JSON:
        headers.append(("Content-Type", "application/json"))
        body = json.dumps(dict(parameters), ensure_ascii=False).encode()
    else:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        body = urlencode(parameters).encode()
    return build_request("POST", url, headers, body)


def headers_of(fields: Iterable[Field]) -> list[tuple[str, str]]:
    """Return the fields as headers. Raises ``InputError`` for one with a character that is not allowed."""
    pairs = sent(fields)
    for name, value in pairs:
        if not name.isascii() or not name.strip() or any(c in name + value for c in "\r\n\0"):
            raise InputError(
                f"The header {name!r} cannot be sent. Its name must be ASCII, and name and value must be on one line."
            )
    return pairs


def sent(fields: Iterable[Field]) -> list[tuple[str, str]]:
    """Return the names and values of the fields that are switched on and have a name."""
    return [(item.name, item.value) for item in fields if item.send and item.name]
