"""The overview over HTTP: all that the Sandbox page of a console shows, in one response."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from oauth_sandbox.clients import Client
from oauth_sandbox.control.faults import AnyRule, rule_fields, rule_from
from oauth_sandbox.control.issued import CodeWithSecret, TokenWithSecret, issued_fields
from oauth_sandbox.control.lint import FindingFields, finding_fields
from oauth_sandbox.control.operation import Call, Operation, Time
from oauth_sandbox.control.state import field_of, issued_from
from oauth_sandbox.lint.findings import RULES, Finding
from oauth_sandbox.log import Entry
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind
from oauth_sandbox.validation import Fields, decoded

NEWEST = 100
"""Codes, and tokens of each kind, that the overview has, and requests."""


class Overview(Fields):
    """The view of a page: the newest codes, tokens and requests, newest first, with the secrets of codes and tokens.

    ``refused`` has the query of the last authorization requests that ended on an error page, and the page's words.
    """

    now: Time
    offset_seconds: float
    clients: list[Client]
    codes: list[CodeWithSecret]
    access_tokens: list[TokenWithSecret]
    refresh_tokens: list[TokenWithSecret]
    faults: list[AnyRule]
    findings: list[FindingFields]
    requests: list[Entry]
    refused: list[tuple[str, str]]


def take(sandbox: Sandbox) -> dict[str, Any]:
    """Return the fields of an ``Overview``."""
    issued = {}
    for kind in Kind:
        newest = islice(reversed(sandbox.stored(kind)[1]), NEWEST)
        issued[field_of(kind)] = [{"secret": secret, **issued_fields(item)} for secret, item in newest]
    return {
        "now": sandbox.clock.now(),
        "offset_seconds": sandbox.clock.offset.total_seconds(),
        "clients": sandbox.clients(),
        **issued,
        "faults": [rule_fields(rule) for rule in sandbox.faults.rules],
        "findings": [finding_fields(finding) for finding in sandbox.lint.findings()],
        "requests": sandbox.log.entries(NEWEST),
        "refused": list(sandbox.refused),
    }


def fill(sandbox: Sandbox, content: bytes) -> None:
    """Make ``sandbox``, a new one, show what an overview in JSON says. Raises ``ValueError``."""
    overview: Overview = decoded(content, Overview)
    sandbox.clock.move(overview.offset_seconds)
    stores = {}
    for kind in Kind:
        entries: Sequence[Any] = getattr(overview, field_of(kind))[::-1]
        stores[kind] = (max((it.serial for it in entries), default=0), [issued_from(kind, it) for it in entries])
    sandbox.replace_state(overview.clients, stores)
    sandbox.faults.refill(0, [rule_from(rule) for rule in overview.faults])
    names = set(Finding.__dataclass_fields__) - {"rule"}
    for it in overview.findings:
        values = {name: value for name, value in msgspec.structs.asdict(it).items() if name in names}
        sandbox.lint.put(Finding(RULES[it.rule], **values))
    sandbox.log.refill(overview.requests[::-1])
    sandbox.refused.extend(overview.refused)


def _show(sandbox: Sandbox, _call: Call) -> dict[str, Any]:
    return take(sandbox)


OPERATIONS = (
    Operation("GET", "overview", "Read all that a console's Sandbox page shows, with the secrets", _show, Overview),
)
