"""Parts of every step: its frame, the editor of its request, the send button, and the result."""

from datetime import timedelta
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth.diagnosis import Cause, Change, Fix, Label, Target, Verdict
from oauth.drills.sandbox_queue import queue_for
from oauth.exchange import Step
from oauth.formatting import span
from pages.parts.common import card, exchange, keyboard
from pages.parts.common.markdown import escaped
from pages.parts.common.session import Fixing, Session, Shown
from pages.parts.walkthrough import diagnosing, fix, request, sending, step_rail

STYLE = """
[data-testid=stLayoutWrapper]:has(> [class*="-bar"]):not(:has(> :empty)) {
  position: sticky; top: 3.75rem; z-index: 20; background: light-dark(#ffffff, #0e1418); padding: 0.25rem 0;
}
[class*="st-key-"][class*="-top"], [class*="st-key-step-"], .st-key-tokens, .st-key-walkthrough-overtaken {
  scroll-margin-top: 8rem;
}
[data-testid=stLayoutWrapper]:has(> [class*="-focus "]) { display: none; }
"""
"""The button of a step stays in sight below the page's header while its request and its result scroll."""


def frame(current: Session, name: str, title: str) -> DeltaGenerator:
    """Return a step's container, folded to a line with its fact unless it is the step that is open."""
    if name != current.step:
        state, fact = step_rail.status(current, name)
        icon = step_rail.LOOKS[state][1]
        return st.expander(f"**{title}** · {fact}", icon=f":material/{icon}:", key=f"step.{name}.done")
    box = st.container(border=True, key=f"step.{name}")
    box.header(title, anchor=False)
    if current.moves:
        has_new_tokens = name == "call" and current.latest == "token"
        with box:
            keyboard.focus("tokens" if has_new_tokens else f"step.{name}", f"{current.flow.id} step {current.moves}")
    for step in step_rail.CALLS if name == "call" else [Step(name)]:
        for note in current.flow.provider.notes_on(step):
            box.text(note)
    return box


def editor(current: Session, action: str) -> DeltaGenerator:
    """Return the container of a request's editor, below the place of its button and its result.

    It is collapsed once the request was sent.
    """
    place_result(current, action)
    if action in current.shown:
        return st.expander("Edit the request and send it again", key=f"{action}.edit", icon=":material/edit:")
    return st.container(key=f"{action}.edit")


def place_result(current: Session, action: str) -> None:
    """Keep this place for the button and the result of an action, so that both are in view above its editor."""
    if action not in current.slots:
        bar, result = st.container(key=f"{action}.bar"), st.container(key=f"{action}.top")
        current.slots[action] = bar, result


def send(current: Session, action: str, label: str, edited: request.Edited) -> None:
    """Draw the send button and the result, and send the request when the button was pressed."""
    place_result(current, action)
    bar, result = current.slots.pop(action)
    causes = _causes_before(current, action, edited)
    is_repeated = action in current.shown
    with bar:
        st.button(
            "Send again" if is_repeated else label,
            key=f"{action}.send",
            icon=":material/send:",
            type="secondary" if is_repeated or any(cause.verdict is Verdict.PROVEN for cause in causes) else "primary",
            disabled=edited is None,
            on_click=sending.press,
            args=(current, action),
        )
    with result:
        _warn(action, causes)
        send_if_pressed(current, action, edited)
        draw_result(current, action)


def send_if_pressed(current: Session, action: str, edited: request.Edited) -> None:
    """Send the request once if its button was pressed, with the fields as they are now."""
    if sending.take_press(current, action) and edited is not None:
        holder = queue_for(current.flow.provider.control).holder
        reason = f"Waiting for the sandbox, which is used by: {holder}" if holder else "Waiting for the response"
        with st.spinner(reason, show_time=True):
            sending.send(current, action, edited[0])
        st.rerun()


def draw_result(current: Session, action: str) -> None:
    """Draw the last exchange of an action, with its card if it failed."""
    last = current.shown.get(action)
    if last is None:
        return
    if current.fixing is not None and current.fixing.action == action and current.fixing.before is not last:
        _before_and_after(current.fixing, last)
    if last.unfinished and last.explanation is not None:
        st.markdown(f":gray[:material/hourglass_empty:] {escaped(last.explanation.title)}")
    if action == "authorize" and "callback" in current.shown:
        st.caption("The redirect is step 2's callback, which is read there.")
    elif last.failed is not None:
        card.draw(action, last.exchange, last.failed, last.diagnosis, partial(fix.apply, current, action))
    exchange.draw(action, last.exchange, last.failed, wide=True)
    if action == current.latest and not last.unfinished:
        keyboard.focus(f"{action}.top", f"{current.flow.id} result {len(current.sequence)}")
    _nonce(current, action)
    _step_up(current, action)


