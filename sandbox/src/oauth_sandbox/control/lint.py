"""The lint over HTTP."""

from dataclasses import asdict
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from oauth_sandbox.clients import ClientId
from oauth_sandbox.control.operation import Call, Number, Operation, Time
from oauth_sandbox.lint.findings import Finding
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.validation import Fields


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
    return [finding_fields(finding) for finding in sandbox.lint.findings(call.query.client_id or None)]


def finding_fields(finding: Finding) -> FindingFields:
    """Return a finding with the texts of its rule."""
    texts = asdict(finding.rule)
    name = texts.pop("name")
    return FindingFields(**asdict(finding) | texts | {"rule": name})


def _clear(sandbox: Sandbox, call: Call) -> None:
    sandbox.lint.clear(call.query.client_id or None)


OPERATIONS = (
    Operation(
        "GET",
        "lint",
        "List what integrations do wrong, even where the provider accepts it",
        _list,
        list[FindingFields],
        query=ClientQuery,
    ),
    Operation("DELETE", "lint", "Clear the findings", _clear, query=ClientQuery),
)
