"""Responses read into the next state of the flow."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from oauth.errors import InputError
from oauth.exchange import Exchange
from oauth.flow import device
from oauth.flow.model import Callback, Flow, Grant, IssuerCheck, Pushed, StateCheck, Tokens
from oauth.flow.response_body import members, received_at, seconds, succeeded, text
from oauth.jose import dpop
from oauth.moments import later

CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")
"""Fields of a pushed request that are not parameters of the authorization request (RFC 9126 §2.1)."""

LONGEST_OTHER = 2
"""Words of a pasted text that is no page: an address or a code may be wrapped."""

_ADDRESS_OR_QUERY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/|[?#]?[A-Za-z_.]+=")

REQUEST_URI_LIFETIME = 60
"""Default seconds before a request_uri expires, when the server sends no lifetime."""


def read_callback(flow: Flow, parameters: Sequence[tuple[str, str]], now: datetime, *, pasted: bool) -> Flow:
    """Return the flow after the callback, with its ``state`` and ``iss`` checked (RFC 6749 §10.12, RFC 9207)."""
    states = [value for name, value in parameters if name == "state"]
    if states:
        check = StateCheck.MATCHES if states == [flow.state] else StateCheck.DIFFERS
    else:
        check = StateCheck.NOT_POSSIBLE if [name for name, _ in parameters] == ["code"] else StateCheck.MISSING
    return replace(flow, callback=Callback(tuple(parameters), now, check, pasted, check_issuer(flow, parameters)))


def check_issuer(flow: Flow, parameters: Sequence[tuple[str, str]]) -> IssuerCheck:
    """Compare the issuer in the response with the profile's, character by character (RFC 9207 §2.4)."""
    issuers = [value for name, value in parameters if name == "iss"]
    if not issuers:
        return IssuerCheck.NOT_SENT
    if not flow.provider.issuer:
        return IssuerCheck.NOT_POSSIBLE
    return IssuerCheck.MATCHES if issuers == [flow.provider.issuer] else IssuerCheck.DIFFERS


def read_tokens(flow: Flow, exchange: Exchange, grant: Grant, requested_scope: str) -> Flow:
    """Return the flow after a token response; the tokens change only if the request succeeded (RFC 6749 §5.1)."""
    if grant is Grant.DEVICE_CODE and flow.device is not None:
        flow = replace(flow, device=device.after_poll(flow.device, exchange))
    body = members(exchange)
    access_token = body.get("access_token")
    if not succeeded(exchange) or not isinstance(access_token, str):
        return flow
    before = flow.tokens
    refresh_token = text(body.get("refresh_token"))
    tokens = Tokens(
        access_token=access_token,
        # RFC 6749 §6: without a new refresh token the old one stays valid.
        refresh_token=refresh_token or (before.refresh_token if before and grant is Grant.REFRESH_TOKEN else ""),
        # RFC 6749 §5.1: an omitted scope equals the requested one.
        scope=text(body.get("scope")) or requested_scope or (before.scope if before else ""),
        # RFC 6749 §6: a refresh without a scope asks for the one granted before.
        requested_scope=requested_scope or (before.scope if before and grant is Grant.REFRESH_TOKEN else ""),
        expires_in=seconds(body.get("expires_in")),
        token_type=text(body.get("token_type")),
        grant=grant,
        issued_at=received_at(exchange),
        id_token=text(body.get("id_token")),
    )
    if grant is Grant.CLIENT_CREDENTIALS:
        return replace(flow, application_tokens=tokens)
    replaced = None
    if grant is Grant.REFRESH_TOKEN and before is not None:
        replaced = bool(refresh_token) and refresh_token != before.refresh_token
    return replace(flow, tokens=tokens, refresh_replaced=replaced)


def read_pushed(flow: Flow, exchange: Exchange) -> Flow:
    """Return the flow after a pushed authorization request; unchanged if it was refused (RFC 9126 §2.2)."""
    body = members(exchange)
    reference = text(body.get("request_uri"))
    if not succeeded(exchange) or not reference:
        return flow
    lifetime = seconds(body.get("expires_in"))
    at = received_at(exchange)
    pushed = parse_qsl(exchange.request.body.decode(), keep_blank_values=True)
    return replace(
        flow,
        pushed=Pushed(
            reference,
            pushed_at=at,
            expires_at=later(at, REQUEST_URI_LIFETIME if lifetime is None else lifetime),
            parameters=tuple((name, value) for name, value in pushed if name not in CREDENTIALS),
        ),
    )


