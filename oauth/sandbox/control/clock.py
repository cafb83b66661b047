"""The clock over HTTP."""

from datetime import datetime
from typing import Any

from oauth.sandbox.configuration import LONGEST
from oauth.sandbox.control.operation import NOTHING, TIME, Call, Conflict, Operation
from oauth.sandbox.json_schema import ShapeError, table
from oauth.sandbox.provider import Sandbox

CLOCK = table(
    {"now": TIME, "offset_seconds": {"type": "number", "description": "How far it is ahead of real time."}},
    ["now", "offset_seconds"],
    "The sandbox's clock.",
)
SECONDS = {
    "type": "number",
    "minimum": -LONGEST,
    "maximum": LONGEST,
    "description": "Seconds; back when negative.",
}


def time_from(text: str, place: str) -> datetime:
    """An aware time. Raises ``ShapeError``."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None or "T" not in text.upper():
            raise ValueError("no zone")
        time.timestamp()
    except (ValueError, OverflowError) as error:
        raise ShapeError((place,), "Write a time with its zone, such as 2026-11-23T10:00:00Z.") from error
    return time


def _show(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    del call
    return {"now": sandbox.clock.now().isoformat(), "offset_seconds": sandbox.clock.offset.total_seconds()}


def _set(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    now = time_from(call.body["now"], "now")
    try:
        sandbox.clock.set(now)
    except (ValueError, OverflowError) as error:
        raise Conflict(str(error)) from error
    return _show(sandbox, call)


def _move(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    try:
        sandbox.clock.move(call.body["seconds"])
    except ValueError as error:
        raise Conflict(str(error)) from error
    return _show(sandbox, call)


def _reset(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    sandbox.clock.reset()
    return _show(sandbox, call)


OPERATIONS = (
    Operation("GET", "clock", "Read the clock", _show, CLOCK),
    Operation("PUT", "clock", "Set the clock", _set, CLOCK, body=table({"now": TIME}, ["now"]), conflicts=True),
    Operation(
        "POST",
        "clock/move",
        "Move the clock",
        _move,
        CLOCK,
        body=table({"seconds": SECONDS}, ["seconds"]),
        conflicts=True,
    ),
    Operation("POST", "clock/reset", "Back to real time", _reset, CLOCK, body=NOTHING),
)
