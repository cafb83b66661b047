"""A token without a browser here: a code to type elsewhere, and asking until the user is done (RFC 8628)."""

from datetime import datetime
from urllib.parse import urlsplit

import streamlit as st

from oauth.flow.device import Device, DeviceStatus
from oauth.formatting import span
from oauth.installation import now
from pages.parts.common import session
from pages.parts.common.session import Session
from pages.parts.walkthrough import sending, step, token_request, tokens

ENDS = {
    DeviceStatus.DENIED: ":red[:material/close:] The user refused",
    DeviceStatus.EXPIRED: ":red[:material/close:] The code has expired. Ask for a new one",
    DeviceStatus.FAILED: ":red[:material/close:] The server will not give a token for this code. Ask for a new one",
    DeviceStatus.DONE: ":green[:material/check:] The user approved, and the tokens are here",
}


def draw(current: Session) -> None:
    """Draw the step."""
    with step.frame(current, "device", "Instead of 1 to 3 · A device without a browser"):
        st.write("The device shows a code. The user types it on another device and approves there.")
        token_request.draw(current, "device", "Ask for a code")
        device = current.flow.device
        if device is None:
            return
        box = st.container(border=True, key="device.code")
        with box:
            _what_to_type(current, device)
        with st.expander("The request that asks for the token", key="poll.edit", icon=":material/edit:"):
            edited = token_request.edit(current, "poll")
        step.preflight(current, "poll", edited)
        step.send_if_pressed(current, "poll", edited)
        with box:  # after what it may have pressed was sent
            _standing()
        step.shown(current, "poll")
        if device.status is DeviceStatus.DONE and current.flow.tokens is not None:
            tokens.tokens(current, current.flow.tokens, "device_tokens")


def _what_to_type(current: Session, device: Device) -> None:
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        st.caption("Open")
        st.code(device.verification_uri, language=None, wrap_lines=True)
    with right:
        st.caption("and type")
        # It is made to be read out to a person, so here, and here only, it stands in the open while it is waited for.
        waits = device.status is DeviceStatus.PENDING
        code = device.user_code if waits else current.vault.placeholder("user_code", device.user_code)
        st.code(code, language=None)
    address = device.verification_uri_complete or device.verification_uri
    if device.status is DeviceStatus.PENDING and urlsplit(address).scheme in ("http", "https"):
        st.link_button(
            "Open it here, with the code" if device.verification_uri_complete else "Open it here",
            address,
            key="device.open",
            icon=":material/open_in_new:",
        )


@st.fragment(run_every=1)
def _standing() -> None:
    """How far it is; asks the server when that was switched on, and never before its interval is over."""
    current = session.get()
    device = current.flow.device if current is not None else None
    if current is None or device is None:
        return
    at = now()
    if device.status is not DeviceStatus.PENDING:
        st.markdown(ENDS[device.status])
        return
    if device.has_expired(at):
        st.markdown(ENDS[DeviceStatus.EXPIRED])
        return
    by_itself = st.toggle(
        "Ask by itself, as often as the server allows", key="device.by_itself", persist_state="session"
    )
    st.button(
        "Ask for the token",
        key="poll.send",
        icon=":material/send:",
        type="primary",
        disabled=not device.may_poll(at),
        on_click=sending.press,
        args=(current, "poll"),
    )
    if by_itself and device.may_poll(at):
        sending.press(current, "poll")
    if current.pressed == "poll":
        st.rerun()
    st.caption(_waiting(device, at))


def _waiting(device: Device, at: datetime) -> str:
    asked = f"Asked {device.polls} times. " if device.polls > 1 else "Asked once. " if device.polls else ""
    left = (device.next_poll_at - at).total_seconds()
    soon = f"May be asked again in {span(left + 1)}. " if left > 0 else "May be asked now. "
    life = span((device.expires_at - at).total_seconds())
    return f"{asked}{soon}At most once every {span(device.interval)}; the code lives for {life} more."
