"""Held requests over HTTP: list them, and release them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.control.operation import Call, Conflict, Count, Number, Operation, Time
from oauth_sandbox.faults.hold import When
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.validation import Fields


class HeldFields(Fields):
    """A request that the fault ``hold`` has stopped."""

    number: Number
    endpoint: Endpoint
    client_id: Annotated[str | None, Meta(description="null: the request named no known client.")]
    when: When
    since: Time


class Release(Fields):
    """The requests to release: the one with this number, or all."""

    number: Number | UnsetType = UNSET


class Released(Fields):
    """The number of requests that were released."""

    released: Count


def _list(sandbox: Sandbox, _call: Call) -> list[HeldFields]:
    return [
        HeldFields(number=it.number, endpoint=it.endpoint, client_id=it.client_id, when=it.when, since=it.since)
        for it in sandbox.holds.held()
    ]


def _release(sandbox: Sandbox, call: Call) -> Released:
    body: Release = call.body
    try:
        return Released(released=sandbox.holds.release(None if body.number is UNSET else body.number))
    except LookupError as error:
        raise Conflict(str(error.args[0])) from error


OPERATIONS = (
    Operation("GET", "holds", "List the requests that a hold has stopped", _list, list[HeldFields]),
    Operation(
        "POST", "holds/release", "Release one held request, or all", _release, Released, body=Release, conflicts=True
    ),
)
