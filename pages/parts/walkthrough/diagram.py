"""The sequence diagram of what really happened, as Mermaid text."""

import re
from collections.abc import Sequence

import streamlit as st

from oauth.exchange import Step
from pages.parts.common.session import Shown

FAILED = "rect rgba(220, 60, 60, 0.12)"


def draw(sequence: Sequence[Shown]) -> None:
    """Draw the exchanges of a flow in order, with the failed ones on red."""
    if not sequence:
        st.caption("The diagram grows here with every request that really goes out.")
        return
    st.mermaid_chart(mermaid(sequence), alt="Sequence of the requests and answers of this flow")
    st.caption("What went over the wire, in order. Red is where it stopped.")


def mermaid(sequence: Sequence[Shown]) -> str:
    """The diagram's text. Words of a provider are reduced to letters, digits and a few signs, so none is markup."""
    lines = ["sequenceDiagram", "participant B as Browser", "participant C as Console", "participant P as Provider"]
    for shown in sequence:
        arrows = _arrows(shown)
        lines += [FAILED, *arrows, "end"] if shown.failed is not None else arrows
    return "\n".join(lines)


def _arrows(shown: Shown) -> list[str]:
    exchange, explanation = shown.exchange, shown.explanation
    outcome = "no answer yet"
    if exchange.failure is not None:
        outcome = explanation.title if explanation is not None else exchange.failure.kind
    elif exchange.response is not None:
        outcome = f"{exchange.response.status} {explanation.error if explanation else ''}".strip()
    outcome = _safe(outcome)
    match exchange.step:
        case Step.AUTHORIZE:
            out = ["B->>P: authorize"]
            return [*out, f"P-->>B: {outcome}"] if exchange.response is not None else out
        case Step.CALLBACK:
            return ["B->>C: callback"]
        case _:
            times = f" ({shown.times} times)" if shown.times > 1 else ""
            sent = f"{_safe(exchange.request.method)} {exchange.step.value}{times}"
            return [f"C->>P: {sent}", f"P-->>C: {outcome}"]


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_ .-]", " ", text)[:60]
