"""Held requests over HTTP: list them, and release them."""

from msgspec import UNSET, UnsetType

from oauth_sandbox.control.operation import Call, Conflict, Count, Number, Operation
from oauth_sandbox.faults.hold import Held
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import Fields


class Release(Fields):
    """The requests to release: the one with this number, or all."""

    number: Number | UnsetType = UNSET


class Released(Fields):
    """The number of requests that were released."""

    released: Count


def _list(sandbox: Sandbox, _call: Call) -> tuple[Held, ...]:
    return sandbox.holds.held()


def _release(sandbox: Sandbox, call: Call) -> Released:
    body: Release = call.body
    try:
        return Released(released=sandbox.holds.release(None if body.number is UNSET else body.number))
    except LookupError as error:
        raise Conflict(str(error.args[0])) from error


OPERATIONS = (
    Operation("GET", "holds", "List the requests that a hold has stopped", _list, list[Held]),
    Operation(
        "POST", "holds/release", "Release one held request, or all", _release, Released, body=Release, conflicts=True
    ),
)
