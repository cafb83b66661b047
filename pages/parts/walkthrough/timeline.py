"""The timeline of a flow: each request with its way, its outcome and its time, the failed ones on red."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from oauth.addresses import split
from oauth.exchange import Step
from pages.parts.common import clock
from pages.parts.common.session import Shown

LABEL = "Sequence of the requests and responses of this flow"

WAYS = {Step.AUTHORIZE: "Browser → Provider", Step.CALLBACK: "Browser → Console"}
"""Sender and receiver of each step's request; the console sends all others to the provider."""

_STYLE = """
.timeline { width: 100%; border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.timeline :is(td, th) { padding: 0.35rem 0.75rem 0.35rem 0; border: 0; text-align: left; vertical-align: top; }
.timeline tr { border-top: 1px solid light-dark(#dfe3e8, #2a343d); }
.timeline td:first-child { padding-left: 0.5rem; }
.timeline td:nth-child(3) { overflow-wrap: anywhere; }
.timeline .quiet { color: light-dark(#5b6670, #a3b0b9); white-space: nowrap; }
.timeline .failed { background: light-dark(#fdecee, #31191d); }
.timeline .failed .outcome { color: light-dark(#9c1f2c, #f28b95); }
@media (max-width: 640px) { .timeline td:nth-child(2), .timeline td:nth-child(5) { display: none; } }
"""


def draw(sequence: Sequence[Shown]) -> None:
    """Draw the exchanges of a flow in order."""
    if not sequence:
        st.caption("Each request that is sent is listed here.")
        return
    rows = "".join(_row(shown) for shown in sequence)
    st.html(f'<style>{_STYLE}</style><table class="timeline" aria-label="{LABEL}"><tbody>{rows}</tbody></table>')


def _row(shown: Shown) -> str:
    exchange = shown.exchange
    times = f" ({shown.times} times)" if shown.times > 1 else ""
    cells = (
        ("quiet", clock.at(exchange.started_at)),
        ("quiet", WAYS.get(exchange.step, "Console → Provider")),
        ("", f"{exchange.step.value}{times} · {exchange.request.method} {split(exchange.request.url).path}"),
        ("outcome", outcome(shown)),
        ("quiet", clock.took(exchange)),
    )
    html = "".join(f'<td class="{name}">{escape(text)}</td>' for name, text in cells)
    return f'<tr class="{"failed" if shown.failed is not None else ""}">{html}</tr>'


def outcome(shown: Shown) -> str:
    """Return the outcome of an exchange in a few words."""
    exchange, explanation = shown.exchange, shown.explanation
    error = explanation.error or explanation.title if explanation is not None else ""
    if exchange.failure is not None:
        return error or exchange.failure.kind
    if exchange.response is not None:
        return f"{exchange.response.status or 'status unknown'} {error}".strip()
    return error or ("received" if exchange.step is Step.CALLBACK else "waiting for the response")
