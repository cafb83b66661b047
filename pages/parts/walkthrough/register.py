"""The step before all others: register a client at a server that does so by itself, and delete it again."""

import streamlit as st

from oauth import flow as flows
from oauth.flow import Registration
from pages.parts.common import clock, exchange
from pages.parts.common.session import Session
from pages.parts.walkthrough import own_client, request, step
from pages.parts.walkthrough.actions import ACTIONS

TOKEN_REFUSED = (401, 403)
"""Statuses of a server that registers no client without an initial access token (RFC 7591 §3)."""


def draw(current: Session) -> None:
    """Draw the registration (RFC 7591), or the registered client with its deletion (RFC 7592)."""
    with step.frame(current, "register", "Before 1 · Register a client"):
        registration = current.registered
        if registration is not None:
            _registered(current, registration)
            return
        st.write(
            "This server registers clients by itself. It returns an id, and a secret where the client has one, which "
            "the console fills in and keeps in the memory of this browser session only."
        )
        _initial_token(current)
        with step.editor(current, "register"):
            edited = request.edit(
                current,
                "register",
                own_client.fields(current.flow),
                ACTIONS["register"].address(current.flow.provider),
                flows.registration_request,
            )
        step.send(current, "register", "Register a client here", edited)
        step.draw_result(current, "unregister")


def _initial_token(current: Session) -> None:
    """Draw the field of the initial access token where the server asked for one, or all options are shown."""
    last = current.shown.get("register")
    response = last.exchange.response if last is not None else None
    is_asked = response is not None and response.status in TOKEN_REFUSED
    if not (is_asked or current.options or st.session_state.get(own_client.INITIAL_TOKEN)):
        return
    if is_asked and not st.session_state.get(own_client.INITIAL_TOKEN):
        st.warning("The server registers a client only with an initial access token. Its operator issues one.")
    st.text_input(
        "Initial access token",
        key="register.initial_token",
        help="Sent as a bearer token. Kept in the memory of this browser session only.",
        on_change=_store_token,
        args=(current,),
        persist_state="session",
    )


def _store_token(current: Session) -> None:
    text = (st.session_state["register.initial_token"] or "").strip()
    token = current.vault.resolve(text)
    st.session_state[own_client.INITIAL_TOKEN] = token
    st.session_state["register.initial_token"] = current.vault.add("access_token", token) if token else ""


def _registered(current: Session, registration: Registration) -> None:
    st.markdown(":green[:material/check:] The client is registered, and filled in above")
    lines = [f"client_id      {registration.client.id}"]
    lines.append(f"client_secret  {'received' if registration.client.secret else 'none: a public client'}")
    if registration.secret_expires_at is not None:
        lines.append(f"               expires {clock.on(registration.secret_expires_at)}")
    if registration.authentication is not None:
        lines.append(f"authenticates  {registration.authentication.value}")
    if registration.scope:
        lines.append(f"scope          {registration.scope}")
    lines += [f"redirect_uri   {uri}" for uri in registration.redirect_uris]
    st.code("\n".join(lines), language=None, wrap_lines=True)
    last = current.shown.get("register")
    if last is not None:
        with st.expander("Exchange", key="register.details"):
            exchange.draw("register", last.exchange, None)
    if not registration.uri:
        st.caption("The server offers no way to delete the client (RFC 7592). It stays registered there.")
        return
    with st.expander("Delete this client", key="register.delete", icon=":material/delete:"):
        edited = request.edit(
            current,
            "unregister",
            own_client.deletion_fields(current.flow),
            registration.uri,
            flows.deletion_request,
        )
    step.send(current, "unregister", "Delete this client", edited)
