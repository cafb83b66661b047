"""What a support engineer sends on: the request, the whole answer, its Request ID, and why it failed, as plain text.

The exchange must be redacted: nothing is hidden here.
"""

from oauth import formatting
from oauth.catalogue.explain import Explanation
from oauth.diagnosis import Diagnosis
from oauth.exchange import Exchange


def summary(exchange: Exchange, explanation: Explanation, diagnosis: Diagnosis | None = None) -> str:
    """A redacted exchange with its error, in the order that the provider's support asks for it."""
    number = f"Documented error {explanation.number}: " if explanation.number is not None else ""
    lines = [
        f"{number}{explanation.title}",
        f"Time: {exchange.started_at:%Y-%m-%d %H:%M:%S} UTC",
        f"Request ID: {exchange.request_id or 'none was sent'}",
    ]
    if exchange.case:
        lines.append(f"Case: {exchange.case}")
    if diagnosis is not None and diagnosis.most_likely:
        lines.append(f"Cause: {diagnosis.most_likely}")
    if "tls_unverified" in exchange.marks:
        lines.append("TLS: the server's certificate was not checked")
    lines += ["", "Request", formatting.raw_request(exchange.request)]
    if exchange.response is not None:
        lines += ["", "Response", formatting.raw_response(exchange.response)]
    if exchange.failure is not None:
        lacking = "No response" if exchange.response is None else "Not a whole response"
        lines += ["", f"{lacking}: {exchange.failure.kind}, {exchange.failure.detail}"]
    elif exchange.response is None:
        lines += ["", "No answer was recorded."]
    return "\n".join(lines)
