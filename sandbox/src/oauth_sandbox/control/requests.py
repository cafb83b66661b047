"""The request log over HTTP."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.clients import ClientId
from oauth_sandbox.control.lint import asked_client
from oauth_sandbox.control.operation import LARGEST_NUMBER, Call, Limit, Operation
from oauth_sandbox.log import Entry
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.validation import Fields


class LogQuery(Fields):
    """The selection of requests."""

    limit: Limit = 100
    after: Annotated[int, Meta(ge=0, le=LARGEST_NUMBER, description="Only higher numbers, to poll for new ones.")] = 0
    client_id: ClientId | UnsetType = UNSET


def _list(sandbox: Sandbox, call: Call) -> tuple[Entry, ...]:
    query: LogQuery = call.query
    return sandbox.log.entries(query.limit, query.after, asked_client(sandbox, call))


def _clear(sandbox: Sandbox, _call: Call) -> None:
    sandbox.log.clear()


OPERATIONS = (
    Operation(
        "GET",
        "requests",
        "List the last requests, newest first, without secrets",
        _list,
        list[Entry],
        query=LogQuery,
        conflicts=True,
    ),
    Operation("DELETE", "requests", "Empty the log", _clear),
)
