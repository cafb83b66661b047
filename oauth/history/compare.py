"""Comparison of two exchanges by field, and the successful exchange that a failure is best compared with.

The exchanges are redacted: secrets are compared by their fingerprints.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC
from enum import StrEnum
from typing import Any

from oauth import formatting
from oauth.addresses import split
from oauth.exchange import Exchange, Headers, Request, Response, Step
from oauth.history.filters import Filters
from oauth.history.schema import utc_text
from oauth.history.store import History, Row
from oauth.redaction import PLACEHOLDER, body_text, quoted

MOST_FIELDS = 1000
"""Fields of one body that are compared."""

ALWAYS_NEW = {
    "date",
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "x-amz-cf-id",
    "cf-ray",
    "age",
}
"""Headers that are new in every response."""


class Verdict(StrEnum):
    """The result of comparing a field."""

    SAME = "same"
    DIFFERENT = "different"
    ONLY_LEFT = "only left"
    ONLY_RIGHT = "only right"


@dataclass(frozen=True, slots=True)
class Compared:
    """One field of both exchanges. ``place`` is its part of the message; ``None`` stands for an absent field.

    ``remark`` adds what the values do not show: the same or a different secret, a header that is always new.
    """

    place: str
    name: str
    left: str | None
    right: str | None
    remark: str = ""

    @property
    def verdict(self) -> Verdict:
        """The result of comparing both sides."""
        if self.left == self.right:
            return Verdict.SAME
        if self.left is None:
            return Verdict.ONLY_RIGHT
        return Verdict.ONLY_LEFT if self.right is None else Verdict.DIFFERENT


def compare(left: Exchange, right: Exchange) -> list[Compared]:
    """Compare every field of two redacted exchanges, in message order: request, then response."""
    fields = [
        *_paired("request", _target(left.request), _target(right.request)),
        *_paired("query", _query(left.request), _query(right.request)),
        *_paired("request header", _headers(left.request.headers), _headers(right.request.headers)),
        *_paired(
            "request body",
            _body(left.request.body, left.request.headers),
            _body(right.request.body, right.request.headers),
        ),
        *_paired("response", _outcome(left), _outcome(right)),
    ]
    one, other = left.response or Response(0), right.response or Response(0)
    return [
        *fields,
        *_paired("response header", _headers(one.headers), _headers(other.headers)),
        *_paired("response body", _body(one.body, one.headers), _body(other.body, other.headers)),
    ]


def last_success(history: History, row: Row) -> Row | None:
    """Return the last successful exchange of the same step, client and provider before this one, or the newest.

    Raises ``HistoryError``.
    """
    exchange = row.exchange
    worked = "3xx" if exchange.step is Step.AUTHORIZE else "2xx"
    alike = Filters(status=worked, error="", step=exchange.step, client=exchange.client_id, provider=exchange.provider)
    moment = utc_text(exchange.started_at.astimezone(UTC))
    earlier = history.page(alike.put("until", moment), None, 2)
    candidates = [other for other in earlier if other.exchange.id != exchange.id] or history.page(alike, None, 2)
    return next((other for other in candidates if other.exchange.id != exchange.id), None)


def _paired(place: str, left: dict[str, str], right: dict[str, str]) -> Iterable[Compared]:
    for name in dict.fromkeys([*left, *right]):
        one, other = left.get(name), right.get(name)
        yield Compared(place, name, one, other, _remark(name, one, other))


def _remark(name: str, left: str | None, right: str | None) -> str:
    if left is None or right is None:
        return ""
    if left != right and name.lower() in ALWAYS_NEW:
        return "new in every response"
    one, other = (PLACEHOLDER.findall(text) for text in (left, right))
    if len(one) != 1 or len(other) != 1:
        return ""
    kind, fingerprint, _ = one[0]
    if kind != other[0][0]:
        return "a different kind of secret"
    if one != other:
        return "a different secret"
    return "the same secret" if fingerprint else "the same length, too short to compare"


def _target(request: Request) -> dict[str, str]:
    parts = split(quoted(request.url))
    return {"method": request.method, "scheme": parts.scheme, "host": parts.netloc, "path": parts.path or "/"}


def _query(request: Request) -> dict[str, str]:
    return _numbered(formatting.fields(replace(request, body=b"", headers=())))


def _headers(headers: Headers) -> dict[str, str]:
    return _numbered((name.lower(), value) for name, value in headers)


def _outcome(exchange: Exchange) -> dict[str, str]:
    if exchange.response is not None:
        outcome = {"status": str(exchange.response.status)}
        if exchange.failure is not None:
            outcome["incomplete"] = exchange.failure.kind
    elif exchange.failure is not None:
        outcome = {"no response": exchange.failure.kind}
    else:
        outcome = {"no response": "none recorded"}
    if exchange.duration_ms is not None:
        outcome["took"] = formatting.duration(exchange.duration_ms)
    return outcome


def _body(body: bytes, headers: Headers) -> dict[str, str]:
    text = body_text(body, headers)
    if text is None:
        return {"(binary)": f"{len(body)} bytes"}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, (dict, list)):
        return _leaves(value)
    fields = formatting.fields(Request("", "", headers, body))
    return _numbered(fields) if fields else {"(text)": text} if text else {}


def _leaves(value: Any) -> dict[str, str]:
    """The leaves of JSON by their path, such as ``data.items[0].name``; an empty object or list is a leaf."""
    leaves: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting and len(leaves) < MOST_FIELDS:
        path, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += reversed([(f"{path}.{name}" if path else name, member) for name, member in value.items()])
        elif isinstance(value, list) and value:
            waiting += reversed([(f"{path}[{index}]", member) for index, member in enumerate(value)])
        else:
            leaves[path] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return leaves


def _numbered(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields by their names; one that is repeated gets a number, so that the first meets the first."""
    counts: Counter[str] = Counter()
    numbered = {}
    for name, value in pairs:
        counts[name] += 1
        numbered[name if counts[name] == 1 else f"{name} ({counts[name]})"] = value
    return numbered
