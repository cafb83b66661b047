"""The lint over HTTP."""

from dataclasses import asdict
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.clients import ClientId
from oauth_sandbox.control.operation import Call, Conflict, Number, Operation, Time
from oauth_sandbox.lint.findings import Finding
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.validation import Fields, quoted


class FindingFields(Fields):
    """A rule that a client broke; ``request_id`` is the X-Request-ID of the last time."""

    rule: str
    client_id: Annotated[str | None, Meta(description="null: the request named no known client.")]
    endpoint: Endpoint
    count: Number
    first_at: Time
    last_at: Time
    request_id: str
    drill: Annotated[bool, Meta(description="A drill did it, on purpose.")]
    detail: Annotated[str, Meta(description="More about the last time, such as the other request of a race.")]
    title: str
    why: str
    remedy: str
    reference: str


class ClientQuery(Fields):
    """The selection of one client."""

    client_id: ClientId | UnsetType = UNSET


def _list(sandbox: Sandbox, call: Call) -> list[FindingFields]:
    return [finding_fields(finding) for finding in sandbox.lint.findings(asked_client(sandbox, call))]


def asked_client(sandbox: Sandbox, call: Call) -> str | None:
    """Return the client of a query, if any. Raises ``Conflict`` for one that is not registered and sent nothing:
    with a typing error in its id a test would pass whatever happens.
    """
    client_id: str | UnsetType = call.query.client_id
    if client_id is UNSET:
        return None
    if not (sandbox.has_client(client_id) or sandbox.lint.knows(client_id) or sandbox.log.entries(1, 0, client_id)):
        known = ", ".join(client.client_id for client in sandbox.clients())
        raise Conflict(f"There is no client {quoted(client_id)}, and no request named one. Known clients: {known}.")
    return client_id


def finding_fields(finding: Finding) -> FindingFields:
    """Return a finding with the texts of its rule."""
    texts = asdict(finding.rule)
    name = texts.pop("name")
    return FindingFields(**asdict(finding) | texts | {"rule": name})


def _clear(sandbox: Sandbox, call: Call) -> None:
    sandbox.lint.clear(asked_client(sandbox, call))


OPERATIONS = (
    Operation(
        "GET",
        "lint",
        "List what integrations do wrong, even where the provider accepts it",
        _list,
        list[FindingFields],
        query=ClientQuery,
        conflicts=True,
    ),
    Operation("DELETE", "lint", "Clear the findings", _clear, query=ClientQuery, conflicts=True),
)
