"""Prefilled fields of a step: for a fix, and for a pasted request."""

from urllib.parse import parse_qsl, urlunsplit

import streamlit as st

from oauth import flow as flows
from oauth import parameters
from oauth.addresses import split
from oauth.exchange import Request, header
from oauth.flow import Signed
from oauth.providers import BodyFormat, ClientAuthentication
from pages.parts.common import widget_defaults
from pages.parts.common.exchange import USUAL_HEADERS
from pages.parts.common.session import AUTHENTICATION, Session
from pages.parts.walkthrough.actions import ACTIONS, CARD_OF

EDITED = ("field", "extra", "url", "body", "secret_in")
"""Parts of the keys of the widgets that edit a request, behind its action."""

OPTIONS = ("authorize.pkce", "authorize.dpop", "authorize.verifier", AUTHENTICATION)
"""Keys of what changes several requests."""


def fill(current: Session, action: str, source: Request) -> None:
    """Copy the fields of another request into a step's; the address stays the provider's own."""
    open_card(current, action)
    values = _values(current, action, source)
    for name in _field_names(current, action) - values.keys():
        put(current, action, name, None)
    for name, value in values.items():
        put(current, action, name, current.vault.conceal(name, value))
    if ACTIONS[action].grant is not None:
        is_json = "json" in (header(source.headers, "Content-Type") or "")
        st.session_state[f"{action}.body"] = BodyFormat.JSON if is_json else BodyFormat.FORM
        is_basic = parameters.basic(source) is not None
        st.session_state[f"{action}.secret_in"] = ClientAuthentication.BASIC if is_basic else ClientAuthentication.BODY


def edits() -> dict[str, object]:
    """Return the values of every request that can be edited, by widget key."""
    return {key: value for name, value in st.session_state.items() if _is_edit(key := str(name))}


def _is_edit(key: str) -> bool:
    action, _, rest = key.partition(".")
    part, _, more = rest.partition(".")
    is_button = more.endswith(("add", "reset"))  # which has no value to put back
    return not is_button and (key in OPTIONS or (action in ACTIONS and part in EDITED))


def is_changed(key: str) -> bool:
    """Return True if a person changed the value of a widget that edits a request."""
    default = widget_defaults.default_of(key)
    return default is not None and st.session_state.get(key) != default


def forget_edits() -> None:
    """Forget every edited request, so that it has the profile's values again."""
    for key in edits():
        widget_defaults.forget(key)


def open_card(current: Session, action: str) -> None:
    """Open the card of an action."""
    card = CARD_OF.get(action, action)
    current.go(card)
    if card == "call":
        st.session_state["call.action"] = action


def put(current: Session, action: str, name: str, value: str | None) -> None:
    """Set the redacted value of a field and send it; ``None`` omits the field."""
    extra = _extra(action, name)
    if name in _field_names(current, action):
        widget_defaults.put(f"{action}.field.{name}.send", value is not None)
        if value is not None:
            widget_defaults.put(f"{action}.field.{name}.value", value)
    elif value is None:
        if extra is not None:
            widget_defaults.put(f"{action}.extra.{extra}.name", "")
    else:
        if extra is None:
            extra = st.session_state[f"{action}.extra"] = st.session_state.get(f"{action}.extra", 0) + 1
            widget_defaults.put(f"{action}.extra.{extra}.name", name)
        widget_defaults.put(f"{action}.extra.{extra}.value", value)


def drop_from_query(action: str, name: str) -> None:
    """Remove a parameter from the query of a request's address."""
    key = f"{action}.url"
    parts = split(st.session_state[key])
    others = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name]
    widget_defaults.put(key, urlunsplit(parts._replace(query=flows.query(others))))


def _values(current: Session, action: str, source: Request) -> dict[str, str]:
    if action == "api":
        return {name: value for name, value in source.headers if name.lower() not in USUAL_HEADERS}
    values = {item.name: item.value for item in parameters.read(source).parameters}
    if (basic := parameters.basic(source)) is not None:
        values |= {"client_id": basic.id, "client_secret": basic.secret}
    if (name := current.flow.provider.api_key_header) and (key := header(source.headers, name)) is not None:
        values[name] = key
    return values


def _field_names(current: Session, action: str) -> set[str]:
    """Return the names of a step's fields, without extra ones."""
    return {item.name for item in ACTIONS[action].fields(current.flow, Signed())}


def _extra(action: str, name: str) -> int | None:
    """Return the number of the extra field with this name."""
    count = st.session_state.get(f"{action}.extra", 0)
    return next((n for n in range(1, count + 1) if st.session_state.get(f"{action}.extra.{n}.name") == name), None)
