"""Every fault by its name, and faults from JSON and from a request header."""

import re
from collections.abc import Mapping
from typing import Any

from oauth.sandbox.faults.answers import (
    Documented,
    EchoSecret,
    HtmlPage,
    RegisteredError,
    RequestLimit,
    ServerError,
    TooManyRequests,
)
from oauth.sandbox.faults.broken_bodies import EmptyBody, WrongContentType
from oauth.sandbox.faults.connection import ConnectionReset, CutOffBody, Latency, SlowDrip
from oauth.sandbox.faults.fault import Fault
from oauth.sandbox.json_schema import Shape, ShapeError, table

KINDS: Mapping[str, type[Fault]] = {
    kind.kind: kind
    for kind in (
        Documented,
        RegisteredError,
        TooManyRequests,
        RequestLimit,
        ServerError,
        HtmlPage,
        EmptyBody,
        WrongContentType,
        CutOffBody,
        ConnectionReset,
        SlowDrip,
        Latency,
        EchoSecret,
    )
}
REQUIRED = {Documented: ["number"], RegisteredError: ["error"]}
SHAPES = {name: Shape(table(kind.properties, REQUIRED.get(kind, ()))) for name, kind in KINDS.items()}
PARAMETER = re.compile(r'\s*;\s*([a-z_]+)\s*=\s*(?:"([^"]*)"|([^\s;"]+))')
HEADER = "x-sandbox-fault"


def fault_from(name: str, fields: Mapping[str, Any]) -> Fault:
    """A fault by its name. Raises ``ShapeError``."""
    kind = _kind(name)
    SHAPES[name].check(fields)
    return kind(**fields)


def fields_of(fault: Fault) -> dict[str, Any]:
    """The fault's fields, without its name."""
    return {name: getattr(fault, name) for name in fault.properties}


def fault_from_header(text: str) -> Fault:
    """Such as ``latency; seconds=2`` or ``error; error=server_error; error_description="Try again"``.

    Raises ``ShapeError``.
    """
    name, rest = re.fullmatch(r"\s*([^\s;]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # it fits all
    kind = _kind(name)
    fields: dict[str, Any] = {}
    position = 0
    while match := PARAMETER.match(rest, position):
        key, value = match[1], match[3] if match[2] is None else match[2]
        fields[key] = _number(value) if _is_number(kind, key) else value
        position = match.end()
    if rest[position:].strip():
        raise ShapeError((), f"{HEADER}: write NAME; field=value; ... The rest cannot be read.")
    return fault_from(name, fields)


def _kind(name: str) -> type[Fault]:
    if name not in KINDS:
        raise ShapeError(("fault",), f"There is no such fault. There are: {', '.join(KINDS)}.")
    return KINDS[name]


def _is_number(kind: type[Fault], key: str) -> bool:
    schema = kind.properties.get(key, {})
    return schema.get("type") in ("integer", "number") or "enum" in schema


def _number(text: str) -> int | float | str:
    if re.fullmatch(r"[0-9]{1,9}", text):
        return int(text)
    return float(text) if re.fullmatch(r"[0-9]{1,9}\.[0-9]{1,9}", text) else text
