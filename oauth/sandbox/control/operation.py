"""One operation of the control, declared once: the route, the checks and the OpenAPI document come from it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oauth.sandbox.json_schema import Schema, Shape, table
from oauth.sandbox.provider import Sandbox


class Conflict(ValueError):
    """The request is as described, but what the sandbox has does not allow it (409)."""


@dataclass(frozen=True, slots=True)
class Call:
    """What came in, checked: parameters of path and query, and the body."""

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any


@dataclass(frozen=True)
class Operation:
    """``path`` has its parameters in braces. ``run`` is called under the sandbox's lock; it raises ``LookupError``
    for 404 and ``Conflict`` for 409. ``answer`` is the shape of what it returns, ``None`` for nothing (204)."""

    method: str
    path: str
    summary: str
    run: Callable[[Sandbox, Call], Any]
    answer: Schema | None = None
    status: int = 200
    body: Schema | None = None
    path_parameters: Mapping[str, Schema] = field(default_factory=dict)
    query_parameters: Mapping[str, Schema] = field(default_factory=dict)
    conflicts: bool = False

    def __post_init__(self) -> None:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        object.__setattr__(self, "pattern", re.compile(pattern))
        object.__setattr__(self, "query_shape", Shape(table(self.query_parameters)))
        object.__setattr__(self, "body_shape", Shape(self.body or {}))

    pattern: re.Pattern[str] = field(init=False, repr=False)
    query_shape: Shape = field(init=False, repr=False)
    body_shape: Shape = field(init=False, repr=False)


NOTHING = table({}, description="An empty object.")
LIMIT: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": 100_000,
    "default": 100,
    "description": "How many at most, newest first.",
}
TIME: Schema = {"type": "string", "format": "date-time", "description": "RFC 3339, with a zone."}
