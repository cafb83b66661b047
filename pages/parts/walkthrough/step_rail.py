"""The step rail: the steps with their honest state and one line of fact each."""

import streamlit as st

from oauth.exchange import Step
from oauth.flow.device import DeviceStatus
from pages.parts.common.card import plain
from pages.parts.common.session import Session, Shown
from pages.parts.walkthrough.actions import ACTIONS

TITLES = {
    "par": "Push",
    "authorize": "Authorize",
    "callback": "Callback",
    "token": "Exchange",
    "device": "Device",
    "call": "Call and refresh",
}
OFFERED = ("par", "device")
"""Steps that a server may offer, by an address in its profile."""
CALLS = (Step.API, Step.REFRESH, Step.USERINFO, Step.INTROSPECT, Step.REVOKE)
ICONS = {
    "done": ":material/check_circle:",
    "failed": ":material/error:",
    "waiting": ":material/hourglass_empty:",
    "ready": ":material/play_circle:",
}
COLOURS = {"done": "green", "failed": "red", "waiting": "gray", "ready": "primary"}


def draw(session: Session) -> None:
    """Draw the rail; a click on a step opens or closes it."""
    with st.container(border=True, gap="small", key="rail"):
        for card, title in TITLES.items():
            if not is_offered(session, card):
                continue
            state, fact = status(session, card)
            with st.container(gap=None):
                st.button(
                    f":{COLOURS[state]}[{ICONS[state]}] {title}",
                    key=f"rail.{card}",
                    type="tertiary",
                    help=f"Step {state}. Click to open or close it.",
                    on_click=_toggle,
                    args=(session, card),
                )
                st.caption(f":red[{fact}]" if state == "failed" else fact)


def status(session: Session, card: str) -> tuple[str, str]:
    """A step's state (ready, waiting, failed or done) and the fact that says so."""
    flow = session.flow
    match card:
        case "authorize":
            if flow.callback is not None:
                return _outcome(session.shown.get(card), "answered")
            return ("waiting", "waits for the redirect") if card in session.shown else ("ready", "not opened yet")
        case "callback":
            if flow.callback is None:
                return "waiting", "waits for the redirect" if "authorize" in session.shown else "waits for step 1"
            if error := flow.callback.get("error"):
                return "failed", f"error {plain(error)}"
            if flow.callback.is_mixed_up:
                return "failed", "another issuer answered"
            check = flow.callback.state_check.value
            return ("failed" if check == "differs" else "done"), f"code received, state {check}"
        case "par":
            if card in session.shown:
                return _outcome(session.shown[card], "reference received")
            return "ready", "only if the client has to"
        case "device":
            return _device(session)
        case "token":
            if card in session.shown:
                return _outcome(session.shown[card], "tokens received")
            return ("ready", "has a code") if flow.code else ("waiting", "waits for a code")
        case _:
            latest = next((s for s in reversed(session.sequence) if s.exchange.step in CALLS), None)
            if latest is not None:
                return _outcome(latest, f"{latest.exchange.step.value} answered")
            has_token = flow.tokens or flow.application_tokens
            return ("ready", "has a token") if has_token else ("waiting", "waits for a token")


def _device(session: Session) -> tuple[str, str]:
    """How far the device grant is."""
    device = session.flow.device
    if device is None:
        return (
            _outcome(session.shown.get("device"), "") if "device" in session.shown else ("ready", "instead of 1 to 3")
        )
    match device.status:
        case DeviceStatus.PENDING:
            return "waiting", "waits for the user"
        case DeviceStatus.DONE:
            return "done", "tokens received"
        case _:
            return "failed", device.status.value


def _outcome(shown: Shown | None, fact: str) -> tuple[str, str]:
    if shown is None:
        return "done", fact
    response = shown.exchange.response
    if shown.explanation is not None:
        words = [str(response.status)] if response else ["no response"]
        words += ["incomplete"] if response and shown.exchange.failure else []
        words += [plain(shown.explanation.error)] if shown.explanation.error else []
        return "failed", " · ".join(words)
    return "done", f"{response.status} · {fact}" if response else fact


def is_offered(session: Session, card: str) -> bool:
    """Whether this provider has the step."""
    return card not in OFFERED or bool(ACTIONS[card].address(session.flow.provider))


def is_folded(session: Session, card: str) -> bool:
    """Whether a step is done and the flow has gone past it, so that only its title is left open."""
    later = {"par": session.flow.callback, "authorize": session.flow.callback, "callback": session.flow.tokens}
    return later.get(card) is not None and status(session, card)[0] == "done"


def is_open(session: Session, card: str) -> bool:
    """Whether a step's card is drawn."""
    return card in session.opened and is_offered(session, card)


def _toggle(session: Session, card: str) -> None:
    session.opened ^= {card}
