"""Tokens of the live session: masked, revealed one at a time, with their scopes and lifetimes."""

import streamlit as st

from oauth.flow import Tokens
from oauth.installation import now
from oauth.moments import later
from oauth.providers import Provider
from pages.parts.common.session import Session
from pages.parts.walkthrough import step, token_inspector


def draw(current: Session, tokens: Tokens, key: str) -> None:
    """Draw the tokens of a response. ``key`` is the prefix of the widget keys."""
    with st.container(border=True, key=key):
        st.markdown("**Tokens**")
        for name in ("access_token", "refresh_token", "id_token"):
            if value := getattr(tokens, name):
                _token(current, key, name, value)
        _scopes(current.flow.provider, tokens)
        token_inspector.draw(current, tokens, key)
        _lifetimes(tokens, current.flow.provider.lifetimes.refresh_token)


def _token(current: Session, key: str, name: str, value: str) -> None:
    place = f"{key}.reveal.{name}"
    columns = st.columns([5, 12, 4], vertical_alignment="center")
    columns[0].markdown(f"`{name}`")
    with columns[2]:
        is_revealed = reveal_button(current, place)
    columns[1].code(value if is_revealed else current.vault.placeholder(name, value), language=None, wrap_lines=True)


def reveal_button(current: Session, key: str) -> bool:
    """Draw the button that reveals or hides a secret, and return True if the secret is revealed."""
    is_revealed = current.revealed == key
    st.button(
        "Hide" if is_revealed else "Reveal",
        key=key,
        icon=":material/visibility_off:" if is_revealed else ":material/visibility:",
        on_click=_reveal,
        args=(current, "" if is_revealed else key),
        width="stretch",
    )
    return is_revealed


def _reveal(current: Session, key: str) -> None:
    current.revealed = key


def _scopes(provider: Provider, tokens: Tokens) -> None:
    requested, granted = provider.scopes(tokens.requested_scope), provider.scopes(tokens.scope)
    lines = f"scope requested {' '.join(requested) or 'none'}\nscope granted   {' '.join(granted) or 'none'}"
    st.code(lines, language=None)
    if missing := [name for name in requested if name not in granted]:
        st.markdown(":orange[:material/warning:] Not all requested scopes were granted. Missing:")
        st.code(" ".join(missing), language=None)


@st.fragment(run_every=1)
def _lifetimes(tokens: Tokens, refresh_lifetime: int | None) -> None:
    if tokens.expires_at is not None:
        st.caption(step.expiry("Access token", tokens.expires_at - now()))
    if tokens.refresh_token and refresh_lifetime is not None:
        st.caption(step.expiry("Refresh token", later(tokens.issued_at, refresh_lifetime) - now()))
