"""Your own client: typed, or registered at the server by the console, with its secret in the session's memory only."""

from dataclasses import replace

import streamlit as st

from oauth import flow as flows
from oauth.flow import Client, Field, Flow, Registration
from oauth.providers import ClientAuthentication, Provider
from oauth.redaction import Vault
from pages.parts.common import session
from pages.parts.common.session import Session
from pages.parts.providers import discover

CLIENT_ID = "walkthrough.client_id"
CLIENT_SECRET = "walkthrough.client_secret"
API_KEY = "walkthrough.api_key"

IN_MEMORY = "Kept in the memory of this browser session only. The field then has its fingerprint."

ARRIVED = "own client that arrived"
"""Key in the session state of a registration, or a deletion, whose client goes into the fields on the next run."""

USED = "own clients that were used"
"""Key in the session state of the client that was last in the fields, by the id of its provider."""

INITIAL_TOKEN = "initial access token"
"""Key in the session state of the token that some servers ask for before they register a client."""


def apply_arrived(provider: Provider) -> None:
    """Put a client that was registered, or none for one that was deleted, into the fields before they are drawn."""
    current = session.get()
    if current is None or ARRIVED not in st.session_state:
        return
    client: Client = st.session_state.pop(ARRIVED)
    st.session_state[f"walkthrough.client.{provider.id}"] = session.OWN_CLIENT
    fill_in(current.vault, provider, client)


def fill_in(vault: Vault, provider: Provider, client: Client) -> None:
    """Fill in the fields of your own client."""
    st.session_state[CLIENT_ID] = client.id
    st.session_state[session.OWN_SECRET] = client.secret
    st.session_state[CLIENT_SECRET] = vault.add("client_secret", client.secret)
    st.session_state[session.OWN_API_KEY] = client.api_key
    st.session_state[API_KEY] = vault.add(provider.api_key_kind, client.api_key)


def draw(provider: Provider) -> Client:
    """Draw the fields of your own client, and return it."""
    _change_with(provider)
    left, right, *further = st.columns(3 if provider.api_key_header else 2)
    client_id = left.text_input("Client ID", key=CLIENT_ID, persist_state="session")
    right.text_input(
        "Client secret",
        key=CLIENT_SECRET,
        type="password",
        help=IN_MEMORY,
        on_change=_store_secret,
        args=(CLIENT_SECRET, session.OWN_SECRET, "client_secret"),
        persist_state="session",
    )
    for place in further:
        place.text_input(
            "API key",
            key=API_KEY,
            type="password",
            help=f"Sent in the header {provider.api_key_header}. {IN_MEMORY}",
            on_change=_store_secret,
            args=(API_KEY, session.OWN_API_KEY, provider.api_key_kind),
            persist_state="session",
        )
    api_key = st.session_state.get(session.OWN_API_KEY, "") if provider.api_key_header else ""
    client = Client((client_id or "").strip(), st.session_state.get(session.OWN_SECRET, ""), api_key)
    if default_authentication(provider, client) is ClientAuthentication.NONE and client.id:
        st.caption(
            ":material/lock_open: Without a secret this is a public client: it authenticates with nothing (none)."
        )
    return client


def _change_with(provider: Provider) -> None:
    """Fill in the client that this provider had before; none where the one in the fields was used at another."""
    current = session.get()
    if current is None or current.chosen != session.OWN_CLIENT or current.flow.provider.id == provider.id:
        return
    used: dict[str, Client] = st.session_state.setdefault(USED, {})
    if current.flow.client.id:
        used[current.flow.provider.id] = current.flow.client
    if provider.id in used:
        fill_in(current.vault, provider, used[provider.id])
    elif current.sequence or current.registered is not None:
        fill_in(current.vault, provider, Client("", ""))


def _store_secret(field: str, place: str, kind: str) -> None:
    """Keep a typed secret in its place, and show its fingerprint in the field."""
    current = session.get()
    text = st.session_state[field] or ""
    if current is not None and current.vault.resolve(text) == text:
        st.session_state[place] = text
        st.session_state[field] = current.vault.add(kind, text)


def correct_key(current: Session, key: str) -> None:
    """Replace the API key of your own client, so that the other steps send the right one too."""
    if current.chosen == session.OWN_CLIENT:
        st.session_state[session.OWN_API_KEY] = current.vault.resolve(key)
        st.session_state[API_KEY] = key


def default_authentication(provider: Provider, client: Client) -> ClientAuthentication:
    """Return the profile's method, apart from a public client: one without a secret where the server accepts that."""
    method = provider.client_authentication
    if not provider.public_clients:
        return method
    has_key = method is ClientAuthentication.PRIVATE_KEY_JWT and session.OWN_KEY in st.session_state
    if not client.secret:
        return method if has_key else ClientAuthentication.NONE
    return ClientAuthentication.BASIC if method is ClientAuthentication.NONE else method


def as_registered(provider: Provider, client: Client) -> Provider:
    """Return the profile with what the server said when it registered this client."""
    registration = session.registrations().get(provider.id)
    if registration is None or registration.client.id != client.id:
        return provider
    method = registration.authentication
    return replace(
        provider,
        scope=_scope(provider, registration),
        client_authentication=method or provider.client_authentication,
        public_clients=provider.public_clients if method is None else method is ClientAuthentication.NONE,
    )


def _scope(provider: Provider, registration: Registration) -> str:
    """Return the scope asked for without what the client may not have, or else the scope it was given."""
    registered = provider.scopes(registration.scope)
    requested = provider.scopes(provider.scope)
    common = [name for name in requested if name in registered] if registered else requested
    return provider.scope_separator.join(common or registered)


def fields(flow: Flow) -> list[Field]:
    """Return the fields of a registration request."""
    metadata = discover.metadata_of(flow.provider)
    token = st.session_state.get(INITIAL_TOKEN, "")
    uri = flow.redirect_uri or session.callback_address()
    if metadata is None or not metadata.says("grant_types_supported"):
        return flows.registration_fields(flow, uri, initial_token=token)
    return flows.registration_fields(flow, uri, metadata.listed("grant_types_supported"), token)


def deletion_fields(flow: Flow) -> list[Field]:
    """Return the fields of the request that deletes the registered client."""
    registration = session.registrations().get(flow.provider.id)
    return flows.deletion_fields(registration) if registration is not None else []


def take(current: Session, registration: Registration | None) -> None:
    """Remember a client that was registered, and use it from the next run on."""
    if registration is None:
        return
    current.vault.add("client_secret", registration.client.secret)
    current.vault.add("registration_access_token", registration.token)
    session.registrations()[current.flow.provider.id] = registration
    st.session_state[ARRIVED] = registration.client


def forget(current: Session) -> None:
    """Forget a client that was deleted, also in the fields if it is there."""
    current.shown.pop("register", None)
    registration = session.registrations().pop(current.flow.provider.id, None)
    if registration is not None and registration.client.id == current.flow.client.id:
        st.session_state[ARRIVED] = Client("", "")
