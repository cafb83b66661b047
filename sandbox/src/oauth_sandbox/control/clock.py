"""The clock over HTTP."""

from typing import Annotated

from msgspec import Meta

from oauth_sandbox.configuration import LONGEST_LIFETIME
from oauth_sandbox.control.operation import Call, Conflict, Nothing, Operation, Time
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import Fields


class ClockState(Fields):
    """The sandbox's clock."""

    now: Time
    offset_seconds: Annotated[float, Meta(description="The difference from real time; negative when behind.")]


class NewTime(Fields):
    """The time to set."""

    now: Time


class ClockMove(Fields):
    """The step to move the clock by."""

    seconds: Annotated[
        float, Meta(ge=-LONGEST_LIFETIME, le=LONGEST_LIFETIME, description="Seconds; back when negative.")
    ]


def _show(sandbox: Sandbox, _call: Call) -> ClockState:
    return ClockState(now=sandbox.clock.now(), offset_seconds=sandbox.clock.offset.total_seconds())


def _set(sandbox: Sandbox, call: Call) -> ClockState:
    try:
        sandbox.clock.set(call.body.now)
    except (ValueError, OverflowError) as error:
        raise Conflict(str(error)) from error
    return _show(sandbox, call)


def _move(sandbox: Sandbox, call: Call) -> ClockState:
    try:
        sandbox.clock.move(call.body.seconds)
    except ValueError as error:
        raise Conflict(str(error)) from error
    return _show(sandbox, call)


def _reset(sandbox: Sandbox, call: Call) -> ClockState:
    sandbox.clock.reset()
    return _show(sandbox, call)


OPERATIONS = (
    Operation("GET", "clock", "Read the clock", _show, ClockState),
    Operation("PUT", "clock", "Set the clock", _set, ClockState, body=NewTime, conflicts=True),
    Operation("POST", "clock/move", "Move the clock", _move, ClockState, body=ClockMove, conflicts=True),
    Operation("POST", "clock/reset", "Return to real time", _reset, ClockState, body=Nothing),
)
