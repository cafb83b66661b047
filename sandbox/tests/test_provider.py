"""The sandbox's state as the pages and drills use it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import asdict

from oauth_sandbox import GrantType, Issued, Sandbox, State, embedded
from oauth_sandbox.store import Kind

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CALLBACK = "http://localhost:8501/callback"
SCOPE = ("read", "v2")


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(lambda: START)


def states(issued: tuple[Issued, ...]) -> list[tuple[int, State]]:
    return [(item.serial, item.state) for item in issued]


def test_embedded_is_one_for_the_process() -> None:
    assert embedded() is embedded()
    assert abs(embedded().clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_ready_made_clients(sandbox: Sandbox) -> None:
    clients = {client.client_id: client for client in sandbox.clients()}
    assert {name: (c.secret, c.grants, c.active) for name, c in clients.items()} == {
        "demo-app": ("demo-secret", tuple(GrantType), True),
        "inactive-app": ("inactive-secret", tuple(GrantType), False),
        "machine-app": ("machine-secret", (GrantType.CLIENT_CREDENTIALS,), True),
        "website-app": ("website-secret", (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN), True),
    }
    assert all(client.scopes == ("read", "write", "v2") for client in clients.values())


def test_what_was_issued_is_shown_without_its_secret(sandbox: Sandbox) -> None:
    code = sandbox.issue_code("demo-app", CALLBACK, SCOPE)
    tokens = sandbox.issue_tokens("demo-app", SCOPE, user_id=1)
    shown = [*sandbox.issued(Kind.CODE), *sandbox.issued(Kind.ACCESS_TOKEN), *sandbox.issued(Kind.REFRESH_TOKEN)]
    assert [item.label for item in shown] == ["code 1", "access token 1", "refresh token 1"]
    assert [(item.expires_at - item.issued_at).total_seconds() for item in shown] == [600, 86_400, 2_592_000]
    fields = repr([asdict(item) for item in shown]) + repr(tokens)
    assert tokens.refresh_token is not None
    assert not [secret for secret in (code, tokens.access_token, tokens.refresh_token) if secret in fields]


def test_states(sandbox: Sandbox) -> None:
    used, revoked, _expired = (sandbox.issue_code("demo-app", CALLBACK, SCOPE) for _ in range(3))
    sandbox.use_code(used)
    sandbox.revoke(Kind.CODE, 2)
    sandbox.revoke(Kind.CODE, 1)
    sandbox.clock.move(600)
    assert states(sandbox.issued(Kind.CODE)) == [(3, State.EXPIRED), (2, State.REVOKED), (1, State.USED)]
    assert sandbox.live(Kind.CODE, revoked) is None


def test_a_clock_moved_back_makes_the_expired_live_again(sandbox: Sandbox) -> None:
    sandbox.issue_code("demo-app", CALLBACK, SCOPE)
    sandbox.clock.move(600)
    assert states(sandbox.issued(Kind.CODE)) == [(1, State.EXPIRED)]
    sandbox.clock.reset()
    assert states(sandbox.issued(Kind.CODE)) == [(1, State.LIVE)]


def test_an_applications_token_has_no_refresh_token(sandbox: Sandbox) -> None:
    assert sandbox.issue_tokens("demo-app", SCOPE, user_id=None).refresh_token is None
    assert sandbox.issued(Kind.REFRESH_TOKEN) == ()


def test_issuing_drops_expired_tokens(sandbox: Sandbox) -> None:
    for _ in range(5):
        sandbox.issue_code("demo-app", CALLBACK, SCOPE)
    sandbox.clock.move(600)
    sandbox.issue_code("demo-app", CALLBACK, SCOPE)
    assert states(sandbox.issued(Kind.CODE)) == [(6, State.LIVE)]
    with pytest.raises(LookupError, match="code 3"):
        sandbox.revoke(Kind.CODE, 3)


def test_issuing_beyond_capacity_drops_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oauth_sandbox.provider.CAPACITY", 3)
    sandbox = Sandbox(lambda: START)
    first = sandbox.issue_tokens("demo-app", SCOPE, user_id=1)
    for _ in range(3):
        sandbox.issue_tokens("demo-app", SCOPE, user_id=1)
    assert [token.serial for token in sandbox.issued(Kind.ACCESS_TOKEN)] == [4, 3, 2]
    assert [token.serial for token in sandbox.issued(Kind.REFRESH_TOKEN)] == [4, 3, 2]
    assert sandbox.live(Kind.ACCESS_TOKEN, first.access_token) is None


def test_only_the_newest_are_listed(sandbox: Sandbox) -> None:
    for _ in range(5):
        sandbox.issue_code("demo-app", CALLBACK, SCOPE)
    assert [code.serial for code in sandbox.issued(Kind.CODE, limit=2)] == [5, 4]


def test_changes_of_unknown_items_are_refused(sandbox: Sandbox) -> None:
    with pytest.raises(LookupError, match="nobody"):
        sandbox.change_client("nobody", active=True)
    with pytest.raises(LookupError, match="nobody"):
        sandbox.change_client("nobody", grants=[])
    with pytest.raises(LookupError, match="nobody"):
        sandbox.change_client("nobody", scopes=[])
    with pytest.raises(ValueError, match="password"):
        sandbox.change_client("demo-app", grants=["password"])
    with pytest.raises(ValueError, match="admin"):
        sandbox.change_client("demo-app", scopes=["read", "admin"])
    for kind in Kind:
        with pytest.raises(LookupError, match="9"):
            sandbox.revoke(kind, 9)


def test_reset(sandbox: Sandbox) -> None:
    before = sandbox.clients()
    sandbox.issue_code("demo-app", CALLBACK, SCOPE)
    sandbox.issue_tokens("demo-app", SCOPE, user_id=1)
    sandbox.change_client("demo-app", active=False)
    sandbox.clock.move(5)
    sandbox.reset()
    assert sandbox.clients() == before
    assert (sandbox.issued(Kind.CODE), sandbox.issued(Kind.ACCESS_TOKEN), sandbox.issued(Kind.REFRESH_TOKEN)) == (
        (),
        (),
        (),
    )
    assert sandbox.clock.now() == START


def test_threads_may_read_and_change_at_once(sandbox: Sandbox) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(100):
                sandbox.issue_code("demo-app", CALLBACK, SCOPE)
                sandbox.issued(Kind.CODE, limit=1000)
        except RuntimeError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [code.serial for code in sandbox.issued(Kind.CODE, limit=1000)] == list(range(400, 0, -1))


@pytest.mark.parametrize("uri", ["https://console.example/callback", "http://localhost:9123/callback"])
def test_a_registered_redirect_uri_takes_the_place_of_another_port_and_outlives_a_reset(
    sandbox: Sandbox, uri: str
) -> None:
    for _ in range(2):
        sandbox.register(uri)
    sandbox.reset()
    assert {client.redirect_uris for client in sandbox.clients()} == {(uri,)}
    assert sandbox.client("demo-app").may_redirect_to(CALLBACK)


def test_marks_are_made_of_the_secrets_of_the_newest(sandbox: Sandbox) -> None:
    codes = [sandbox.issue_code("demo-app", CALLBACK, SCOPE) for _ in range(3)]
    assert sandbox.marks(Kind.CODE, str.upper, limit=2) == {2: codes[1].upper(), 3: codes[2].upper()}
    assert sandbox.marks(Kind.ACCESS_TOKEN, str.upper) == {}
