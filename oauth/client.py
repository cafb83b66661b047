"""Sends one request, times it, and names every way it can fail. Nothing is retried: a code must not be sent twice.

The exchange is recorded before it is sent and completed after, redacted. A history that cannot keep it never stops the
exchange: ``Recorder.problem`` then says what was not kept.
"""

import socket
import ssl
from dataclasses import dataclass, replace
from time import perf_counter

import httpx

from oauth.catalogue.explain import explain
from oauth.connection import Connection
from oauth.exchange import Exchange, Failure, Request, Response
from oauth.history.store import History, HistoryError
from oauth.redaction import Vault

DEFAULT = Connection()

BODY_LIMIT = 1024 * 1024
"""Bytes of a response body that are kept."""


@dataclass
class Recorder:
    """Keeps exchanges in the history, redacted with the secrets of one session."""

    history: History
    vault: Vault
    problem: str = ""

    def begin(self, exchange: Exchange) -> Exchange:
        """Write the row before anything is sent; the exchange comes back with its row number, if it could be kept."""
        try:
            exchange = replace(exchange, id=self.history.begin(self.vault.redact(exchange)))
        except HistoryError as error:
            self.problem = str(error)
        else:
            self.problem = ""
        return exchange

    def complete(self, exchange: Exchange) -> None:
        """Write what came back into the row that ``begin`` made."""
        if exchange.id is None:
            return
        redacted = self.vault.redact(exchange)
        found = explain(redacted)
        try:
            self.history.complete(
                exchange.id,
                redacted,
                documented_error=found.number if found else None,
                error=found.error if found else "",
                error_description=found.error_description if found else "",
            )
        except HistoryError as error:
            self.problem = str(error)


def send(exchange: Exchange, recorder: Recorder, *, connection: Connection = DEFAULT) -> Exchange:
    """Send the exchange's request once over ``connection``, and return it completed with a response or a failure."""
    exchange = recorder.begin(exchange)
    started = perf_counter()
    try:
        response, failure = _receive(exchange.request, started, connection), None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        response, failure = None, _failure(error)
    elapsed = round((perf_counter() - started) * 1000)
    exchange = replace(exchange, response=response, failure=failure, duration_ms=elapsed)
    recorder.complete(exchange)
    return exchange


def _receive(request: Request, started: float, connection: Connection) -> Response:
    timeouts = httpx.Timeout(connection.read_timeout, connect=connection.connect_timeout)
    # Built by hand and not by the client, which would add headers of its own: what is shown is what is sent.
    message = httpx.Request(
        request.method,
        request.url,
        headers=[(name.encode(), value.encode()) for name, value in request.headers],
        content=request.body or None,
        extensions={"timeout": timeouts.as_dict()},
    )
    # trust_env is off for the same reason: no proxy and no credentials of the environment step in.
    with httpx.Client(trust_env=False, follow_redirects=False) as client:
        response = client.send(message, stream=True)
        try:
            body, cut = _read(response, started, connection.total_timeout)
        finally:
            response.close()
        return Response(
            status=response.status_code,
            reason=response.reason_phrase,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw),
            body=body,
            cut=cut,
            http_version=response.http_version,
        )


def _read(response: httpx.Response, started: float, limit: float) -> tuple[bytes, bool]:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > BODY_LIMIT:
            return bytes(body[:BODY_LIMIT]), True
        if perf_counter() - started > limit:
            raise httpx.ReadTimeout("the answer was still coming in")
    return bytes(body), False


def _failure(error: Exception) -> Failure:
    """The failure's kind, from the error and what it was raised from."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    kinds: tuple[tuple[str, type[BaseException] | tuple[type[BaseException], ...]], ...] = (
        ("timeout", (httpx.TimeoutException, TimeoutError)),
        ("unknown_host", socket.gaierror),
        ("tls", ssl.SSLError),
        ("refused", ConnectionRefusedError),
        ("reset", (ConnectionResetError, BrokenPipeError)),
        ("invalid_url", (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError)),
        ("reset", httpx.ReadError),
        ("malformed", (httpx.RemoteProtocolError, httpx.DecodingError)),
    )
    kind = next((kind for kind, types in kinds if any(isinstance(link, types) for link in chain)), "unreachable")
    if kind == "malformed" and "without sending" in str(error):
        kind = "reset"
    return Failure(kind, str(error) or type(error).__name__)