def read_device(flow: Flow, exchange: Exchange) -> Flow:
    """Return the flow after a device authorization request; unchanged if it was refused (RFC 8628 §3.2)."""
    authorization = device.read(exchange)
    return flow if authorization is None else replace(flow, device=authorization)


def read_nonce(flow: Flow, exchange: Exchange) -> Flow:
    """Return the flow with the DPoP nonce that any response may bring (RFC 9449 §8.2)."""
    return replace(flow, dpop_nonces=dpop.with_nonce(flow.dpop_nonces, exchange))


def read_keys(exchange: Exchange) -> tuple[Mapping[str, Any], ...] | None:
    """Return the keys of a JWK set, or ``None`` if the response is not one (RFC 7517 §5)."""
    keys = members(exchange).get("keys")
    if not succeeded(exchange) or not isinstance(keys, list):
        return None
    return tuple(key for key in keys if isinstance(key, dict))


def secrets_of(flow: Flow) -> Iterator[tuple[str, str]]:
    """Yield the kind and the value of each secret of a flow."""
    yield "state", flow.state
    yield "client_secret", flow.client.secret
    yield flow.provider.api_key_kind, flow.client.api_key
    yield "code_verifier", flow.verifier
    yield "nonce", flow.nonce
    yield "code", flow.callback.get("code") if flow.callback else ""
    for tokens in (flow.tokens, flow.application_tokens):
        if tokens is not None:
            yield "access_token", tokens.access_token
            yield "refresh_token", tokens.refresh_token
            yield "id_token", tokens.id_token
    if flow.pushed is not None:
        yield "request_uri", flow.pushed.request_uri
    if flow.device is not None:
        yield "device_code", flow.device.device_code
        yield "user_code", flow.device.user_code
    for _, nonce in flow.dpop_nonces:
        yield "dpop_nonce", nonce


def is_page(pasted: str) -> bool:
    """Return True for the text of a page, in place of a callback's address, its query or a code."""
    text = pasted.strip()
    if text.startswith(("<", "{", "[", "HTTP/")):
        return True
    words = text.split(maxsplit=LONGEST_OTHER)
    return len(words) > LONGEST_OTHER and not _ADDRESS_OR_QUERY.match(text)


def parse_pasted(pasted: str) -> list[tuple[str, str]]:
    """Return the parameters of a pasted callback address, query string or bare code.

    Any address will do, not only the console's own. Raises ``InputError`` without a code or an error.
    """
    pasted = pasted.strip()
    if not pasted:
        raise InputError(
            "Nothing was pasted. Paste the whole address from the browser's address bar, or only the code."
        )
    try:
        parts = urlsplit(pasted)
    except ValueError as error:
        raise InputError(
            f"This is not a valid address: {error}. Paste it once more from the browser's address bar, or only the "
            "part after the question mark."
        ) from error
    if parts.scheme and (parts.netloc or parts.path.startswith("/")):
        parameters = parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(parts.fragment, keep_blank_values=True)
    elif "=" in pasted:
        parameters = parse_qsl(pasted.lstrip("?#"), keep_blank_values=True)
    elif any(character.isspace() for character in pasted):
        raise InputError("This is neither an address nor a code: it contains whitespace. Paste only one of them.")
    else:
        return [("code", pasted)]
    names = {name for name, _ in parameters}
    if not names & {"code", "error"}:
        raise InputError(
            "This address has neither a code nor an error. Paste the address that the browser landed on after the "
            "approval, including everything after the question mark."
        )
    repeated = sorted(name for name, count in Counter(name for name, _ in parameters).items() if count > 1)
    if repeated:
        raise InputError(
            f"The parameter {repeated[0]!r} occurs more than once (RFC 6749 §3.1). Keep the right one and paste again."
        )
    return parameters
