"""Texts for a support ticket: a failed exchange with its error, or a whole flow.

Exchanges must be redacted already: nothing is hidden here.
"""

import re
from collections.abc import Sequence

from oauth import formatting
from oauth.catalogue import documented
from oauth.catalogue.explain import Explanation, explain
from oauth.diagnosis import Diagnosis, Verdict, questions
from oauth.exchange import Exchange
from oauth.history.store import Row

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+\-.!|~>&]")


def summary(exchange: Exchange, explanation: Explanation, diagnosis: Diagnosis | None = None) -> str:
    """Describe a redacted exchange and its error, in the order that the provider's support asks for."""
    number = f"Documented error {explanation.number}: " if explanation.number is not None else ""
    lines = [
        f"{number}{explanation.title}",
        f"Time: {_time(exchange, '%Y-%m-%d %H:%M:%S', ' UTC')}",
        f"Request ID: {_request_id(exchange, explanation) or 'none'}",
    ]
    if exchange.case:
        lines.append(f"Case: {exchange.case}")
    if diagnosis is not None:
        lines += _cause(diagnosis)
    lines += ["Remedy:", *(f"- {line}" for line in (*explanation.remedy, *explanation.newer))]
    if "tls_unverified" in exchange.marks:
        lines.append("TLS: the server's certificate was not checked")
    lines += ["", "Request", formatting.raw_request(exchange.request)]
    if exchange.response is not None:
        lines += ["", "Response", formatting.raw_response(exchange.response)]
    if exchange.failure is not None:
        outcome = "No response" if exchange.response is None else "Incomplete response"
        lines += ["", f"{outcome}: {exchange.failure.kind}, {exchange.failure.detail}"]
    elif exchange.response is None:
        lines += ["", "No response was recorded."]
    return "\n".join(lines)


def _cause(diagnosis: Diagnosis) -> list[str]:
    """Return the lines with the cause, the facts that speak for it, and what is still to be asked."""
    lines = [f"Cause: {diagnosis.most_likely}"] if diagnosis.most_likely else []
    proven = [cause for cause in diagnosis.causes if cause.verdict in (Verdict.PROVEN, Verdict.LIKELY)]
    facts = dict.fromkeys(fact for cause in proven for fact in cause.evidence if fact.holds is not True)
    lines += [f"Proof: {fact.text}" + (f" ({fact.where})" if fact.where else "") for fact in facts]
    return lines + [f"Question: {question}" for question in questions(diagnosis.causes)]


def _request_id(exchange: Exchange, explanation: Explanation) -> str:
    """Return the id that the provider's support asks for: of a header, or of the body where a catalogue says so."""
    ids = (exchange.request_id, explanation.request_id)
    return next(filter(None, reversed(ids) if explanation.kind == "provider" else ids), "")


def flow_summary(rows: Sequence[Row]) -> str:
    """Describe the exchanges of one flow in Markdown: a table of all of them, then the failed ones in full.

    Texts of a provider or a customer appear only in code blocks, where they are not read as Markdown or HTML.
    """
    if not rows:
        return ""
    first = rows[0].exchange
    lines = [f"**Flow {_plain(first.flow or 'none')}**, {_time(first, '%Y-%m-%d %H:%M:%S', ' UTC')}"]
    cases = dict.fromkeys(row.exchange.case for row in rows if row.exchange.case)
    if cases:
        lines.append(f"Case: {', '.join(map(_plain, cases))}")
    lines += ["", "| row | time (UTC) | step | result | duration | error |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows]
    for row in rows:
        explanation = explain(row.exchange)
        if explanation is not None:
            lines += ["", f"Row {row.exchange.id}:", "", _fenced(summary(row.exchange, explanation))]
    return "\n".join([*lines, ""])


def _cells(row: Row) -> list[str]:
    exchange = row.exchange
    result = str(exchange.response.status) if exchange.response else "failed" if exchange.failure else "no response"
    duration = "" if exchange.duration_ms is None else formatting.duration(exchange.duration_ms)
    known = documented().get(row.documented_error or 0)
    error = f"{known.number}. {known.title}" if known else row.error
    return [
        str(exchange.id),
        _time(exchange, "%H:%M:%S"),
        exchange.step.value,
        result,
        duration,
        _plain(error),
    ]


def _time(exchange: Exchange, layout: str, zone: str = "") -> str:
    return "unknown" if "undated" in exchange.marks else f"{exchange.started_at:{layout}}{zone}"


def _plain(text: str) -> str:
    """Escape a text as one line of Markdown without any markup or HTML (CommonMark §2.4)."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split())).replace("<", "&lt;")


def _fenced(text: str) -> str:
    """Put a text in a code block whose fence it cannot close (CommonMark §4.5)."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
