"""The device grant: a code to enter on another device, and polling until the user has finished (RFC 8628)."""

from datetime import datetime

import streamlit as st

from oauth.addresses import split
from oauth.flow.device import Device, DeviceStatus
from oauth.formatting import span
from oauth.installation import now
from pages.parts.common import drawing, session
from pages.parts.common.session import Session
from pages.parts.walkthrough import sending, step, token_request

RESULTS = {
    DeviceStatus.DENIED: ":red[:material/close:] The user denied the request",
    DeviceStatus.EXPIRED: ":red[:material/close:] The code has expired. Request a new one",
    DeviceStatus.FAILED: ":red[:material/close:] The server issued no tokens for this code. Request a new one",
    DeviceStatus.DONE: ":green[:material/check:] The user approved, and the server issued the tokens",
}


def draw(current: Session) -> None:
    """Draw the step."""
    with step.frame(current, "device", "Instead of 1 to 3 · A device without a browser"):
        st.write("The device shows a code. The user enters it on another device and approves there.")
        token_request.draw(current, "device", "Request a code")
        device = current.flow.device
        if device is None:
            return
        box = st.container(border=True, key="device.code")
        with box:
            _user_code(current, device)
        with st.expander("Token request", key="poll.edit", icon=":material/edit:"):
            edited = token_request.edit(current, "poll")
        step.preflight(current, "poll", edited)
        step.send_if_pressed(current, "poll", edited)
        with box:  # drawn last: it may press the button again, for the next run
            _polling()
        step.draw_result(current, "poll")


def _user_code(current: Session, device: Device) -> None:
    is_pending = device.status is DeviceStatus.PENDING
    left, right = st.columns(2, vertical_alignment="bottom")
    left.caption("Open")
    left.code(device.verification_uri, language=None, wrap_lines=True)
    right.caption("and enter")
    # The user has to read this code, so it is not masked while it is in use.
    user_code = device.user_code if is_pending else current.vault.placeholder("user_code", device.user_code)
    right.code(user_code, language=None)
    address = device.verification_uri_complete or device.verification_uri
    if is_pending and split(address).scheme in ("http", "https"):
        st.link_button(
            "Open here with the code" if device.verification_uri_complete else "Open here",
            address,
            key="device.open",
            icon=":material/open_in_new:",
        )


@drawing.fragment(run_every=1)
def _polling() -> None:
    """Draw the state of the grant; poll automatically if switched on, and never before the interval has passed."""
    current = session.get()
    device = current.flow.device if current is not None else None
    if current is None or device is None:
        return
    at = now()
    if device.status is not DeviceStatus.PENDING or device.has_expired(at):
        st.markdown(RESULTS.get(device.status, RESULTS[DeviceStatus.EXPIRED]))
        return
    is_automatic = st.toggle(
        "Poll automatically",
        key="device.by_itself",
        help="As often as the server allows.",
        persist_state="session",
    )
    st.button(
        "Poll for the token",
        key="poll.send",
        icon=":material/send:",
        type="primary",
        disabled=not device.may_poll(at),
        on_click=sending.press,
        args=(current, "poll"),
    )
    if is_automatic and device.may_poll(at):
        sending.press(current, "poll")
    if current.pressed == "poll":
        st.rerun()
    st.caption(_waiting(device, at))


def _waiting(device: Device, at: datetime) -> str:
    count = f"Polled {device.polls} times. " if device.polls > 1 else "Polled once. " if device.polls else ""
    seconds = (device.next_poll_at - at).total_seconds()
    next_poll = f"Next poll possible in {span(seconds + 1)}. " if seconds > 0 else "Next poll possible now. "
    return f"{count}{next_poll}Minimum interval {span(device.interval)}. {step.expiry('Code', device.expires_at - at)}"
