"""Measure the cost of a connection for each request: ``python -m tests.benchmarks.connections``.

A token request goes over TLS on loopback. The ways of sending it take turns in rounds; the round with the least CPU
time of this process counts.
"""

import time
from collections.abc import Callable

import httpx

from oauth import wire
from oauth.connection_settings import tls_context
from tests.exchanges import token_exchange
from tests.failures import ANY_FILE, server_context, trusting
from tests.hostile import servers as hostile

ROUNDS = 5
REQUESTS = 30


def main() -> None:
    """Print the CPU milliseconds of a request by each way, and the ratio to the first."""
    connection = trusting()
    with hostile.serving_tls(server_context(), hostile.answering(hostile.OK)) as server:
        request = token_exchange(server.url).request

        def console() -> None:
            response, failure = wire.exchange(request, connection, ANY_FILE)
            assert response is not None, failure

        def shared() -> None:
            with httpx.Client(verify=tls_context(connection, ANY_FILE.certificates), trust_env=False) as client:
                client.post(server.url, content=request.body)

        def own() -> None:
            context = httpx.create_ssl_context()
            context.load_verify_locations(connection.ca_bundle)
            with httpx.Client(verify=context, trust_env=False) as client:
                client.post(server.url, content=request.body)

        ways = {
            "the console": console,
            "httpx, a client for each request, one TLS context": shared,
            "httpx, a client and a TLS context for each request": own,
        }
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(ROUNDS):
            for name, send in ways.items():
                best[name] = min(best[name], _milliseconds(send))
    for name, spent in best.items():
        print(f"{name}: {spent:.2f} ms, {spent / best['the console']:.2f} times")


def _milliseconds(send: Callable[[], None]) -> float:
    started = time.process_time()
    for _ in range(REQUESTS):
        send()
    return (time.process_time() - started) / REQUESTS * 1000


if __name__ == "__main__":
    main()
