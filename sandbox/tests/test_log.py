"""The request log: what it says, that it is bounded, and that it has no secret."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from oauth_sandbox.control_client import Control
from oauth_sandbox.log import LONGEST, Entry, Outcome
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.response import json_text

Send = Callable[..., httpx.Response]


def test_entry_fields(control: Control, ask: Send, call: Send) -> None:
    answer = ask(grant_type="client_credentials", scope="read write")
    call("cities", answer.json()["access_token"])
    called, asked = control.requests()
    assert asked == {
        "number": asked["number"],
        "request_id": answer.headers["x-request-id"],
        "at": "2026-11-23T10:00:00+00:00",
        "method": "POST",
        "path": "/api/open/oauth/token",
        "endpoint": "token",
        "client_id": "demo-app",
        "grant_type": "client_credentials",
        "parameters": ["client_id", "client_secret", "grant_type", "scope"],
        "status": 200,
        "error": None,
        "fault": None,
        "findings": [],
        "duration_ms": asked["duration_ms"],
    }
    assert 0 < asked["duration_ms"] < 5000
    assert (called["client_id"], called["status"], called["error"]) == ("demo-app", 401, "insufficient_scope")
    assert control.requests(after=asked["number"]) == [called]
    assert control.requests(limit=1) == [called]


def test_unknown_path_is_logged_in_known_words(control: Control, http: httpx.Client) -> None:
    http.get("/api/open/oauth/token/c4n4ry")
    http.request("TRACE", "/oauth/token")
    first, second = control.requests()
    assert (second["path"], second["endpoint"], second["status"]) == ("/api/open/oauth/token/…", None, 404)
    assert (first["path"], first["method"]) == ("/oauth/token", "other")


def test_the_control_and_the_health_are_not_logged(control: Control, http: httpx.Client) -> None:
    http.get("/health")
    control.faults()
    assert control.requests() == []


def test_log_is_bounded(sandbox: Sandbox) -> None:
    for _ in range(LONGEST + 5):
        sandbox.log.add_unknown("GET", "/x", Outcome("id", sandbox.clock.now(), 404))
    assert len(sandbox.log.entries(limit=10_000)) == LONGEST


def test_log_has_no_secrets(
    control: Control,
    sandbox: Sandbox,
    http: httpx.Client,
    ask: Send,
    call: Send,
    tokens: Callable[..., Any],
) -> None:
    lines: list[str] = []

    def listen(entry: Entry) -> None:
        lines.append(json_text(entry))

    sandbox.log.listener = listen
    canary = "c4n4ry-S3CRET"
    given = tokens()
    everywhere = dict.fromkeys(("client_id", "client_secret", "grant_type", "code", "state", "scope", canary), canary)
    ask(**everywhere)
    ask(grant_type="refresh_token", refresh_token=given["refresh_token"])
    http.get(f"/oauth/authorize/{canary}", params=everywhere)
    http.get("/oauth/authorize/", params=everywhere)
    http.post("/oauth/authorize/", params=everywhere, data=everywhere)
    http.post("/api/open/oauth/token", params=everywhere, auth=(canary, canary))
    http.request(canary.replace("-", ""), f"/{canary}")
    call("users/me", canary)
    control.fault("echo-secret")
    ask(client_secret=canary)
    sandbox.log.listener = None
    assert len(lines) >= 10
    text = "\n".join(lines) + json.dumps(control.requests()) + json.dumps(control.findings())
    for secret in (canary, canary.replace("-", ""), "demo-secret", given["access_token"], given["refresh_token"]):
        assert secret not in text


def test_a_failure_of_the_sandbox_is_logged_without_a_status(
    control: Control, sandbox: Sandbox, http: httpx.Client, monkeypatch: Any
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(sandbox, "live", fail)
    assert http.get("/api/partner/cities", headers={"Authorization": "Bearer x"}).status_code == 500
    assert control.requests()[0]["status"] is None
