"""Fields of a JSON response, and the time at which it was received."""

import json
from datetime import datetime
from typing import Any

from oauth.exchange import Exchange
from oauth.moments import later

LONGEST = 100 * 365 * 24 * 3600
"""Seconds of the longest lifetime, a hundred years: a time that far away can still be computed and shown."""

_SURROGATES = (b"\\ud", b"\xed")
"""Octets without which a JSON text has no surrogate, escaped or in UTF-8."""


def members(exchange: Exchange) -> dict[str, Any]:
    """Return the members of a JSON response, without a ``data`` wrapper; empty when it is not a JSON object."""
    if exchange.response is None:
        return {}
    try:
        body = json.loads(exchange.response.body)
        if any(sign in exchange.response.body.lower() for sign in _SURROGATES):
            # Half a character can be neither shown nor sent.
            text = json.dumps(body, ensure_ascii=False).encode("utf-16", "surrogatepass")
            body = json.loads(text.decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return body["data"] if isinstance(body.get("data"), dict) else body


def text(value: object) -> str:
    """Return a member that is a string, or an empty string."""
    return value if isinstance(value, str) else ""


def seconds(value: object) -> int | None:
    """Return a lifetime in seconds; some servers send the number as a string, or with a fraction.

    One beyond ``LONGEST`` either way is no lifetime: ``None``.
    """
    try:
        number = int(float(value)) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) <= LONGEST else None


def received_at(exchange: Exchange) -> datetime:
    """Return the time at which the response was received."""
    return later(exchange.started_at, (exchange.duration_ms or 0) / 1000)


def succeeded(exchange: Exchange) -> bool:
    """Return True if the response has a success status."""
    return exchange.response is not None and 200 <= exchange.response.status < 300
