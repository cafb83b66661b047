"""A request in which the client proves itself: how, and with what key it signs where it has no secret."""

from dataclasses import replace
from functools import partial

import streamlit as st

from oauth import flow as flows
from oauth.errors import InputError
from oauth.exchange import Request
from oauth.flow import Field, Signed
from oauth.jose.jwt import decode
from oauth.providers import BodyFormat, ClientAuthentication
from pages.parts.common import widget_defaults
from pages.parts.common.session import AUTHENTICATION, Session
from pages.parts.walkthrough import request, step, token_inspector
from pages.parts.walkthrough.actions import ACTIONS

SECRET_IN = {
    ClientAuthentication.BODY: "Body",
    ClientAuthentication.BASIC: "Basic",
    ClientAuthentication.NONE: "Nowhere",
    ClientAuthentication.PRIVATE_KEY_JWT: "Signed",
}
"""How the client proves itself, as the switch says it."""

STATED = {
    "audience": "aud: the issuer, or the token endpoint",
    "lifetime": "exp: seconds from now",
    "kid": "kid: the key's name at the server",
}
"""What can be changed in an assertion."""


def draw(current: Session, action: str, label: str) -> None:
    """Draw an action in which the client proves itself: its request, the button and what came back."""
    with step.editor(current, action):
        edited = edit(current, action)
    step.send(current, action, label, edited)


def edit(current: Session, action: str) -> request.Edited:
    """Draw the request alone, and return it as it would be sent."""
    provider = current.flow.provider
    widget_defaults.keep(f"{action}.secret_in", st.session_state[AUTHENTICATION])
    if ACTIONS[action].grant is not None:
        widget_defaults.keep(f"{action}.body", provider.token_body)
    flow = replace(current.flow, authentication=_authentication(action))
    address = ACTIONS[action].address(provider)
    signed = current.signing.sign(
        current.flow, action, "POST", request.address(current, action, address), flow.authentication
    )
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


def _prove(action: str) -> None:
    st.session_state[AUTHENTICATION] = _authentication(action)


def _build(action: str, url: str, fields: list[Field]) -> Request:
    authentication = _authentication(action)
    if action == "par":
        return flows.par_request(url, fields, authentication)
    if ACTIONS[action].grant is None:
        return flows.form_request(url, fields, authentication)
    return flows.token_request(url, fields, BodyFormat(st.session_state[f"{action}.body"]), authentication)


def _options(current: Session, action: str, signed: Signed) -> None:
    offered = [item for item in SECRET_IN if current.options or item in current.usual_authentication(action)]
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
            "Secret in",
            offered,
            format_func=SECRET_IN.__getitem__,
            required=True,
            key=f"{action}.secret_in",
            help="How the client proves itself. The other requests of this client follow.",
            on_change=_prove,
            args=(action,),
            persist_state="session",
        )
        if _authentication(action) is ClientAuthentication.PRIVATE_KEY_JWT:
            _assertion(current, action, signed)
        if signed.proof and ACTIONS[action].grant is not None:
            proof(current, action, signed)


def proof(current: Session, action: str, signed: Signed) -> None:
    """What the DPoP proof of a request says."""
    with st.popover("What the proof says", icon=":material/key:", key=f"{action}.proof"):
        _said(current, signed.proof)


def _said(current: Session, token: str) -> None:
    """What was signed here, without the signature."""
    seen = decode(token)
    if seen is not None:
        st.code(token_inspector.document(current, seen), language="json", wrap_lines=True)


def _assertion(current: Session, action: str, signed: Signed) -> None:
    """The client's key, and what its assertion says (RFC 7523 §3)."""
    place = f"{action}.assertion"
    with st.popover("The key and what it signs", icon=":material/key:", key=place):
        key = current.flow.signing_key
        if key is None:
            st.text_area(
                "Private key, as PEM or JWK",
                key=f"{place}.key",
                help="Kept in the memory of this browser session only, and taken off the page at once.",
                on_change=_take_key,
                args=(current, place),
            )
            if current.signing.key_problem:
                st.error("This key cannot be used.")
                st.text(current.signing.key_problem)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":green[:material/check:] A key that signs with {key.algorithm}", width="stretch")
            st.button("Forget it", key=f"{place}.forget", on_click=current.forget_key, type="tertiary")
        for name in STATED:
            widget_defaults.keep(f"{place}.{name}", str(getattr(current.signing.statement(current.flow), name)))
        for name, label in STATED.items():
            st.text_input(
                label, key=f"{place}.{name}", on_change=_state, args=(current, place), persist_state="session"
            )
        if signed.assertion:
            _said(current, signed.assertion)


def _state(current: Session, place: str) -> None:
    audience, lifetime, kid = ((st.session_state[f"{place}.{name}"] or "").strip() for name in STATED)
    current.signing.change_claims(audience, lifetime, kid)


def _take_key(current: Session, place: str) -> None:
    pasted = st.session_state[f"{place}.key"] or ""
    st.session_state[f"{place}.key"] = ""
    try:
        current.take_key(pasted)
    except InputError as error:
        current.signing.key_problem = str(error)
