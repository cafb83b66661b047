"""What an answer of an endpoint says: its JSON members, and when it was there."""

import json
from datetime import datetime, timedelta
from typing import Any

from oauth.exchange import Exchange


def members(exchange: Exchange) -> dict[str, Any]:
    """The members of a JSON answer, without a ``data`` wrapper; none when it is no JSON object."""
    if exchange.response is None:
        return {}
    try:
        body = json.loads(exchange.response.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    return body["data"] if isinstance(body.get("data"), dict) else body


def text(value: object) -> str:
    """A member that is a text, or an empty one."""
    return value if isinstance(value, str) else ""


def seconds(value: object) -> int | None:
    """A lifetime; some servers send the number as a text, or with a fraction."""
    try:
        return int(float(value)) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def received_at(exchange: Exchange) -> datetime:
    """When the answer was there."""
    return exchange.started_at + timedelta(milliseconds=exchange.duration_ms or 0)


def succeeded(exchange: Exchange) -> bool:
    """Whether the server answered that all is well."""
    return exchange.response is not None and 200 <= exchange.response.status < 300
