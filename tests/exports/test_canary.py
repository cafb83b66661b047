"""No secret leaves in a file or in a copied text: planted ones are searched for in all of them."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from oauth import formatting, ticket
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.exports import formats
from oauth.exports.query import source
from oauth.exports.record import record
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.imports import import_file
from oauth.recorder import Recorder
from oauth.redaction import Vault

PLANTED = {
    "client_secret": "canary-client-secret-7Qm4",
    "code": "canary-code-/+ü9-zX-0123456789",
    "access_token": "canary-access-token-0123456789abcdef",
    "password": "canary-password-b81",
}


def disguises(secret: str) -> set[str]:
    """The secret as it stands, and as an encoding would carry it."""
    raw = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        base64.b64encode(raw).rstrip(b"=").decode(),
        json.dumps(secret)[1:-1],
        raw.hex(),
    }


def found(text: str) -> list[str]:
    return [name for name, secret in PLANTED.items() if any(shape in text for shape in disguises(secret))]


def exchanges(exchange: Callable[..., Exchange]) -> list[Exchange]:
    """Secrets in every place of an exchange, also where a provider repeats them in its words."""
    basic = base64.b64encode(f"demo-app:{PLANTED['client_secret']}".encode()).decode()
    said = f"Code {PLANTED['code']} of {PLANTED['client_secret']} is wrong, see {quote(PLANTED['code'], safe='')}"
    headers = (
        ("Host", "p.example"),
        ("Authorization", f"Basic {basic}"),
        ("Cookie", f"session={PLANTED['access_token']}"),
        ("Content-Type", "application/json"),
    )
    body = json.dumps(PLANTED, ensure_ascii=False).encode()
    refused = json.dumps({"error": "invalid_grant", "error_description": said}).encode()
    given = json.dumps({"access_token": PLANTED["access_token"], "data": [PLANTED["code"]]}).encode()
    address = f"https://p.example/?code={quote(PLANTED['code'])}&state=canary&client_secret={PLANTED['client_secret']}"
    sent = exchange(request=Request("POST", "https://p.example/token", headers, body), flow="f1", case="T-1")
    return [
        replace(sent, response=Response(400, said, (("Set-Cookie", f"a={PLANTED['access_token']}"),), refused)),
        replace(sent, response=Response(200, "OK", (("Location", address),), given)),
        replace(sent, failure=Failure("refused", said)),
        exchange(Step.CALLBACK, request=Request("GET", address, headers[:3]), flow="f1"),
    ]


def test_no_file_and_no_copied_text_has_a_secret(
    history: History, exchange: Callable[..., Exchange], database_url: str
) -> None:
    vault = Vault(b"key of the tests' fingerprints..")
    recorder = Recorder(history, vault)
    for name, value in PLANTED.items():
        vault.add(name, value)
    for live in exchanges(exchange):
        begun = recorder.begin(live)
        recorder.complete(begun, begun.live)
    assert recorder.problem == ""
    rows = history.flow("f1")
    assert len(rows) == 4
    texts = {
        "markdown": ticket.flow_summary(rows),
        "api": json.dumps([record(row) for row in rows], ensure_ascii=False),
    }
    for row in rows:
        for write in (formatting.curl, formatting.httpie, formatting.httpx_code, formatting.raw_request):
            texts[f"{write.__name__} {row.exchange.id}"] = write(row.exchange.request)
    history.database.engine.dispose()
    for format in formats.FORMATS:
        output = io.BytesIO()
        formats.write(source(history, Filters()), format, output, lambda rows, octets: None)
        texts[format] = output.getvalue().decode()
    assert {name: found(text) for name, text in texts.items() if found(text)} == {}
    for name in ("markdown", "api", "csv", "jsonl", "har"):
        assert "«code" in texts[name]


def test_no_secret_of_an_imported_har_is_kept_or_leaves_again(
    history: History, exchange: Callable[..., Exchange], database_url: str
) -> None:
    entries = [
        {
            "startedDateTime": "2026-11-20T08:00:00Z",
            "time": 84,
            "request": {
                "method": live.request.method,
                "url": live.request.url,
                "headers": [{"name": name, "value": value} for name, value in live.request.headers],
                "postData": {"mimeType": "application/json", "text": live.request.body.decode()},
            },
            "response": {
                "status": live.response.status,
                "statusText": live.response.reason,
                "headers": [{"name": name, "value": value} for name, value in live.response.headers],
                "content": {"text": live.response.body.decode()},
            },
        }
        for live in exchanges(exchange)
        if live.response is not None
    ]
    har = json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()
    report = import_file(
        io.BytesIO(har), history, lambda: Vault(b"key of the tests' fingerprints.."), exchange().started_at
    )
    assert (report.count, report.problems) == (2, ())
    history.database.engine.dispose()
    for format in formats.FORMATS:
        output = io.BytesIO()
        formats.write(source(history, Filters()), format, output, lambda rows, octets: None)
        assert found(output.getvalue().decode()) == []
