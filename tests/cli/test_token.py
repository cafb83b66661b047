"""The command ``token``: it creates, lists and revokes the tokens of programs."""

from datetime import timedelta

import pytest

from oauth.access import tokens
from oauth.access.audit import Audit, Selection
from oauth.access.people import seen
from oauth.access.person import Person
from oauth.access.roles import Role
from oauth.access.tokens import Scope
from oauth.cli.main import main
from oauth.installation import Installation, now


def test_created_token_is_printed_once_and_works(console: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    create = ["token", "create", "nightly", "--scope", "history:read", "--scope", "diagnose", "--days", "30"]
    assert main(create) == 0
    printed = capsys.readouterr()
    assert "shown once" in printed.err
    token = tokens.find(console.history.database, printed.out.strip())
    assert token is not None
    assert (token.name, token.scopes) == ("nightly", (Scope.HISTORY, Scope.DIAGNOSE))
    assert token.expires_at - token.created_at == timedelta(days=30)
    assert main(create) == 2
    assert capsys.readouterr().err.startswith("python -m oauth token: The token nightly already exists.")


def test_tokens_are_listed_with_scopes_end_use_and_creator(
    console: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = Person("7@login.example", "Ada", Role.ADMIN)
    seen(console.history.database, ada, "", now())
    secret = tokens.create(console.audit(), ada, "ci", ["metrics"], 1)
    assert main(["token", "create", "nightly", "--scope", "diagnose", "--days", "2"]) == 0
    tokens.find(console.history.database, secret)
    capsys.readouterr()
    assert main(["token", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("\t")[:2] == ["ci", "metrics"]
    assert first.split("\t")[2].startswith("expires ")
    assert first.split("\t")[3].startswith("last used ")
    assert first.endswith("\tcreated by Ada")
    assert second.endswith("\tnever used\tcreated by command line")
    assert secret not in first


def test_revoked_token_is_gone(console: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    main(["token", "create", "ci", "--scope", "diagnose", "--days", "1"])
    assert main(["token", "revoke", "ci"]) == 0
    assert tokens.all_tokens(console.history.database) == []
    capsys.readouterr()
    assert main(["token", "revoke", "ci"]) == 2
    assert capsys.readouterr().err == "python -m oauth token: there is no token 'ci'; token list shows all.\n"


@pytest.mark.parametrize("days", ["0", "366"])
def test_token_without_an_end_in_reach_is_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "ci", "--scope", "diagnose", "--days", days]) == 2
    assert "must expire in 1 to 365 days" in capsys.readouterr().err


def test_command_is_audited_where_people_sign_in(
    console: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audit = Audit(console.history, console.vault(), is_on=True)
    monkeypatch.setattr(Installation, "audit", lambda _: audit)
    main(["token", "create", "ci", "--scope", "diagnose", "--days", "1"])
    main(["token", "revoke", "ci"])
    assert [(entry.person, entry.event) for entry in audit.page(Selection(), None, 9)] == [
        ("command line", "token")
    ] * 2
