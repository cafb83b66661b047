"""The embedded provider: it behaves strictly as the documented one does, and can produce each of its errors.

It imports nothing else of the project, and can be run alone.
"""

import functools
from typing import TYPE_CHECKING

from oauth_sandbox.app import application
from oauth_sandbox.clients import Client, GrantType
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, ready_made
from oauth_sandbox.faults.kinds import KINDS, fault_from, field_schemas, fields_of
from oauth_sandbox.lint.findings import Finding
from oauth_sandbox.paths import MOUNTED, PATHS
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.store import Issued, Kind, State

if TYPE_CHECKING:
    from oauth_sandbox.testing import running


def embedded(api: Api = Api.PARTNER) -> Sandbox:
    """Return the one sandbox of this process for an API, which the console serves and its Sandbox page shows."""
    return _embedded(api)


@functools.cache  # with the default filled in: a call with it and one without are different keys
def _embedded(api: Api) -> Sandbox:
    return Sandbox(utc_now, configuration=ready_made(api))


def __getattr__(name: str) -> object:
    """Import what only tests use when they ask for it: a server and an HTTP client take half a second."""
    if name == "running":
        from oauth_sandbox import testing

        return testing.running
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "KINDS",
    "MOUNTED",
    "PATHS",
    "Api",
    "Client",
    "Endpoint",
    "Finding",
    "GrantType",
    "Issued",
    "Kind",
    "Sandbox",
    "State",
    "application",
    "embedded",
    "fault_from",
    "field_schemas",
    "fields_of",
    "running",
]
