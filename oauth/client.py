"""Sends one request, times it, and names every way it can fail. Nothing is retried: a code must not be sent twice.

The exchange is recorded before it is sent and completed after, redacted. A history that cannot keep it never stops the
exchange: ``Recorder.problem`` then says what was not kept.
"""

import codecs
import re
from dataclasses import replace
from time import perf_counter

from oauth import wire
from oauth.connection_settings import ConnectionSettingError, ConnectionSettings, proxy_of
from oauth.egress import Policy
from oauth.exchange import Exchange, Failure, Response, header
from oauth.recorder import Recorder
from oauth.redaction import Vault

DEFAULT = ConnectionSettings()

_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]+)""", re.IGNORECASE)


def send(exchange: Exchange, recorder: Recorder, *, connection: ConnectionSettings = DEFAULT) -> Exchange:
    """Send the exchange's request once over ``connection``, and return it completed with what came back.

    That is a response, a failure, or both where a response did not come whole.
    """
    _hide_password(connection, recorder.vault)
    refusal = _refusal(exchange, connection, recorder.policy)
    exchange = recorder.begin(replace(exchange, marks=(*exchange.marks, *_marks(exchange, connection, refusal))))
    started = perf_counter()
    if refusal is None:
        response, failure = wire.exchange(exchange.request, connection, recorder.policy.allowlist)
    else:
        response, failure = None, refusal
    elapsed = round((perf_counter() - started) * 1000)
    if response is not None and not _in_its_charset(response):
        exchange = replace(exchange, marks=(*exchange.marks, "bad_charset"))
    exchange = replace(exchange, response=response, failure=failure, duration_ms=elapsed)
    recorder.complete(exchange)
    return exchange


def _hide_password(connection: ConnectionSettings, vault: Vault) -> None:
    """Know the proxy's credentials, so that a proxy which repeats them in its error page gives nothing away."""
    try:
        proxy = proxy_of(connection)
    except ConnectionSettingError:
        return  # nothing is sent, and the failure says why
    if proxy is not None and proxy.authorization:
        vault.add("password", proxy.password)
        vault.add("proxy_authorization", proxy.authorization.removeprefix("Basic "))


def _refusal(exchange: Exchange, connection: ConnectionSettings, policy: Policy) -> Failure | None:
    if connection.verify or policy.insecure_tls or not _encrypted(exchange):
        return None
    return Failure("verification_required", "verify is off in the profile, and CONSOLE_ALLOW_INSECURE_TLS is not set")


def _marks(exchange: Exchange, connection: ConnectionSettings, refusal: Failure | None) -> list[str]:
    if refusal is not None:
        return []
    unverified = _encrypted(exchange) and not connection.verify
    return [*(["proxy"] if connection.proxy else []), *(["tls_unverified"] if unverified else [])]


def _encrypted(exchange: Exchange) -> bool:
    return exchange.request.url[:6].lower() == "https:"


def _in_its_charset(response: Response) -> bool:
    """Whether a body reads in the charset of its ``Content-Type``; JSON without one is UTF-8 (RFC 8259 §8.1)."""
    content_type = header(response.headers, "content-type") or ""
    declared = _CHARSET.search(content_type)
    if declared is None and "json" not in content_type.lower():
        return True
    try:
        # A body that was cut may end inside a character.
        codecs.getincrementaldecoder(declared[1] if declared else "utf-8")().decode(response.body, not response.cut)
    except (LookupError, ValueError):
        return False
    return True
