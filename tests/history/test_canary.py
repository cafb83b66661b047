"""No secret at rest: planted ones are searched for in everything that the database and the log hold."""

import base64
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest

from oauth.access import LOCAL
from oauth.access.audit import Audit, Event
from oauth.exchange import Exchange, Failure, Request, Response, Step
from oauth.history import typed_text
from oauth.history.deletion import delete_shown, last_id
from oauth.history.filters import Filters
from oauth.history.saved_views import Views
from oauth.history.store import History, HistoryError
from oauth.recorder import Recorder
from oauth.redaction import Vault

PLANTED = {
    "client_secret": "canary-client-secret-7Qm4",
    "code": "canary0code0000000000000000000000000000a",
    "code_verifier": "canary-verifier-/+ü9-zX-and-43-characters-of-it",
    "access_token": "canary-access-token-5tR-eyJhbGciOiJub25lIn0",
    "refresh_token": "canary-refresh-token-Kp02",
    "state": "canary-state-8c7dd922ad47494f",
    "password": "canary-password-b81",
}


def disguises(secret: str) -> set[bytes]:
    """The secret as it stands, as an encoding would carry it, and as an index of words would."""
    raw = secret.encode()
    return {
        raw,
        raw.lower(),
        quote(secret, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        secret.encode("unicode_escape"),
        raw.hex().encode(),
    }


def found(content: bytes) -> list[str]:
    return [name for name, secret in PLANTED.items() for shape in disguises(secret) if shape in content]


def sent(step: Step, exchange: Callable[..., Exchange]) -> Exchange:
    """An exchange with a secret in every place that can have one."""
    basic = base64.b64encode(f"demo-app:{PLANTED['client_secret']}".encode()).decode()
    query = f"state={quote(PLANTED['state'], safe='')}&code={PLANTED['code']}"
    fields = {name: value for name, value in PLANTED.items() if name != "state"}
    headers = (
        ("Authorization", f"Basic {basic}"),
        ("Cookie", f"session={PLANTED['access_token']}"),
        ("Referer", f"https://app.example/callback?{query}"),
        ("Content-Type", "application/json"),
    )
    url = f"https://user:{PLANTED['password']}@provider.example/token?{query}"
    return exchange(step, request=Request("POST", url, headers, json.dumps(fields).encode()), flow="f", case="T-1")


def answered(begun: Exchange) -> Exchange:
    told = json.dumps({name: PLANTED[name] for name in ("access_token", "refresh_token")})
    echo = json.dumps({"error": "invalid_grant", "error_description": f"{PLANTED['code']} with {PLANTED['password']}"})
    location = ("Location", f"https://app.example/callback?code={PLANTED['code']}")
    if begun.step is Step.API:
        return replace(begun, failure=Failure("reset", f"after {PLANTED['access_token']}"), duration_ms=1)
    return replace(begun, response=Response(400, "Bad", (location,), f"[{told}, {echo}]".encode()), duration_ms=1)


def test_no_secret_is_in_the_database_its_index_its_dump_or_the_log(
    history: History,
    exchange: Callable[..., Exchange],
    stored: Callable[[], bytes],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    vault = Vault(b"k" * 32)
    for kind, value in PLANTED.items():
        vault.add(kind, value)
    recorder = Recorder(history, vault)
    for step in (Step.AUTHORIZE, Step.TOKEN, Step.API, Step.REFRESH):
        begun = recorder.begin(sent(step, exchange))
        recorder.complete(begun, answered(begun.live))
        recorder.begin(sent(step, exchange))
        assert recorder.problem == ""
    # Typed in a session that knows nothing of them: in a case, a note, a view with its name, and so in the audit.
    audit = Audit(history, Vault(b"k" * 32), is_on=True)
    for secret in PLANTED.values():
        if len(secret) >= 40:
            text = typed_text.redacted(f"ask about {secret}.", history, Vault(b"k" * 32))
            history.set_note(1, text)
            history.set_case("f", text)
            audit.record(LOCAL, Event.EXPORT, f'"{secret}" case:{secret}', detail=secret)
            Views(history, "ada").save(
                text[:60],
                Filters.parse(f'"{secret}" case:{secret}').redacted(
                    lambda value: typed_text.redacted(value, history, Vault(b"k" * 32))
                ),
            )
            history.set_case("f", "T-1")
            history.set_note(1, "")
            assert found(stored()) == []
    fingerprint = vault.placeholder("access_token", PLANTED["access_token"]).split("#")[1].split(" ")[0]
    assert history.count(Filters(text=fingerprint)) == 8, "what stands in a secret's place can be searched"
    for secret in PLANTED.values():
        assert history.count(Filters.parse(f'"{secret}"')) == 0
    content = stored()
    assert b"provider.example" in content
    assert fingerprint.encode() in content
    assert found(content) == []
    list(delete_shown(history, Filters(text=fingerprint), last_id(history)))
    assert found(stored()) == []

    def broken(*_: object) -> object:
        raise OSError("no room")

    # What could not be kept is in no message either.
    history.database.engine.dispose()
    monkeypatch.setattr(history.database.engine, "raw_connection", broken)
    recorder.begin(sent(Step.TOKEN, exchange))
    assert "no room" in recorder.problem
    assert found((recorder.problem + caplog.text).encode()) == []
    with pytest.raises(HistoryError) as told:
        history.begin(vault.redact(sent(Step.TOKEN, exchange)))
    assert found(str(told.value).encode()) == []
