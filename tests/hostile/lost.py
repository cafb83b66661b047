"""Answers that are lost, of random ones: ``python -m tests.hostile.lost [--first N] [--count N]`` looks for them."""

import argparse
import socket
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from oauth import flow as flows
from oauth import formatting
from oauth.catalogue import answers as catalogue
from oauth.catalogue.explain import explain, remarks
from oauth.client import send
from oauth.diagnosis import diagnose
from oauth.exchange import Exchange, Step
from oauth.flow import Client, Flow, Grant
from oauth.history.filters import Filters
from oauth.history.past import HistoryPast
from oauth.history.store import History, Row
from oauth.providers import Provider, discovery, metadata, protected_resource
from oauth.providers.well_known import DiscoveryError
from oauth.recorder import Record, Recorder
from oauth.redaction import Vault
from oauth.ticket import flow_summary
from tests.exchanges import NOW, token_exchange
from tests.hostile.answers import answer
from tests.hostile.servers import serving

FLOW = Flow(
    Provider(id="own", name="Own", issuer="https://as.example", token_endpoint="https://as.example/token"),
    Client("app", "a-secret-of-the-app"),
    "https://shop.example/cb",
    "s" * 43,
    NOW,
)
KEY = b"key of the tests' fingerprints.."
STEPS = tuple(step for step in Step if step not in (Step.AUTHORIZE, Step.CALLBACK))
DIAGNOSED = 5
"""One in so many answers is diagnosed: that asks the history."""


def lost(numbers: Iterable[int], history: History) -> Iterator[tuple[int, str]]:
    """Receive the answers with these numbers. Yield each that is not recorded whole or raises, and what went wrong."""
    current = 0

    def reply(connection: socket.socket) -> None:
        connection.sendall(answer(current))

    records: list[tuple[int, Record]] = []
    with serving(reply) as server:
        for current in numbers:
            step = STEPS[current % len(STEPS)]
            sent = replace(token_exchange(server.url), step=step, started_at=datetime.now(UTC))
            try:
                record = send(sent, Recorder(history, Vault(KEY)), on_response=read_everything)
            except Exception as error:  # noqa: BLE001 (it is reported)
                yield current, repr(error)
            else:
                records.append((current, record))
    rows = {row.exchange.id: row for row in history.rows(Filters())}
    for number, record in records:
        try:
            check(number, record, rows[record.live.id], history)
        except Exception as error:  # noqa: BLE001
            yield number, repr(error)


def check(number: int, record: Record, row: Row, history: History) -> None:
    """Check that the row has an end and equals the record, and that it can be explained and shown."""
    exchange = row.exchange
    assert exchange == record.redacted
    assert exchange.response or exchange.failure
    assert exchange.duration_ms is not None
    if exchange.failure is not None:
        assert exchange.failure.kind in catalogue()
        assert exchange.failure.kind != "console_error", exchange.failure.detail
    explanation = explain(exchange)
    assert explanation == record.explanation
    remarks(exchange)
    flow_summary([row])
    if explanation is not None and number % DIAGNOSED == 0:
        diagnose(record.live, explanation, past=HistoryPast(history), flow=FLOW, vault=Vault(KEY))


def read_everything(exchange: Exchange) -> None:
    """Read an answer by every reader of the flow, as the walkthrough does for some step."""
    flow = flows.read_nonce(FLOW, exchange)
    for grant in Grant:
        flow = flows.read_tokens(flow, exchange, grant, "read")
        if flow.tokens is not None:
            assert flow.tokens.expires_at is None or flow.tokens.expires_at.astimezone(UTC)
    flow = flows.read_device(flows.read_pushed(flow, exchange), exchange)
    if flow.device is not None:
        flow.device.may_poll(NOW)
        flow = flows.read_tokens(flow, exchange, Grant.DEVICE_CODE, "")
    flows.read_keys(exchange)
    list(flows.secrets_of(flow))
    assert exchange.retry_at is None or exchange.retry_at.astimezone().isoformat()
    if exchange.response is not None:
        formatting.raw_response(exchange.response)
        formatting.pretty_body(exchange.response.body, exchange.response.headers)
        with suppress(DiscoveryError):  # refused with a sentence
            metadata.read(discovery.candidates("https://as.example")[0], exchange.response)
        protected_resource.challenge(exchange.response)
        with suppress(DiscoveryError):
            protected_resource.read("https://as.example/.well-known/x", "https://as.example", exchange.response)


def main() -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser("python -m tests.hostile.lost", description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=20_000)
    options = parser.parse_args()
    found = 0
    for first in range(options.first, options.first + options.count, 1000):
        with tempfile.TemporaryDirectory() as folder:
            history = History(f"sqlite:///{Path(folder) / 'history.db'}", lambda: datetime.now(UTC))
            for number, problem in lost(range(first, first + 1000), history):
                found += 1
                print(f"LOST {number}: {problem}", flush=True)
            history.database.engine.dispose()
        print(f"{first + 1000 - options.first:,} answers, {found} lost", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
