from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from oauth.access import tokens
from oauth.access.audit import Audit, Selection
from oauth.access.limits import Rate
from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.access.tokens import Scope, Token, TokenError
from oauth.history.store import History
from oauth.redaction import Vault

ADA = Person("7@login.example", "Ada", Role.ADMIN)


@pytest.fixture
def audit(history: History) -> Audit:
    return Audit(history, Vault(b"key"), is_on=True)


def made(audit: Audit, name: str = "nightly", *scopes: str, days: int = 30) -> str:
    return tokens.create(audit, ADA, name, scopes or ("diagnose",), days, "10.0.0.1")


def test_token_is_found_and_never_stored(
    audit: Audit, open_history: Callable[..., History], stored: Callable[[], bytes], clock: Callable[[], datetime]
) -> None:
    secret = made(audit, "  nightly   export ", "metrics", "history:read")
    assert secret.startswith("oc_")
    assert len(secret) == 46, "256 bits"
    found = tokens.find(open_history().database, secret)
    scopes = (Scope.HISTORY, Scope.METRICS)
    assert found == Token("nightly export", scopes, ADA.id, clock(), clock() + timedelta(days=30))
    assert found.person == Person(ADA.id, "nightly export (token)", Role.SUPPORT)
    assert secret.encode() not in stored()
    assert secret[3:].encode() not in stored()
    for wrong in (secret[:-1], secret + "x", secret.upper(), "", "nightly export"):
        assert tokens.find(audit.history.database, wrong) is None


def test_pasted_token_is_redacted(audit: Audit) -> None:
    for number in range(100):
        secret = made(audit, f"t{number}")
        assert (
            Vault(b"key").redact_text(f"see {secret}, which")
            == f"see {Vault(b'key').placeholder('token', secret)}, which"
        )


def test_expired_and_revoked_tokens_are_refused(audit: Audit, times: list[datetime]) -> None:
    database, start = audit.history.database, times[-1]
    expiring, revoked = made(audit, "a", days=1), made(audit, "b", days=365)
    times.append(start + timedelta(hours=23, minutes=59))
    assert tokens.find(database, expiring) is not None
    times.append(start + timedelta(days=1))
    assert tokens.find(database, expiring) is None
    assert tokens.find(database, revoked) is not None
    assert tokens.revoke(audit, ADA, "b")
    assert tokens.find(database, revoked) is None
    assert not tokens.revoke(audit, ADA, "b")
    assert [token.name for token in tokens.all_tokens(database)] == ["a"], "which its list still shows"


def test_last_use_is_noted_once_a_minute(audit: Audit, times: list[datetime]) -> None:
    database, start = audit.history.database, times[-1]
    secret = made(audit)

    def used_at(seconds: int) -> datetime | None:
        times.append(start + timedelta(seconds=seconds))
        assert tokens.find(database, secret) is not None
        return tokens.all_tokens(database)[0].used_at

    assert tokens.all_tokens(database)[0].used_at is None
    assert used_at(5) == start + timedelta(seconds=5)
    assert used_at(64) == start + timedelta(seconds=5)
    assert used_at(65) == start + timedelta(seconds=65)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "sentence"),
    [
        ("", ["diagnose"], 1, "must have 1 to 60 printable characters"),
        ("x" * 61, ["diagnose"], 1, "must have 1 to 60 printable characters"),
        ("a\x1bb", ["diagnose"], 1, "must have 1 to 60 printable characters"),
        ("a", [], 1, "at least one scope of history:read, diagnose, sandbox, metrics"),
        ("a", ["diagnose", "all"], 1, "at least one scope of history:read"),
        ("a", ["diagnose"], 0, "must expire in 1 to 365 days"),
        ("a", ["diagnose"], 366, "must expire in 1 to 365 days"),
        ("taken", ["diagnose"], 1, "The token taken already exists"),
    ],
)
def test_invalid_token_is_refused(audit: Audit, name: str, scopes: list[str], days: int, sentence: str) -> None:
    made(audit, "taken")
    with pytest.raises(TokenError, match=sentence):
        tokens.create(audit, ADA, name, scopes, days)
    assert len(tokens.all_tokens(audit.history.database)) == 1


def test_creation_and_revocation_are_audited(audit: Audit) -> None:
    made(audit, "nightly", "diagnose", "history:read", days=30)
    tokens.revoke(audit, ADA, "nightly")
    entries = audit.page(Selection(), None, 9)
    assert [(entry.name, entry.event, entry.object, entry.detail) for entry in entries] == [
        ("Ada", "token", "nightly", "revoked"),
        ("Ada", "token", "nightly", "created for 30 days: history:read diagnose"),
    ]
    assert entries[1].address == "10.0.0.1"


def test_rate_is_shared_by_consoles_and_frees_up_steadily(
    history: History, open_history: Callable[..., History], times: list[datetime]
) -> None:
    rate, databases, start = Rate(6, 60), (history.database, open_history().database), times[-1]
    assert [rate.take(databases[number % 2], "a") for number in range(6)] == [0] * 6
    assert rate.take(databases[0], "a") == pytest.approx(10, abs=0.01)
    assert rate.take(databases[0], "b") == 0, "another has a rate of its own"
    times.append(start + timedelta(seconds=9))
    assert rate.take(databases[1], "a") == pytest.approx(1, abs=0.01)
    times.append(start + timedelta(seconds=10.01))
    assert rate.take(databases[1], "a") == 0
    assert rate.take(databases[0], "a") > 9
    times.append(start + timedelta(seconds=200))
    assert rate.take(databases[0], "a", cost=6) == 0
    assert rate.take(databases[0], "a") == pytest.approx(10, abs=0.01)


def test_no_more_requests_pass_at_once_than_the_rate_allows(
    history: History, open_history: Callable[..., History]
) -> None:
    databases = [history.database, open_history().database] * 10
    history.database.prepare()
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda database: Rate(7, 60).take(database, "a"), databases))
    assert waits.count(0) == 7
