"""One operation of the control, declared once: the route, the validation and the OpenAPI document come from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from oauth_sandbox.provider import Sandbox
from oauth_sandbox.sandboxes import Sandboxes
from oauth_sandbox.validation import Fields


class Conflict(ValueError):
    """A valid request that the state of the sandbox does not allow (409)."""


class Nothing(Fields):
    """An empty object."""


@dataclass(frozen=True, slots=True)
class Call:
    """The validated input: parameters of path and query, and the body. ``origin`` is the address that was called.

    ``sandboxes`` are those of their own, ``None`` for one of them.
    """

    path: Mapping[str, Any]
    query: Any
    body: Any
    origin: str
    sandboxes: Sandboxes | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path with its parameters in braces; types are those that msgspec validates.

    ``run`` is called under the sandbox's lock; it raises ``LookupError`` for 404 and ``Conflict`` for 409.
    ``response`` is the type of what it returns, ``None`` for an empty response (204).
    """

    method: str
    path: str
    summary: str
    run: Callable[[Sandbox, Call], Any]
    response: Any = None
    status: int = 200
    body: Any = None
    path_parameters: Mapping[str, Any] = field(default_factory=dict)
    query: type[Struct] = Nothing
    conflicts: bool = False


LARGEST_NUMBER = 10**15 - 1
MOST_ITEMS = 100_000
Limit = Annotated[int, Meta(ge=1, le=MOST_ITEMS, description="The maximum number of items, newest first.")]
Number = Annotated[int, Meta(ge=1, le=LARGEST_NUMBER)]
Count = Annotated[int, Meta(ge=0, le=LARGEST_NUMBER)]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with a time zone, such as 2026-11-23T10:00:00Z.")]
