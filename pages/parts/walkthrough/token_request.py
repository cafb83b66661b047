"""Requests that authenticate the client, and the key it signs with if it has no secret."""

from dataclasses import replace
from functools import partial

import streamlit as st

from oauth import flow as flows
from oauth.errors import InputError
from oauth.exchange import Request
from oauth.flow import Field, Signed
from oauth.jose.jwt import decode
from oauth.providers import BodyFormat, ClientAuthentication
from pages.parts.common import notices, widget_defaults
from pages.parts.common.session import AUTHENTICATION, Session
from pages.parts.walkthrough import request, step, token_inspector
from pages.parts.walkthrough.actions import ACTIONS

AUTHENTICATION_LABELS = {
    ClientAuthentication.BODY: "Body",
    ClientAuthentication.BASIC: "Basic",
    ClientAuthentication.NONE: "None (public client)",
    ClientAuthentication.PRIVATE_KEY_JWT: "private_key_jwt",
}

STATEMENT_LABELS = {
    "audience": "aud: the issuer, or the token endpoint",
    "lifetime": "exp: seconds from now",
    "kid": "kid: the key's id at the server",
}
"""Fields of an assertion that can be changed, with their labels."""


def draw(current: Session, action: str, label: str) -> None:
    """Draw an action that authenticates the client: its request, the send button and the result."""
    with step.editor(current, action):
        edited = edit(current, action)
    step.send(current, action, label, edited)


def edit(current: Session, action: str) -> request.Edited:
    """Draw only the request, and return it as it would be sent."""
    provider = current.flow.provider
    widget_defaults.keep(f"{action}.secret_in", st.session_state[AUTHENTICATION])
    if ACTIONS[action].grant is not None:
        widget_defaults.keep(f"{action}.body", provider.token_body)
    flow = replace(current.flow, authentication=_authentication(action))
    address = ACTIONS[action].address(provider)
    url = request.address(current, action, address)
    signed = current.signing.sign(current.flow, action, "POST", url, flow.authentication)
    return request.edit(
        current,
        action,
        ACTIONS[action].fields(flow, signed),
        address,
        partial(_build, action),
        partial(_options, current, action, signed),
    )


def _authentication(action: str) -> ClientAuthentication:
    return ClientAuthentication(st.session_state[f"{action}.secret_in"])


def _apply_to_all(action: str) -> None:
    if f"{action}.secret_in" in st.session_state:  # pressed before the browser showed that the edits were forgotten
        st.session_state[AUTHENTICATION] = _authentication(action)


def _build(action: str, url: str, fields: list[Field]) -> Request:
    authentication = _authentication(action)
    if action == "par":
        return flows.par_request(url, fields, authentication)
    if ACTIONS[action].grant is None:
        return flows.form_request(url, fields, authentication)
    return flows.token_request(url, fields, BodyFormat(st.session_state[f"{action}.body"]), authentication)


def _options(current: Session, action: str, signed: Signed) -> None:
    usual = (ClientAuthentication.BODY, ClientAuthentication.BASIC, _authentication(action))
    methods = [item for item in AUTHENTICATION_LABELS if current.options or item in usual]
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        if ACTIONS[action].grant is not None:
            st.segmented_control(
                "Body",
                list(BodyFormat),
                format_func={"json": "JSON", "form": "Form"}.__getitem__,
                required=True,
                key=f"{action}.body",
                persist_state="session",
            )
        st.segmented_control(
            "Client authentication",
            methods,
            format_func=AUTHENTICATION_LABELS.__getitem__,
            required=True,
            key=f"{action}.secret_in",
            help="Applies to the other requests of this client too.",
            on_change=_apply_to_all,
            args=(action,),
            persist_state="session",
        )
        if _authentication(action) is ClientAuthentication.PRIVATE_KEY_JWT:
            _assertion(current, action, signed)
        if signed.proof and ACTIONS[action].grant is not None:
            proof(current, action, signed)


def proof(current: Session, action: str, signed: Signed) -> None:
    """Draw the content of a request's DPoP proof."""
    with st.popover("View the proof", icon=":material/key:", key=f"{action}.proof"):
        _content(current, signed.proof)


def _content(current: Session, token: str) -> None:
    """Draw header and claims of a token that was signed here, without the signature."""
    decoded = decode(token)
    if decoded is not None:
        st.code(token_inspector.document(current, decoded), language="json", wrap_lines=True)


def _assertion(current: Session, action: str, signed: Signed) -> None:
    """Draw the client's key and the content of its assertion (RFC 7523 §3)."""
    place = f"{action}.assertion"
    with st.popover("Key and assertion", icon=":material/key:", key=place):
        key = current.flow.signing_key
        if key is None:
            st.text_area(
                "Private key, as PEM or JWK",
                key=f"{place}.key",
                help="Kept in the memory of this browser session only, and removed from the page at once.",
                on_change=_take_key,
                args=(current, place),
            )
            if current.signing.key_problem:
                notices.error("This key cannot be used.", current.signing.key_problem)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":green[:material/check:] The key signs with {key.algorithm}", width="stretch")
            st.button("Forget the key", key=f"{place}.forget", on_click=current.forget_key, type="tertiary")
        statement = current.signing.statement(current.flow)
        for name in STATEMENT_LABELS:
            widget_defaults.keep(f"{place}.{name}", str(getattr(statement, name)))
        for name, label in STATEMENT_LABELS.items():
            st.text_input(
                label, key=f"{place}.{name}", on_change=_state, args=(current, place), persist_state="session"
            )
        if signed.assertion:
            _content(current, signed.assertion)


def _state(current: Session, place: str) -> None:
    audience, lifetime, kid = ((st.session_state[f"{place}.{name}"] or "").strip() for name in STATEMENT_LABELS)
    current.signing.change_claims(audience, lifetime, kid)


def _take_key(current: Session, place: str) -> None:
    pasted = st.session_state[f"{place}.key"] or ""
    st.session_state[f"{place}.key"] = ""
    try:
        current.take_key(pasted)
    except InputError as error:
        current.signing.key_problem = str(error)
