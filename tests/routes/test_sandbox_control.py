"""Tokens of the console at the control of its embedded sandbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from oauth.access import Person, Role, tokens
from oauth.access.audit import Audit, Selection
from oauth.history.store import History
from oauth.installation import now
from oauth.redaction import Vault
from oauth.routes.sandbox_control import ControlElsewhere, SandboxTokens
from oauth_sandbox.app import application
from oauth_sandbox.control.access import ControlAccess
from oauth_sandbox.provider import Sandbox
from tests.routes.conftest import serving

ADA = Person("7@login.example", "Ada", Role.ADMIN)
CONTROL = "the-token-of-the-console"


@pytest.fixture
def audit(history: History) -> Audit:
    return Audit(history, Vault(b"key"), is_on=True)


@pytest.fixture
def http(audit: Audit) -> Iterator[httpx.Client]:
    sandbox = application(Sandbox(lambda: datetime.now(UTC)), ControlAccess(CONTROL, open=False))
    app = Starlette(routes=[Mount("/sandbox", SandboxTokens(sandbox, lambda: audit, CONTROL))])
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_token_with_the_scope_moves_the_clock_and_is_in_the_audit(http: httpx.Client, audit: Audit) -> None:
    token = tokens.create(audit, ADA, "nightly", ["sandbox"], 1)
    assert http.get("/sandbox/control/clock", headers=bearer(token)).status_code == 200
    moved = http.put("/sandbox/control/clock", headers=bearer(token), json={"now": "2027-01-01T00:00:00Z"})
    assert moved.status_code == 200, moved.text
    rows = audit.page(Selection(event="sandbox"), None, 9)
    assert [(row.name, row.person, row.object) for row in rows] == [
        ("nightly (token)", ADA.id, "PUT /sandbox/control/clock")
    ]


@pytest.mark.parametrize(
    ("scopes", "change", "status"),
    [(["diagnose"], str, 403), (["sandbox"], lambda token: token + "x", 401), (["sandbox"], lambda _: "oc_", 401)],
)
def test_other_tokens_are_refused(
    http: httpx.Client, audit: Audit, scopes: list[str], change: Callable[[str], str], status: int
) -> None:
    token = change(tokens.create(audit, ADA, "nightly", scopes, 1))
    answer = http.post("/sandbox/control/reset", headers=bearer(token), json={})
    assert answer.status_code == status
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_what_is_no_token_of_the_console_is_for_the_sandbox_itself(http: httpx.Client) -> None:
    assert http.get("/sandbox/control/clock", headers=bearer(CONTROL)).status_code == 200
    assert http.get("/sandbox/control/clock").status_code == 401
    assert http.get("/sandbox/control/clock", headers=bearer("another")).status_code == 401
    user = http.get("/sandbox/api/partner/users/me", headers=bearer("oc_anything"))
    assert user.status_code == 401
    assert "invalid_token" in user.text


@pytest.fixture
def elsewhere(audit: Audit) -> Iterator[tuple[httpx.Client, Sandbox]]:
    """A console whose sandbox is a server elsewhere, below a path, and that sandbox."""
    shared = Sandbox(lambda: datetime.now(UTC))
    server = Starlette(routes=[Mount("/place", application(shared, ControlAccess(CONTROL, open=False)))])
    with serving(server) as place:
        control = SandboxTokens(ControlElsewhere(f"{place}/place", CONTROL, now), lambda: audit, CONTROL)
        with (
            serving(Starlette(routes=[Mount("/sandbox", control)])) as address,
            httpx.Client(base_url=address, trust_env=False) as client,
        ):
            yield client, shared


def test_control_of_a_shared_sandbox_is_passed_on_with_a_token_of_the_console(
    elsewhere: tuple[httpx.Client, Sandbox], audit: Audit
) -> None:
    http, shared = elsewhere
    token = bearer(tokens.create(audit, ADA, "nightly", ["sandbox"], 1))
    assert http.post("/sandbox/control/clock/move", headers=token, json={"seconds": 60}).status_code == 200
    assert shared.clock.offset.total_seconds() == 60
    shared.issue_code("demo-app", "http://localhost/callback", ("read",))
    shared.issue_code("website-app", "http://localhost/callback", ("read",))
    codes = http.get("/sandbox/control/codes", headers=token, params={"client_id": "demo-app", "limit": 5}).json()
    assert [code["serial"] for code in codes] == [1]
    refused = http.patch("/sandbox/control/clients/nobody", headers=token, json={"active": False})
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/json"
    assert [row.object for row in audit.page(Selection(event="sandbox"), None, 9)] == [
        "PATCH /sandbox/control/clients/nobody",
        "POST /sandbox/control/clock/move",
    ]


def test_nothing_else_reaches_a_shared_sandbox_through_the_console(
    elsewhere: tuple[httpx.Client, Sandbox], audit: Audit
) -> None:
    http, shared = elsewhere
    token = bearer(tokens.create(audit, ADA, "nightly", ["sandbox"], 1))
    for headers in ({}, bearer("another"), bearer(tokens.create(audit, ADA, "reader", ["diagnose"], 1))):
        assert http.get("/sandbox/control/clock", headers=headers).status_code in (401, 403)
    for path in ("/sandbox/oauth/authorize/", "/sandbox/control/%2e%2e/api/partner/users/me", "/sandbox/control"):
        assert http.get(path, headers=token).status_code == 404
    assert shared.log.entries() == ()


def test_a_console_that_is_named_as_its_own_sandbox_does_not_call_itself_for_ever(audit: Audit) -> None:
    token = tokens.create(audit, ADA, "nightly", ["sandbox"], 1)
    itself: list[ControlElsewhere] = []
    calls: list[str] = []

    async def console(scope: Scope, receive: Receive, send: Send) -> None:
        calls.append(scope["path"])
        await itself[0](scope, receive, send)

    app = Starlette(routes=[Mount("/sandbox", SandboxTokens(console, lambda: audit, CONTROL))])
    with serving(app) as address:
        itself.append(ControlElsewhere(f"{address}/sandbox", CONTROL, now))
        answer = httpx.get(f"{address}/sandbox/control/clock", headers=bearer(token), trust_env=False)
    assert answer.status_code == 508
    assert "CONSOLE_SANDBOX_URL" in answer.text
    assert len(calls) == 2


def test_a_shared_sandbox_that_is_away_is_said(audit: Audit) -> None:
    control = SandboxTokens(ControlElsewhere("http://127.0.0.1:1", CONTROL, now), lambda: audit, CONTROL)
    token = tokens.create(audit, ADA, "nightly", ["sandbox"], 1)
    with serving(Starlette(routes=[Mount("/sandbox", control)])) as address:
        answer = httpx.get(f"{address}/sandbox/control/clock", headers=bearer(token), trust_env=False)
    assert answer.status_code == 502
    assert "http://127.0.0.1:1 did not respond" in answer.text
    assert CONTROL not in answer.text
