"""Tokens of the console at the control of its embedded sandbox."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from oauth.access import Person, Role, tokens
from oauth.access.audit import Audit, Selection
from oauth.history.store import History
from oauth.redaction import Vault
from oauth.routes.sandbox_control import SandboxTokens
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
