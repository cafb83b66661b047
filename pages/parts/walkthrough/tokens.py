"""Tokens of the live session: masked, revealed one at a time, with what they may do and how long they live."""

from datetime import timedelta

import streamlit as st

from oauth.flow import Tokens
from oauth.formatting import span
from oauth.installation import now
from oauth.providers import Provider
from pages.parts.common.session import Session
from pages.parts.walkthrough import token_inspector


def tokens(current: Session, held: Tokens, key: str) -> None:
    """Draw a token answer. ``key`` names the place in the page."""
    with st.container(border=True, key=key):
        st.markdown("**Tokens**")
        for name in ("access_token", "refresh_token", "id_token"):
            if value := getattr(held, name):
                _secret(current, key, name, value)
        _scopes(current.flow.provider, held)
        token_inspector.draw(current, held, key)
        _lifetimes(held, current.flow.provider.lifetimes.refresh_token)


def _secret(current: Session, key: str, name: str, value: str) -> None:
    place = f"{key}.reveal.{name}"
    shown = current.revealed == place
    columns = st.columns([5, 12, 4], vertical_alignment="center")
    columns[0].markdown(f"`{name}`")
    columns[1].code(value if shown else current.vault.placeholder(name, value), language=None, wrap_lines=True)
    with columns[2]:
        button(current, place)


def button(current: Session, place: str) -> bool:
    """Draw the button that reveals what stands at a place, or hides it; says whether it is revealed now."""
    shown = current.revealed == place
    st.button(
        "Hide" if shown else "Reveal",
        key=place,
        icon=":material/visibility_off:" if shown else ":material/visibility:",
        on_click=_reveal,
        args=(current, "" if shown else place),
        width="stretch",
    )
    return shown


def _reveal(current: Session, place: str) -> None:
    current.revealed = place


def _scopes(provider: Provider, held: Tokens) -> None:
    asked, granted = provider.scopes(held.requested_scope), provider.scopes(held.scope)
    st.code(f"scope asked   {' '.join(asked) or 'none'}\nscope granted {' '.join(granted) or 'none'}", language=None)
    if missing := [name for name in asked if name not in granted]:
        st.markdown(":orange[:material/warning:] Not everything that was asked for was granted. Missing:")
        st.code(" ".join(missing), language=None)


@st.fragment(run_every=1)
def _lifetimes(held: Tokens, refresh_lifetime: int | None) -> None:
    lines = []
    if held.expires_at is not None:
        lines.append(_left("Access token", (held.expires_at - now())))
    if held.refresh_token and refresh_lifetime is not None:
        lines.append(_left("Refresh token", held.issued_at + timedelta(seconds=refresh_lifetime) - now()))
    for line in lines:
        st.caption(line)


def _left(what: str, left: timedelta) -> str:
    seconds = left.total_seconds()
    return f"{what}: {span(seconds)} left" if seconds > 0 else f"{what}: expired {span(-seconds)} ago"
