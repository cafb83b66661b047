"""The authorization_code flow, sans-IO (RFC 6749 §4.1).

A step makes a request from fields, and reads a response into the next state of the flow. Everything here is a plain
function of values: no socket, no clock, no database.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

from oauth.exchange import Exchange, Request
from oauth.providers import BodyFormat, ClientAuthentication, Provider

USER_AGENT = "oauth-console/1.0"


class Grant(StrEnum):
    """How a token is asked for (RFC 6749 §1.3, §6)."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    CLIENT_CREDENTIALS = "client_credentials"


class StateCheck(StrEnum):
    """What comparing the returned ``state`` with the sent one gave (RFC 6749 §10.12)."""

    MATCHES = "matches"
    DIFFERS = "differs"
    MISSING = "missing"
    NOT_POSSIBLE = "not possible"


class FlowError(ValueError):
    """Something a person gave cannot be used; the text says what, and what to give instead."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request before it is sent: its meaning, where the value comes from, and whether it is sent.

    ``since`` is when the value arrived, for one that an earlier answer gave.
    """

    name: str
    value: str
    meaning: str
    source: str
    send: bool = True
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """The client's credentials (RFC 6749 §2.2, §2.3.1)."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Callback:
    """The redirect that came back (RFC 6749 §4.1.2), with what the check of its ``state`` gave."""

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    received_at: datetime
    state_check: StateCheck
    pasted: bool

    def get(self, name: str) -> str:
        """The first parameter of that name, or an empty text."""
        return next((value for key, value in self.parameters if key == name), "")


@dataclass(frozen=True, slots=True)
class Tokens:
    """A successful token response (RFC 6749 §5.1). ``expires_in`` is in seconds, ``None`` when the server said none."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    scope: str
    asked_scope: str
    expires_in: int | None
    token_type: str
    grant: Grant
    issued_at: datetime

    @property
    def expires_at(self) -> datetime | None:
        """When the access token ends, by the server's own word."""
        return None if self.expires_in is None else self.issued_at + timedelta(seconds=self.expires_in)


@dataclass(frozen=True, slots=True)
class Flow:
    """One walk from the authorization request to the token: the exchanges that share a ``state``."""

    provider: Provider
    client: Client
    redirect_uri: str
    state: str = field(repr=False)
    started_at: datetime
    case: str = ""
    asked: tuple[tuple[str, str], ...] | None = field(default=None, repr=False)
    callback: Callback | None = None
    tokens: Tokens | None = None
    application_tokens: Tokens | None = None
    refresh_replaced: bool | None = None

    @property
    def id(self) -> str:
        """A name for the flow that can be written down: it is derived from ``state`` and does not give it away."""
        return hashlib.sha256(self.state.encode()).hexdigest()[:10]

    @property
    def code(self) -> str:
        """The authorization code that came back, or an empty text."""
        return self.callback.get("code") if self.callback else ""

    @property
    def code_expires_at(self) -> datetime | None:
        """When the code ends, counted from its arrival with the provider's documented lifetime, if it has one."""
        life = self.provider.lifetimes.code
        if self.callback is None or not self.code or life is None:
            return None
        return self.callback.received_at + timedelta(seconds=life)


def authorization_fields(flow: Flow) -> list[Field]:
    """The parameters of the authorization request (RFC 6749 §4.1.1)."""
    return [
        Field("client_id", flow.client.id, "Who asks", "client"),
        Field("response_type", "code", "What is asked for: a code", "this step"),
        Field("redirect_uri", flow.redirect_uri, "Where the browser is sent back to", "console"),
        Field("scope", flow.provider.scope, "What the token may do, separated by spaces", "provider"),
        Field("state", flow.state, "Ties the answer to this request", "made fresh"),
    ]


def token_fields(flow: Flow, grant: Grant) -> list[Field]:
    """The parameters of a token request: RFC 6749 §4.1.3, §6 or §4.4.2."""
    common = [
        Field("grant_type", grant.value, "How the token is asked for", "this step"),
        Field("client_id", flow.client.id, "Who asks", "client"),
        Field("client_secret", flow.client.secret, "Proves who asks", "client"),
    ]
    match grant:
        case Grant.AUTHORIZATION_CODE:
            return [
                *common,
                _code(flow),
                _repeated(flow, "redirect_uri", flow.redirect_uri, "The same as in step 1, to the letter"),
                _repeated(flow, "scope", flow.provider.scope, "What the token may do"),
            ]
        case Grant.REFRESH_TOKEN:
            token = flow.tokens.refresh_token if flow.tokens else ""
            return [*common, Field("refresh_token", token, "Buys a new access token", *_token_source(flow.tokens))]
        case Grant.CLIENT_CREDENTIALS:
            return [*common, Field("scope", flow.provider.scope, "What the token may do", "provider")]


