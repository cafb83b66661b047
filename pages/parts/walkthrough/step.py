"""What every step has: its frame, where its request is edited, the button that sends it, and what came back."""

from datetime import timedelta
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth.drills.sandbox_queue import queue_at
from oauth.exchange import Step
from oauth.formatting import span
from pages.parts.common import card, exchange
from pages.parts.common.session import Fixing, Session, Shown
from pages.parts.walkthrough import diagnosing, fix, request, sending, step_rail

ANSWER = "Waiting for the answer, 10 s at most"

STEPS_OF = {
    "par": (Step.PAR,),
    "authorize": (Step.AUTHORIZE,),
    "callback": (Step.CALLBACK,),
    "token": (Step.TOKEN,),
    "call": (Step.API, Step.REFRESH, Step.USERINFO, Step.INTROSPECT, Step.REVOKE),
    "device": (Step.DEVICE,),
}
"""The steps whose notes stand in a card."""


def frame(current: Session, name: str, title: str) -> DeltaGenerator:
    """A step's frame; a step that the flow has gone past is folded, and opens with a click."""
    if step_rail.is_folded(current, name):
        return st.expander(f"**{title}**", icon=":material/check_circle:", key=f"step.{name}.done")
    box = st.container(border=True, key=f"step.{name}")
    box.subheader(title, anchor=False)
    for note in (note for step in STEPS_OF[name] for note in current.flow.provider.notes_on(step)):
        box.text(note)
    return box


def editor(current: Session, action: str) -> DeltaGenerator:
    """Where a request is edited: in the open until it was sent, folded away after, so that the answer is seen."""
    if action in current.shown:
        return st.expander("Change the request and send it again", key=f"{action}.edit", icon=":material/edit:")
    return st.container(key=f"{action}.edit")


def send(current: Session, action: str, label: str, edited: request.Edited) -> None:
    """Draw the send button, send when it was pressed, and draw what came back."""
    again = action in current.shown
    preflight(current, action, edited)
    st.button(
        "Send again" if again else label,
        key=f"{action}.send",
        icon=":material/send:",
        type="secondary" if again else "primary",
        disabled=edited is None,
        on_click=sending.press,
        args=(current, action),
    )
    send_if_pressed(current, action, edited)
    shown(current, action)


def send_if_pressed(current: Session, action: str, edited: request.Edited) -> None:
    """Send once what was pressed, with the fields as they stand now."""
    if sending.take_press(current, action) and edited is not None:
        before = queue_at(current.flow.provider.control).taken_by
        told = f"Waiting for its turn. The sandbox is taken by: {before}" if before else ANSWER
        with st.spinner(told, show_time=True):
            sending.send(current, action, edited[0])
        st.rerun()


def shown(current: Session, action: str) -> None:
    """Draw what came back to an action last, and its card when it failed."""
    last = current.shown.get(action)
    if last is None:
        return
    if current.fixing is not None and current.fixing.action == action and current.fixing.before is not last:
        _before_and_after(current.fixing, last)
    if last.unfinished and last.explanation is not None:
        st.markdown(f":gray[:material/hourglass_empty:] {last.explanation.title}")
    exchange.draw(action, last.exchange, last.failed)
    if last.failed is not None:
        card.draw(action, last.exchange, last.failed, last.diagnosis, partial(fix.apply, current, action))
    _nonce(current, action)


def countdown(what: str, left: timedelta) -> str:
    """How long something lives, or that it does no more."""
    seconds = left.total_seconds()
    return f"{what} for {span(seconds)} more." if seconds > 0 else f"{what} no more: it expired {span(-seconds)} ago."


def preflight(current: Session, action: str, edited: request.Edited) -> None:
    """Say what would fail while it can still be changed. Sending anyway stays possible."""
    # What was sent already has its card; what was changed since is checked again.
    if edited is None or sending.was_sent(current, action, edited[0]):
        return
    if found := diagnosing.preflight(current, action, edited[0]):
        with st.container(border=True, key=f"{action}.preflight"):
            st.markdown(":orange[:material/warning:] **This would fail if it were sent as it is**")
            card.causes(found)


def _nonce(current: Session, action: str) -> None:
    """The round trip of RFC 9449 §8: the server gave a nonce, and the same request may be sent with it."""
    nonce = sending.wanted_nonce(current, action)
    if not nonce:
        return
    with st.container(border=True, key=f"{action}.dpop.nonce"):
        st.markdown("**The server gave a nonce**")
        st.text("The next proof carries it. Nothing was sent again by itself.")
        st.code(current.vault.placeholder("dpop_nonce", nonce), language=None)
        if action == "poll":
            st.caption("Ask again when the interval is over.")
            return
        st.button(
            "Send again with the nonce",
            key=f"{action}.dpop.again",
            icon=":material/send:",
            type="primary",
            on_click=sending.press,
            args=(current, action),
        )


def _before_and_after(fixing: Fixing, after: Shown) -> None:
    with st.container(border=True, gap="small", key=f"{fixing.action}.fixed"):
        worked = after.failed is None
        st.markdown(":green[:material/check:] **It was this**" if worked else "**It was changed, and still fails**")
        st.text(f"before: {_outcome(fixing.before)}\nafter: {_outcome(after)}")
        st.text(fixing.fix.title)
        if fixing.fix.changes:
            st.code(card.diff(fixing.fix.changes), language="diff", wrap_lines=True)


def _outcome(last: Shown) -> str:
    response = last.exchange.response
    words = [str(response.status) if response else "no response"]
    if last.explanation is not None:
        words.append(last.explanation.error or last.explanation.title)
    if last.exchange.id is not None:
        words.append(f"row {last.exchange.id}")
    return ", ".join(words)
