"""The embedded provider: it behaves strictly as the documented one does, and can produce each of its errors.

It imports nothing else of the project, and can be run alone.
"""

import functools

from oauth.sandbox.app import application
from oauth.sandbox.clients import Client, GrantType
from oauth.sandbox.clock import utc_now
from oauth.sandbox.faults.kinds import KINDS, fault_from, field_schemas, fields_of
from oauth.sandbox.provider import Sandbox
from oauth.sandbox.request import Endpoint
from oauth.sandbox.store import Issued, Kind, State


@functools.cache
def embedded() -> Sandbox:
    """Return the one sandbox of this process, which the console serves and its Sandbox page shows."""
    return Sandbox(utc_now)


__all__ = [
    "KINDS",
    "Client",
    "Endpoint",
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
]