def api_fields(flow: Flow, tokens: Tokens | None) -> list[Field]:
    """The headers of an API call (RFC 6750 §2.1, and what the provider wants besides)."""
    token = tokens.access_token if tokens else ""
    return [
        Field("Authorization", f"Bearer {token}" if token else "", "The access token", *_token_source(tokens)),
        *(Field(item.name, item.value, item.meaning, "provider") for item in flow.provider.headers),
    ]


def authorization_request(url: str, fields: Iterable[Field]) -> Request:
    """The address that the browser opens. Raises ``FlowError`` when ``url`` cannot be opened."""
    parts = checked_url(url, "authorization endpoint")
    query = "&".join(filter(None, [parts.query, urlencode(_sent(fields))]))
    return Request("GET", urlunsplit(parts._replace(query=query)), (("Host", parts.netloc.rpartition("@")[2]),))


def authorized(flow: Flow, fields: Iterable[Field]) -> Flow:
    """The flow once the authorization request went out: the token request has to repeat what it said."""
    return replace(flow, asked=tuple(_sent(fields)))


def token_request(
    url: str,
    fields: Iterable[Field],
    body_format: BodyFormat = BodyFormat.JSON,
    authentication: ClientAuthentication = ClientAuthentication.BODY,
) -> Request:
    """A token request (RFC 6749 §4.1.3, §4.4.2, §6). Raises ``FlowError`` when ``url`` cannot be requested.

    With Basic the id and the secret leave the body, form-encoded before base64 as §2.3.1 asks. Where the client proves
    itself without its secret, the secret is left out.
    """
    sent = _sent(fields)
    headers: list[tuple[str, str]] = []
    if authentication in (ClientAuthentication.NONE, ClientAuthentication.PRIVATE_KEY_JWT):
        sent = [(name, value) for name, value in sent if name != "client_secret"]
    if authentication is ClientAuthentication.BASIC:
        credentials = {name: value for name, value in sent if name in ("client_id", "client_secret")}
        sent = [(name, value) for name, value in sent if name not in credentials]
        pair = ":".join(quote_plus(credentials.get(name, "")) for name in ("client_id", "client_secret"))
        headers.append(("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()))
    if body_format is BodyFormat.JSON:
        headers.append(("Content-Type", "application/json"))
        body = json.dumps(dict(sent), ensure_ascii=False).encode()
    else:
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        body = urlencode(sent).encode()
    return _request("POST", url, headers, body)


def api_request(url: str, fields: Iterable[Field]) -> Request:
    """A call of the API, with the fields as headers (RFC 6750 §2.1).

    Raises ``FlowError`` when ``url`` cannot be requested or a header has a character that no header may have.
    """
    sent = _sent(fields)
    for name, value in sent:
        if not name.isascii() or not name.strip() or any(c in name + value for c in "\r\n\0"):
            raise FlowError(f"The header {name!r} cannot be sent: a name is ASCII, and neither part has line breaks.")
    return _request("GET", url, sent, b"")


def read_callback(flow: Flow, parameters: Sequence[tuple[str, str]], now: datetime, *, pasted: bool) -> Flow:
    """The flow after the redirect came back, with its ``state`` checked (RFC 6749 §4.1.2, §10.12)."""
    states = [value for name, value in parameters if name == "state"]
    if states:
        check = StateCheck.MATCHES if states == [flow.state] else StateCheck.DIFFERS
    else:
        check = StateCheck.NOT_POSSIBLE if [name for name, _ in parameters] == ["code"] else StateCheck.MISSING
    return replace(flow, callback=Callback(tuple(parameters), now, check, pasted))


def read_tokens(flow: Flow, exchange: Exchange, grant: Grant, asked_scope: str) -> Flow:
    """The flow after a token response; unchanged when the response is no success (RFC 6749 §5.1)."""
    body = _json_object(exchange)
    access_token = body.get("access_token")
    if exchange.response is None or not 200 <= exchange.response.status < 300 or not isinstance(access_token, str):
        return flow
    before = flow.tokens
    given = _text(body.get("refresh_token"))
    tokens = Tokens(
        access_token=access_token,
        # RFC 6749 §6: without a new refresh token the old one stays good.
        refresh_token=given or (before.refresh_token if before and grant is Grant.REFRESH_TOKEN else ""),
        # RFC 6749 §5.1: a scope that is left out is the one that was asked for.
        scope=_text(body.get("scope")) or asked_scope or (before.scope if before else ""),
        asked_scope=asked_scope,
        expires_in=_seconds(body.get("expires_in")),
        token_type=_text(body.get("token_type")),
        grant=grant,
        issued_at=exchange.started_at + timedelta(milliseconds=exchange.duration_ms or 0),
    )
    if grant is Grant.CLIENT_CREDENTIALS:
        return replace(flow, application_tokens=tokens)
    replaced = None
    if grant is Grant.REFRESH_TOKEN and before is not None:
        replaced = bool(given) and given != before.refresh_token
    return replace(flow, tokens=tokens, refresh_replaced=replaced)


def sent_field(request: Request, name: str) -> str:
    """One field of a token request's body, or an empty text."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    return _text(body.get(name)) if isinstance(body, dict) else ""


def parse_pasted(text: str) -> list[tuple[str, str]]:
    """The parameters in a pasted callback address, query string or bare code.

    Any address will do, not only the console's own. Raises ``FlowError`` when there is neither a code nor an error.
    """
    text = text.strip()
    if not text:
        raise FlowError(
            "Nothing was pasted. Paste the whole address from the browser's address bar, or the code alone."
        )
    parts = urlsplit(text)
    if parts.scheme and (parts.netloc or parts.path.startswith("/")):
        parameters = parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(parts.fragment, keep_blank_values=True)
    elif "=" in text:
        parameters = parse_qsl(text.lstrip("?#"), keep_blank_values=True)
    elif any(character.isspace() for character in text):
        raise FlowError("This is neither an address nor a code: it has white space inside. Paste one of them alone.")
    else:
        return [("code", text)]
    names = {name for name, _ in parameters}
    if not names & {"code", "error"}:
        raise FlowError(
            "This address has neither a code nor an error in it. Paste the address that the browser landed on after "
            "the approval, with everything behind the question mark."
        )
    repeated = sorted(name for name in names if sum(name == other for other, _ in parameters) > 1)
    if repeated:
        raise FlowError(
            f"The parameter {repeated[0]!r} stands there more than once (RFC 6749 §3.1). Which one is right?"
        )
    return parameters


def query(parameters: Iterable[tuple[str, str]]) -> str:
    """Parameters as the query of an address."""
    return urlencode(list(parameters))


def checked_url(url: str, what: str) -> Any:
    """The parts of an address that can be requested. Raises ``FlowError`` naming ``what`` when it cannot."""
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # raises for a port that is no number
    except ValueError as error:
        raise FlowError(f"The {what} {url!r} is not an address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FlowError(f"The {what} {url!r} cannot be used: it must begin with https:// or http:// and name a host.")
    return parts


def _request(method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> Request:
    parts = checked_url(url, "address")
    target = urlunsplit(parts._replace(path=parts.path or "/", fragment=""))
    ours = [("Host", parts.netloc.rpartition("@")[2]), ("User-Agent", USER_AGENT), ("Accept", "application/json")]
    # Bodies are wanted as they are: what is shown is then what came over the wire.
    ours.append(("Accept-Encoding", "identity"))
    given = {name.lower() for name, _ in headers}
    length = [("Content-Length", str(len(body)))] if method == "POST" else []
    kept = [(name, value) for name, value in ours if name.lower() not in given]
    return Request(method, target, (*kept, *headers, *length), body)


def _sent(fields: Iterable[Field]) -> list[tuple[str, str]]:
    return [(item.name, item.value) for item in fields if item.send and item.name]


def _repeated(flow: Flow, name: str, otherwise: str, meaning: str) -> Field:
    """A field that repeats the authorization request, and is left out when it was left out there (§4.1.3)."""
    if flow.asked is None:
        return Field(name, otherwise, meaning, "provider" if name == "scope" else "console")
    asked = dict(flow.asked)
    return Field(name, asked.get(name, otherwise), meaning, "step 1", send=name in asked)


def _code(flow: Flow) -> Field:
    source, since = "no code yet", None
    if flow.callback is not None and flow.code:
        source, since = "pasted" if flow.callback.pasted else "callback", flow.callback.received_at
    return Field("code", flow.code, "One use, good for a few minutes", source, since=since)


def _token_source(tokens: Tokens | None) -> tuple[str, bool, datetime | None]:
    """A field's source, that it is sent, and since when it is known."""
    return ("token answer", True, tokens.issued_at) if tokens else ("no token yet", True, None)


def _json_object(exchange: Exchange) -> dict[str, Any]:
    if exchange.response is None:
        return {}
    try:
        body = json.loads(exchange.response.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return body["data"] if isinstance(body.get("data"), dict) else body


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> int | None:
    """A lifetime; some servers send the number as a text, or with a fraction."""
    try:
        return int(float(value)) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
