"""Where the answer comes back to: what can work at this provider, and what to register."""

from dataclasses import replace

import streamlit as st

from oauth.providers.redirect_advice import Route, Way, routes
from pages.parts.common.session import Session


def settle(current: Session) -> None:
    """Have the flow ask for the address that was registered, or for the console's own where that can work."""
    typed = str(st.session_state.get(_key(current)) or "").strip()
    callback = f"{current.origin}/callback"
    wanted = typed or (callback if leading(current).way is not Way.PASTE else "")
    if current.flow.authorization is None and current.flow.redirect_uri != wanted:
        current.flow = replace(current.flow, redirect_uri=wanted)


def leading(current: Session) -> Route:
    """The way to take first."""
    return routes(current.flow.provider, f"{current.origin}/callback")[0]


def draw(current: Session) -> None:
    """Draw the ways, the one to take first in the open where it takes a person's hand."""
    found = routes(current.flow.provider, f"{current.origin}/callback")
    by_hand = found[0].way is Way.PASTE
    with st.expander(
        "Where the answer comes back to, and what to register",
        expanded=by_hand and current.flow.callback is None,
        icon=":material/keyboard_return:",
        # Of each provider its own: a page keeps what is open, and the next one may need it open.
        key=f"authorize.redirect.{current.flow.provider.id}",
    ):
        for route in found:
            colour, icon = (
                ("green", "check") if route.works else ("gray", "public" if route.way is Way.PUBLIC else "block")
            )
            st.markdown(f":{colour}[:material/{icon}:] **{route.title}**")
            st.caption(route.why)
            if route.register:
                st.code(route.register, language=None, wrap_lines=True)
            if route.warning and by_hand:
                st.warning(route.warning)
            if route.way is Way.PASTE:
                st.text_input(
                    "The address you registered",
                    key=_key(current),
                    placeholder="https://www.example.com/oauth/nothing-here",
                    help="Sent as redirect_uri. Empty: the console's own callback where that works, or none at all.",
                    persist_state="session",
                )


def _key(current: Session) -> str:
    return f"authorize.registered.{current.flow.provider.id}"
