"""All faults by name, and faults from JSON and from a request header."""

import functools
import operator
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from oauth_sandbox.faults.broken_bodies import EmptyBody, MalformedToken, WrongContentType, WrongIdToken, WrongIssuer
from oauth_sandbox.faults.connection import ConnectionReset, CutOffBody, Latency, SlowDrip
from oauth_sandbox.faults.error_responses import (
    Documented,
    EchoSecret,
    HtmlPage,
    RegisteredError,
    RequestLimitReached,
    ServerError,
    TooManyRequests,
)
from oauth_sandbox.faults.fault import Fault
from oauth_sandbox.faults.hold import Hold
from oauth_sandbox.validation import InvalidInput, Schema, validated

KINDS: Mapping[str, type[Fault]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Documented,
        RegisteredError,
        TooManyRequests,
        RequestLimitReached,
        ServerError,
        HtmlPage,
        EmptyBody,
        WrongContentType,
        MalformedToken,
        WrongIdToken,
        WrongIssuer,
        Hold,
        CutOffBody,
        ConnectionReset,
        SlowDrip,
        Latency,
        EchoSecret,
    )
}
ANY_FAULT: Any = functools.reduce(operator.or_, KINDS.values())
PARAMETER = re.compile(r'\s*;\s*([a-z_]+)\s*=\s*(?:"([^"]*)"|([^\s;"]+))')
HEADER = "x-sandbox-fault"


def fault_from(name: str, fields: Mapping[str, Any], *, strict: bool = True) -> Fault:
    """Return a fault by its name; text becomes a number where one is needed unless ``strict``.

    Raises ``InvalidInput``.
    """
    fault: Fault = validated({"fault": name, **fields}, ANY_FAULT, strict=strict)
    return fault


def fields_of(fault: Fault) -> dict[str, Any]:
    """Return the fault's fields without its name."""
    return msgspec.structs.asdict(fault)


def field_schemas(name: str) -> Mapping[str, Schema]:
    """Return the JSON Schemas of a fault's fields."""
    _, definitions = msgspec.json.schema_components([KINDS[name]])
    schemas = definitions[KINDS[name].__name__]["properties"]
    return {field: schema for field, schema in schemas.items() if field != "fault"}


def fault_from_header(text: str) -> Fault:
    """Parse a header such as ``latency; seconds=2`` or ``error; error=server_error; error_description="Try again"``.

    Raises ``InvalidInput``.
    """
    text = text.lstrip()
    name = re.split(r"[\s;]", text, maxsplit=1)[0]
    rest = text[len(name) :]
    fields: dict[str, str] = {}
    position = 0
    while match := PARAMETER.match(rest, position):
        fields[match[1]] = match[3] if match[2] is None else match[2]
        position = match.end()
    if rest[position:].strip():
        raise InvalidInput((), f"{HEADER}: write NAME; field=value; ... The rest cannot be read.")
    return fault_from(name, fields, strict=False)
