"""The sequence diagram of a flow's exchanges, as Mermaid text."""

import re
from collections.abc import Sequence

import streamlit as st

from oauth.exchange import Step
from pages.parts.common.session import Shown

FAILED_BACKGROUND = "rect rgba(220, 60, 60, 0.12)"


def draw(sequence: Sequence[Shown]) -> None:
    """Draw the exchanges of a flow in order, the failed ones on red."""
    if not sequence:
        st.caption("Each request that is sent appears in a diagram here.")
        return
    st.mermaid_chart(mermaid(sequence), alt="Sequence of the requests and responses of this flow")
    st.caption("Requests and responses in order. Failed ones are on red.")


def mermaid(sequence: Sequence[Shown]) -> str:
    """Return the diagram's text. Provider texts are reduced to letters, digits and a few signs, so none is markup."""
    lines = ["sequenceDiagram", "participant B as Browser", "participant C as Console", "participant P as Provider"]
    for shown in sequence:
        arrows = _arrows(shown)
        lines += [FAILED_BACKGROUND, *arrows, "end"] if shown.failed is not None else arrows
    return "\n".join(lines)


def _arrows(shown: Shown) -> list[str]:
    exchange, explanation = shown.exchange, shown.explanation
    outcome = "no response yet"
    if exchange.failure is not None:
        outcome = explanation.title if explanation is not None else exchange.failure.kind
    elif exchange.response is not None:
        outcome = f"{exchange.response.status} {explanation.error if explanation else ''}".strip()
    outcome = _safe(outcome)
    match exchange.step:
        case Step.AUTHORIZE:
            request = ["B->>P: authorize"]
            return [*request, f"P-->>B: {outcome}"] if exchange.response is not None else request
        case Step.CALLBACK:
            return ["B->>C: callback"]
        case _:
            times = f" ({shown.times} times)" if shown.times > 1 else ""
            request_line = f"{_safe(exchange.request.method)} {exchange.step.value}{times}"
            return [f"C->>P: {request_line}", f"P-->>C: {outcome}"]


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_ .-]", " ", text)[:60]
