"""The redirect URI: which ones work with the provider, and what to register."""

from dataclasses import replace

import streamlit as st

from oauth.providers.redirect_advice import Route, Way, routes
from pages.parts.common import session
from pages.parts.common.session import Session


def apply(current: Session) -> None:
    """Set the flow's redirect URI to the registered one, or to the console's own if the provider accepts it."""
    registered = str(st.session_state.get(_key(current)) or "").strip()
    own = "" if is_pasted(current) else session.callback_address()
    if (client := current.registered) is not None and client.redirect_uris and own not in client.redirect_uris:
        own = client.redirect_uris[0]
    uri = registered or own
    if current.flow.authorization is None and current.flow.redirect_uri != uri:
        current.flow = replace(current.flow, redirect_uri=uri)


def is_pasted(current: Session) -> bool:
    """Return True if the recommended way is to paste the address that the browser lands on."""
    return _routes(current)[0].way is Way.PASTE


def _routes(current: Session) -> tuple[Route, ...]:
    return routes(current.flow.provider, session.callback_address())


def draw(current: Session) -> None:
    """Draw the ways, the recommended one first, expanded if it needs action by the user."""
    paste_first = is_pasted(current)
    with st.expander(
        "Redirect URI: what to register",
        expanded=paste_first and current.flow.callback is None,
        icon=":material/keyboard_return:",
        # A key for each provider: a browser remembers what is collapsed, and the next provider may need it expanded.
        key=f"authorize.redirect.{current.flow.provider.id}",
        on_change="rerun",
    ) as is_shown:
        for route in _routes(current):
            colour, icon = (
                ("green", "check") if route.works else ("gray", "public" if route.way is Way.PUBLIC else "block")
            )
            st.markdown(f":{colour}[:material/{icon}:] **{route.title}**")
            st.caption(route.why)
            if route.register and is_shown.open:
                st.code(route.register, language=None, wrap_lines=True)
            if route.warning and paste_first:
                st.warning(route.warning)
            if route.way is Way.PASTE:
                st.text_input(
                    "Registered redirect URI",
                    key=_key(current),
                    placeholder="https://www.example.com/oauth/nothing-here",
                    help="Sent as redirect_uri. If empty, the console's own callback is sent where it works.",
                    persist_state="session",
                )


def _key(current: Session) -> str:
    return f"authorize.registered.{current.flow.provider.id}"
