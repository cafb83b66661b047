"""What the operator of the console gives a provider from outside its profile, and what the console never writes.

Clients and the address of a proxy with a password come from the environment, clients also from Streamlit's secrets,
which the pages hand over: ``[clients.PROVIDER]`` with ``id``, ``secret`` and ``title``, or a list of such tables.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from oauth.providers.profile import Provider, ReadyClient

CLIENT_ID = "CONSOLE_CLIENT_{}_ID"
CLIENT_SECRET = "CONSOLE_CLIENT_{}_SECRET"
PROXY = "CONSOLE_PROXY_{}"


def variable(pattern: str, identifier: str) -> str:
    """The environment variable of a provider: its id in capitals, with ``_`` for what is no letter and no digit."""
    return pattern.format(re.sub(r"[^A-Z0-9]", "_", identifier.upper()))


def clients(provider: Provider, environ: Mapping[str, str], secrets: Mapping[str, Any]) -> tuple[ReadyClient, ...]:
    """The clients that the operator has for a provider, none of them twice. A client without a secret is public."""
    found = {item.id: item for item in (*_of_secrets(provider, secrets), *_of_environment(provider, environ))}
    return tuple(found.values())


def _of_environment(provider: Provider, environ: Mapping[str, str]) -> Iterator[ReadyClient]:
    identifier = environ.get(variable(CLIENT_ID, provider.id), "").strip()
    if identifier:
        yield ReadyClient(identifier, environ.get(variable(CLIENT_SECRET, provider.id), "").strip(), "environment")


def _of_secrets(provider: Provider, secrets: Mapping[str, Any]) -> Iterator[ReadyClient]:
    tables = secrets.get("clients")
    given = tables.get(provider.id) if isinstance(tables, Mapping) else None
    for row in given if isinstance(given, list | tuple) else [given]:
        if isinstance(row, Mapping) and isinstance(row.get("id"), str) and row["id"].strip():
            secret, title = row.get("secret", ""), row.get("title", "secrets.toml")
            yield ReadyClient(row["id"].strip(), str(secret), str(title))


def connected(provider: Provider, environ: Mapping[str, str]) -> Provider:
    """The provider, reached through the proxy that the environment names for it."""
    proxy = environ.get(variable(PROXY, provider.id), "").strip()
    return replace(provider, connection=replace(provider.connection, proxy=proxy)) if proxy else provider
