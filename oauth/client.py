"""Send one request, time it, and name every way it can fail. Nothing is retried: a code must not be sent twice."""

import codecs
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from oauth import wire
from oauth.connection_settings import ConnectionSettingError, ConnectionSettings, proxy_of
from oauth.egress import Policy
from oauth.exchange import Exchange, Failure, Response, charset_of, header, text_encoding, unexpected
from oauth.history.store import STOPPED
from oauth.page_turns import PAGES
from oauth.recorder import Record, Recorder
from oauth.redaction import Vault
from oauth.shutdown import SHUTDOWN

DEFAULT_CONNECTION = ConnectionSettings()


def send(
    exchange: Exchange,
    recorder: Recorder,
    *,
    connection: ConnectionSettings = DEFAULT_CONNECTION,
    on_response: Callable[[Exchange], object] = lambda _: None,
) -> Record:
    """Send the exchange's request once over ``connection``, and record it with its response, its failure, or both.

    ``on_response`` is called with the live exchange before it is redacted, so that secrets which only the caller
    recognises in it are in the recorder's vault by then.
    """
    # A page does not keep its turn while it waits for the network.
    with PAGES.paused(), SHUTDOWN.send() as may_send:
        return _send(exchange, recorder, connection, on_response, may_send=may_send)


def _send(
    exchange: Exchange,
    recorder: Recorder,
    connection: ConnectionSettings,
    on_response: Callable[[Exchange], object],
    *,
    may_send: bool,
) -> Record:
    _hide_password(connection, recorder.vault)
    refusal = _refusal(exchange, connection, recorder.policy) if may_send else Failure("stopping")
    begun = recorder.begin(replace(exchange, marks=(*exchange.marks, *_marks(exchange, connection, refusal))))
    completed = begun.live
    try:
        completed = _complete(begun.live, connection, recorder.policy, refusal)
        completed = _with_charset_mark(completed)
        on_response(completed)
    except BaseException as error:  # such as the end of the process, or of the page's run
        if isinstance(error, Exception):
            completed = replace(completed, failure=completed.failure or unexpected(error))
        elif completed is begun.live:
            completed = replace(completed, failure=Failure(STOPPED))
        raise
    finally:  # the row gets an end and what came, whatever was raised
        record = recorder.complete(begun, completed)
    return record


def send_unrecorded(exchange: Exchange, connection: ConnectionSettings = DEFAULT_CONNECTION) -> Exchange:
    """Send a request that belongs to no flow, without a trace in the history."""
    with PAGES.paused():
        return _with_charset_mark(_complete(exchange, connection, Policy(), None))


def _complete(exchange: Exchange, connection: ConnectionSettings, policy: Policy, refusal: Failure | None) -> Exchange:
    started = perf_counter()
    response, failure = (None, refusal) if refusal else wire.exchange(exchange.request, connection, policy)
    elapsed = round((perf_counter() - started) * 1000)
    return replace(exchange, response=response, failure=failure, duration_ms=elapsed)


def _with_charset_mark(exchange: Exchange) -> Exchange:
    if exchange.response is None or _is_in_its_charset(exchange.response):
        return exchange
    return replace(exchange, marks=(*exchange.marks, "bad_charset"))


def _hide_password(connection: ConnectionSettings, vault: Vault) -> None:
    """Add the proxy's credentials to the vault: a proxy may repeat them in its error page."""
    try:
        proxy = proxy_of(connection)
    except ConnectionSettingError:
        return  # nothing is sent, and the failure says why
    if proxy is not None and proxy.authorization:
        vault.add("password", proxy.password)
        vault.add("proxy_authorization", proxy.authorization.removeprefix("Basic "))


def _refusal(exchange: Exchange, connection: ConnectionSettings, policy: Policy) -> Failure | None:
    if connection.verify or policy.insecure_tls or not _is_encrypted(exchange):
        return None
    return Failure("verification_required", "verify is off in the profile, and CONSOLE_ALLOW_INSECURE_TLS is not set")


def _marks(exchange: Exchange, connection: ConnectionSettings, refusal: Failure | None) -> list[str]:
    if refusal is not None:
        return []
    unverified = _is_encrypted(exchange) and not connection.verify
    return [*(["proxy"] if connection.proxy else []), *(["tls_unverified"] if unverified else [])]


def _is_encrypted(exchange: Exchange) -> bool:
    return exchange.request.url[:6].lower() == "https:"


def _is_in_its_charset(response: Response) -> bool:
    """Check that the body decodes by the charset of its ``Content-Type``; JSON without one is UTF-8 (RFC 8259 §8.1)."""
    charset = charset_of(response.headers)
    if not charset and "json" not in (header(response.headers, "content-type") or "").lower():
        return True
    encoding = text_encoding(charset or "utf-8")
    if encoding is None:
        return False
    try:
        # A truncated body may end inside a character.
        codecs.getincrementaldecoder(encoding)().decode(response.body, not response.cut)
    except ValueError:
        return False
    return True
