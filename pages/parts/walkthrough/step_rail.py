"""The step rail: each step with its state and the fact behind it."""

import streamlit as st

from oauth.exchange import Step
from oauth.flow.device import DeviceStatus
from pages.parts.common.markdown import plain
from pages.parts.common.session import Session, Shown
from pages.parts.walkthrough.actions import ACTIONS

TITLES = {
    "register": "Register",
    "par": "Push",
    "authorize": "Authorize",
    "callback": "Callback",
    "token": "Exchange",
    "device": "Device",
    "call": "Use the tokens",
}
OPTIONAL = ("register", "par", "device")
"""Steps that a provider offers only if its profile has their endpoint."""

CALLS = (Step.API, Step.REFRESH, Step.USERINFO, Step.INTROSPECT, Step.REVOKE)
LOOKS = {
    "done": ("green", "check_circle"),
    "failed": ("red", "error"),
    "waiting": ("gray", "hourglass_empty"),
    "ready": ("primary", "play_circle"),
}
"""Colour and icon of each state."""


_STYLE = """
@media (max-width: 640px) {
  .st-key-rail { flex-flow: row wrap; column-gap: 1.5rem; row-gap: 0; }
  .st-key-rail > * { width: auto; }
  .st-key-rail [data-testid=stCaptionContainer] { display: none; }
}
"""
"""On a phone the rail takes two lines, so that the open step is in view: its card has the fact."""


def draw(session: Session) -> None:
    """Draw the rail; a click on a step opens its card, and folds the one that is open."""
    st.html(f"<style>{_STYLE}</style>")
    with st.container(border=True, gap="small", key="rail"):
        for card, title in TITLES.items():
            if not is_offered(session, card):
                continue
            state, fact = status(session, card)
            colour, icon = LOOKS[state]
            with st.container(gap=None):
                st.button(
                    f":{colour}[:material/{icon}:] " + (f"**{title}**" if card == session.step else title),
                    key=f"rail.{card}",
                    type="tertiary",
                    help=f"Step {state}. Click to open it.",
                    on_click=session.go,
                    args=(card,),
                )
                st.caption(f":red[{fact}]" if state == "failed" else fact)


def status(session: Session, card: str) -> tuple[str, str]:
    """Return a step's state (ready, waiting, failed or done) and the fact behind it."""
    flow, shown = session.flow, session.shown.get(card)
    match card:
        case "authorize":
            if flow.callback is not None:
                return _outcome(shown, "redirect received")
            if shown is not None and shown.explanation is not None:
                return _outcome(shown, "")
            return ("waiting", "waiting for the redirect") if shown else ("ready", "not opened yet")
        case "callback":
            if flow.callback is None:
                return "waiting", "waiting for the redirect" if "authorize" in session.shown else "waiting for step 1"
            if error := flow.callback.get("error"):
                return "failed", f"error {plain(error)}"
            if flow.callback.is_mixed_up:
                return "failed", "response from another issuer"
            check = flow.callback.state_check.value
            return ("failed" if check == "differs" else "done"), f"code received, state {check}"
        case "register":
            if session.registered is not None:
                return "done", "client registered"
            return _outcome(shown, "") if shown else ("ready", "if you have no client")
        case "par":
            return _outcome(shown, "reference received") if shown else ("ready", "only if required")
        case "device":
            if flow.device is None:
                return _outcome(shown, "") if shown else ("ready", "instead of 1 to 3")
            match flow.device.status:
                case DeviceStatus.PENDING:
                    return "waiting", "waiting for the user"
                case DeviceStatus.DONE:
                    return "done", "tokens received"
                case _:
                    return "failed", flow.device.status.value
        case "token":
            if shown:
                return _outcome(shown, "tokens received")
            return ("ready", "has a code") if flow.code else ("waiting", "waiting for a code")
        case _:
            latest = next((s for s in reversed(session.sequence) if s.exchange.step in CALLS), None)
            if latest is not None:
                return _outcome(latest, f"{latest.exchange.step.value} succeeded")
            has_token = flow.tokens or flow.application_tokens
            return ("ready", "has a token") if has_token else ("waiting", "waiting for a token")


def _outcome(shown: Shown | None, fact: str) -> tuple[str, str]:
    if shown is None:
        return "done", fact
    response = shown.exchange.response
    if shown.explanation is not None:
        words = [str(response.status or "status unknown")] if response else ["no response"]
        words += ["incomplete"] if response and shown.exchange.failure else []
        words += [plain(shown.explanation.error)] if shown.explanation.error else []
        return "failed", " · ".join(words)
    return "done", f"{response.status} · {fact}" if response else fact


def is_offered(session: Session, card: str) -> bool:
    """Return True if this provider offers the step."""
    return card not in OPTIONAL or bool(ACTIONS[card].address(session.flow.provider))


def is_open(session: Session, card: str) -> bool:
    """Return True if a step's card is drawn."""
    return card in session.opened and is_offered(session, card)