def expiry(name: str, left: timedelta) -> str:
    """Describe when something expires or expired."""
    seconds = left.total_seconds()
    return f"{name} expires in {span(seconds)}" if seconds > 0 else f"{name} expired {span(-seconds)} ago"


def preflight(current: Session, action: str, edited: request.Edited) -> None:
    """Warn of causes that would make the request fail. It can still be sent."""
    _warn(action, _causes_before(current, action, edited))


def _causes_before(current: Session, action: str, edited: request.Edited) -> tuple[Cause, ...]:
    # A request that was sent has its card; one edited since is checked again.
    if edited is None or sending.was_sent(current, action, edited[0]):
        return ()
    return diagnosing.preflight(current, action, edited[0])


def _warn(action: str, causes: tuple[Cause, ...]) -> None:
    if causes:
        with st.container(border=True, key=f"{action}.preflight"):
            st.markdown(":orange[:material/warning:] **This request would fail**")
            card.causes(causes)


def _nonce(current: Session, action: str) -> None:
    """Offer to send the request again with the nonce that the server sent (RFC 9449 §8)."""
    nonce = sending.required_nonce(current, action)
    if not nonce:
        return
    with st.container(border=True, key=f"{action}.dpop.nonce"):
        st.markdown("**The server requires a nonce**")
        st.text("The next proof contains it. The request was not sent again automatically.")
        st.code(current.vault.placeholder("dpop_nonce", nonce), language=None)
        if action == "poll":
            st.caption("Poll again after the interval.")
            return
        st.button(
            "Send again with the nonce",
            key=f"{action}.dpop.again",
            icon=":material/send:",
            type="primary",
            on_click=sending.press,
            args=(current, action),
        )


def _step_up(current: Session, action: str) -> None:
    """Offer to authorize again with the scope that the API's challenge names (RFC 6750 §3.1, RFC 9470 §3)."""
    last = current.shown[action]
    scope = sending.wanted_scope(current, action)
    causes = last.diagnosis.causes if last.diagnosis is not None else ()
    if not scope or any(cause.fix is not None and cause.fix.step is Step.AUTHORIZE for cause in causes):
        return  # the card has the button
    provider, tokens = current.flow.provider, current.flow.tokens
    before = (tokens.requested_scope or tokens.scope if tokens is not None else "") or provider.scope
    after = provider.scope_separator.join(dict.fromkeys([*provider.scopes(before), *scope.split()]))
    change = Change(Target.FIELD, "scope", before, after)
    with st.container(border=True, key=f"{action}.step_up.box"):
        st.markdown("**The API asks for more scope**")
        st.code(scope, language=None)
        st.button(
            "Authorize again with it",
            key=f"{action}.step_up",
            icon=":material/add_moderator:",
            type="primary",
            on_click=fix.apply,
            args=(current, action, Fix(Label.START_AGAIN, "Request the scope as well", Step.AUTHORIZE, (change,))),
        )


def _before_and_after(fixing: Fixing, after: Shown) -> None:
    with st.container(border=True, gap="small", key=f"{fixing.action}.fixed"):
        st.markdown(_result_of_fix(fixing.before, after))
        st.text(f"before: {_outcome(fixing.before)}\nafter: {_outcome(after)}")
        st.text(fixing.fix.title)
        if fixing.fix.changes:
            st.code(card.diff(fixing.fix.changes), language="diff", wrap_lines=True)


def _result_of_fix(before: Shown, after: Shown) -> str:
    if after.failed is None:
        return ":green[:material/check:] **The fix worked**"
    if before.explanation and after.explanation and before.explanation.title != after.explanation.title:
        return "**The first error is gone; now there is another one**"
    return "**The fix did not help**"


def _outcome(result: Shown) -> str:
    response, explanation, row = result.exchange.response, result.explanation, result.exchange.id
    status = str(response.status) if response else "no response"
    error = explanation.error or explanation.title if explanation is not None else ""
    return ", ".join(filter(None, (status, error, f"row {row}" if row is not None else "")))
