"""The tokens of programs: create one, which is shown once, list them with their last use, and revoke them."""

import streamlit as st

from oauth.access import Action, people
from oauth.access import tokens as kept
from oauth.access.tokens import MOST_DAYS, Scope, Token, TokenError
from oauth.history.store import HistoryError
from oauth.installation import current, now
from pages.parts.common import clock, notices, permissions, session

DAYS = 90
"""Days of a token, unless other ones are chosen."""

MEANINGS = {
    Scope.HISTORY: "read everybody's exchanges",
    Scope.DIAGNOSE: "diagnose texts",
    Scope.SANDBOX: "control the sandbox",
    Scope.METRICS: "read the metrics",
}

_CREATED = "access.token.secret"
"""Session key of the name and the value of a token that was just created."""

_PROBLEM = "access.token.problem"


def draw() -> None:
    """Draw the form, the new token, and the list."""
    st.write("Programs use the API with a token. docs/automation.md describes both.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.text_input("Name", key="access.token.name", placeholder="nightly export", width=240)
        st.number_input("Days until it expires", 1, MOST_DAYS, DAYS, key="access.token.days", width=200)
    st.pills(
        "Scopes",
        list(Scope),
        selection_mode="multi",
        format_func=lambda scope: f"{scope}: {MEANINGS[scope]}",
        key="access.token.scopes",
    )
    st.button("Create token", key="access.token.create", icon=":material/key:", type="primary", on_click=_create)
    notices.pop_error(_PROBLEM, "Nothing was done")
    _created()
    rows = kept.all_tokens(session.database())
    if not rows:
        st.info("No tokens")
    names = people.names(session.database(), {token.created_by for token in rows})
    for number, token in enumerate(rows, 1):
        _token(number, token, names.get(token.created_by, token.created_by))


def _created() -> None:
    """Draw the token that was just created, until it is hidden."""
    if _CREATED not in st.session_state:
        return
    name, secret = st.session_state[_CREATED]
    with st.container(border=True, key="access.token.created"):
        st.text(f"The token {name}. It is shown once: copy it now, to where secrets are kept.")
        st.code(secret, language=None)
        st.button("Hide", key="access.token.seen", icon=":material/visibility_off:", on_click=_forget)


def _token(number: int, token: Token, creator: str) -> None:
    at = now()
    ends = f"expires {clock.on(token.expires_at)}" if token.expires_at > at else "expired"
    used = f"last used {clock.ago(token.used_at, at)}" if token.used_at else "never used"
    key = f"access.token.{number}"
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=key):
        st.text(f"{token.name}\n{' '.join(token.scopes)}")
        st.text(f"{ends}\n{used}, created {clock.ago(token.created_at, at)} by {creator}")
        with st.popover("Revoke", icon=":material/delete:", key=f"{key}.revoke"):
            st.text(f"Programs that use {token.name} are refused from then on.")
            st.button("Revoke token", key=f"{key}.revoke.sure", type="primary", on_click=_revoke, args=(token.name,))


@permissions.needs(Action.TOKENS)
def _create() -> None:
    state = st.session_state
    name, scopes, days = state["access.token.name"], state["access.token.scopes"], state["access.token.days"]
    try:
        secret = kept.create(current().audit(), session.person(), name, scopes or (), int(days), session.address())
    except (TokenError, HistoryError) as error:
        state[_PROBLEM] = str(error)
        return
    state[_CREATED] = " ".join(name.split()), secret
    state["access.token.name"], state["access.token.scopes"] = "", []


@permissions.needs(Action.TOKENS)
def _revoke(name: str) -> None:
    try:
        kept.revoke(current().audit(), session.person(), name, session.address())
    except HistoryError as error:
        st.session_state[_PROBLEM] = str(error)
    if st.session_state.get(_CREATED, ("",))[0] == name:
        _forget()


def _forget() -> None:
    st.session_state.pop(_CREATED, None)
