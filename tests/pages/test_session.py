"""The state of a browser session that several people use, one after the other."""

from types import SimpleNamespace

import pytest
import streamlit

from oauth.access.roles import Rules
from oauth.access.seal import HEADER, Seal
from oauth.installation import Installation, now
from oauth.settings import Settings
from pages.parts.common import session


@pytest.mark.parametrize(("next_one", "left"), [("ada", "a flow"), ("bob", None)])
def test_walkthrough_is_not_there_for_the_next_person(
    console: Installation, monkeypatch: pytest.MonkeyPatch, next_one: str, left: str | None
) -> None:
    seal, state = Seal(console.settings, Rules.parse("operator=*")), {session.SESSION: "a flow"}
    monkeypatch.setattr(Settings, "sign_in", property(lambda _: "oidc"))
    monkeypatch.setattr(session, "_seal", lambda: seal)
    monkeypatch.setattr(streamlit, "session_state", state)

    def connect(name: str) -> None:
        sealed = seal.sealed("https://login.example", {"sub": name, "exp": now().timestamp() + 60}, now())
        monkeypatch.setattr(streamlit, "context", SimpleNamespace(headers={HEADER: sealed}))

    connect("ada")
    assert str(session.get()) == "a flow"
    connect(next_one)
    assert str(session.get()) == str(left)
