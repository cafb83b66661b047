"""From fields to requests as they go over the wire."""

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
    """The address that the browser opens. Raises ``InputError`` when ``url`` cannot be opened."""
    parts = checked_url(url, "authorization endpoint")
    query = "&".join(filter(None, [parts.query, urlencode(_sent(fields))]))
    return Request("GET", urlunsplit(parts._replace(query=query)), (("Host", parts.netloc.rpartition("@")[2]),))


def with_authorization(flow: Flow, fields: Iterable[Field]) -> Flow:
    """The flow once the authorization request went out: the token request has to repeat what it said.

    What a ``request_uri`` stands for was said when it was pushed.
    """
    sent = tuple(_sent(fields))
    if flow.pushed is not None and dict(sent).get("request_uri") == flow.pushed.request_uri:
        sent = flow.pushed.parameters
    return replace(flow, authorization=sent)


def token_request(
    url: str,
    fields: Iterable[Field],
    body_format: BodyFormat = BodyFormat.JSON,
    authentication: ClientAuthentication = ClientAuthentication.BODY,
) -> Request:
    """A token request (RFC 6749 §4.1.3, §4.4.2, §6). Raises ``InputError`` when ``url`` cannot be requested.

    With Basic the id and the secret leave the body, form-encoded before base64 as §2.3.1 asks. Where the client proves
    itself without its secret, the secret is left out.
    """
    return _posted(url, fields, body_format, authentication, leave=("client_id", "client_secret"))


def form_request(
    url: str, fields: Iterable[Field], authentication: ClientAuthentication = ClientAuthentication.BODY
) -> Request:
    """A request of an endpoint beside the flow, which takes a form (RFC 7009 §2.1, RFC 7662 §2.1, RFC 8628 §3.1).

    Raises ``InputError`` when ``url`` cannot be requested.
    """
    return _posted(url, fields, BodyFormat.FORM, authentication, leave=("client_id", "client_secret"))


def par_request(
    url: str, fields: Iterable[Field], authentication: ClientAuthentication = ClientAuthentication.BODY
) -> Request:
    """A pushed authorization request (RFC 9126 §2.1): with Basic ``client_id`` is sent in the form all the same.

    Raises ``InputError`` when ``url`` cannot be requested.
    """
    return _posted(url, fields, BodyFormat.FORM, authentication, leave=("client_secret",))


def api_request(url: str, fields: Iterable[Field]) -> Request:
    """A call of the API, with the fields as headers (RFC 6750 §2.1).

    Raises ``InputError`` when ``url`` cannot be requested or a header has a character that no header may have.
    """
    return build_request("GET", url, _headers(_sent(fields)), b"")


def keys_request(url: str) -> Request:
    """A request for the server's public keys (RFC 7517 §5). Raises ``InputError`` when ``url`` cannot be requested."""
    return build_request("GET", url, (), b"")


def without_signatures(request: Request) -> Request:
    """The request without what is signed anew each time, so that two can be compared for what they ask."""
    headers = tuple(pair for pair in request.headers if pair[0].lower() not in ("dpop", "content-length"))
    return replace(request, headers=headers, body=_ASSERTION.sub(b"", request.body))


def body_field(request: Request, name: str) -> str:
    """One field of a token request's body, or an empty text."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    found = body.get(name) if isinstance(body, dict) else ""
    return found if isinstance(found, str) else ""


def query(parameters: Iterable[tuple[str, str]]) -> str:
    """Parameters as the query of an address."""
    return urlencode(list(parameters))


def _posted(
    url: str,
    fields: Iterable[Field],
    body_format: BodyFormat,
    authentication: ClientAuthentication,
    *,
    leave: tuple[str, ...],
) -> Request:
    """A POST. ``leave`` names the fields that are in the header and not in the body when the client uses Basic."""
    fields = list(fields)
    headers = _headers(_sent(item for item in fields if item.header))
    sent = _sent(item for item in fields if not item.header)
    if authentication in (ClientAuthentication.NONE, ClientAuthentication.PRIVATE_KEY_JWT):
        sent = [(name, value) for name, value in sent if name != "client_secret"]
    if authentication is ClientAuthentication.BASIC:
        credentials = dict(sent)
        sent = [(name, value) for name, value in sent if name not in leave]
        pair = ":".join(quote_plus(credentials.get(name, "")) for name in ("client_id", "client_secret"))
        headers.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
    if body_format is BodyFormat.JSON:
        headers.append(("Content-Type", "application/json"))
        body = json.dumps(dict(sent), ensure_ascii=False).encode()
    else:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        body = urlencode(sent).encode()
    return build_request("POST", url, headers, body)


def _headers(sent: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    found = list(sent)
    for name, value in found:
        if not name.isascii() or not name.strip() or any(c in name + value for c in "\r\n\0"):
            raise InputError(f"The header {name!r} cannot be sent: a name is ASCII, and neither part has line breaks.")
    return found


def _sent(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(item.name, item.value) for item in fields if item.send and item.name]
