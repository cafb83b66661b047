"""Tokens of the live session: masked, revealed one at a time, with their scopes and lifetimes."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth.access import Action
from oauth.access.audit import Event
from oauth.flow import Grant, Tokens
from oauth.installation import now
from oauth.moments import later
from oauth.providers import Provider
from pages.parts.common import copying, drawing, session
from pages.parts.common.markdown import plain
from pages.parts.common.permissions import needs
from pages.parts.common.session import Session
from pages.parts.walkthrough import step, token_inspector

PLACES = {
    Grant.AUTHORIZATION_CODE: "tokens",
    Grant.REFRESH_TOKEN: "refreshed_tokens",
    Grant.DEVICE_CODE: "device_tokens",
    Grant.CLIENT_CREDENTIALS: "application_tokens",
}
"""The prefix of the widget keys of tokens, by the grant that issued them."""

OWNERS = {False: "The user's", True: "The application's"}
"""Owners of tokens, by whether they were issued to the application itself."""


def draw_tray(current: Session) -> None:
    """Draw all tokens of the flow in one place that stays, whatever step is open."""
    for owned in (current.flow.tokens, current.flow.application_tokens):
        if owned is not None:
            _draw(current, owned, PLACES[owned.grant])


def _draw(current: Session, tokens: Tokens, key: str) -> None:
    is_application = tokens.grant is Grant.CLIENT_CREDENTIALS
    with st.container(border=True, gap="small", key=key):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Application token**" if is_application else "**Tokens**", width="content")
            with st.container(width="content"):
                _lifetimes(tokens, current.flow.provider.lifetimes.refresh_token)
            st.button(
                "Use in a call",
                key=f"{key}.use",
                icon=":material/api:",
                on_click=_use,
                args=(current, OWNERS[is_application]),
            )
        for name in ("access_token", "refresh_token", "id_token"):
            if value := getattr(tokens, name):
                _token(current, key, name, value)
        fold = _scopes(current.flow.provider, tokens, key)
        with fold if token_inspector.is_opaque(tokens) else st.container():
            token_inspector.draw(current, tokens, key)


def _use(current: Session, owner: str) -> None:
    """Open the step that calls the API, with the token of this owner."""
    current.go("call")
    st.session_state["call.action"] = "api"
    st.session_state["api.token"] = owner


def _token(current: Session, key: str, name: str, value: str) -> None:
    columns = st.columns([3, 14, 3], vertical_alignment="center")
    columns[0].markdown(f"`{name}`")
    with columns[2]:
        is_revealed = reveal_button(current, f"{key}.reveal.{name}", value)
    with columns[1]:
        text = value if is_revealed else current.vault.placeholder(name, value)
        copying.draw(f"{key}.copy.{name}", text, "Copy token" if is_revealed else "Copy fingerprint", shown=True)


def reveal_button(current: Session, key: str, value: str) -> bool:
    """Draw the button that reveals or hides a secret, and return True if this very value is revealed."""
    is_revealed = current.revealed == f"{key} {value}"
    st.button(
        "Hide" if is_revealed else "Reveal",
        key=key,
        icon=":material/visibility_off:" if is_revealed else ":material/visibility:",
        on_click=_reveal,
        args=(current, "" if is_revealed else f"{key} {value}"),
        width="stretch",
    )
    return is_revealed


@needs(Action.SEND)
def _reveal(current: Session, place: str) -> None:
    if place:
        session.audit(Event.REVEAL, place.partition(" ")[0])
    current.revealed = place


def _scopes(provider: Provider, tokens: Tokens, key: str) -> DeltaGenerator:
    """Draw the scopes folded, apart from missing ones, and return the fold."""
    requested, granted = provider.scopes(tokens.requested_scope), provider.scopes(tokens.scope)
    if missing := [name for name in requested if name not in granted]:
        st.markdown(":orange[:material/warning:] Not all requested scopes were granted. Missing:")
        st.code(" ".join(missing), language=None)
    fold = st.expander(f"Scope: {plain(' '.join(granted)) or 'none'}", key=f"{key}.scope")
    lines = f"scope requested {' '.join(requested) or 'none'}\nscope granted   {' '.join(granted) or 'none'}"
    fold.code(lines, language=None)
    return fold


@drawing.fragment(run_every=1)
def _lifetimes(tokens: Tokens, refresh_lifetime: int | None) -> None:
    times = []
    if tokens.expires_at is not None:
        times.append(step.expiry("Access token", tokens.expires_at - now()))
    if tokens.refresh_token and refresh_lifetime is not None:
        times.append(step.expiry("Refresh token", later(tokens.issued_at, refresh_lifetime) - now()))
    st.caption(" · ".join(times))
