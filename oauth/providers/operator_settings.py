"""Settings of a provider that the console's operator keeps outside its profile, because they are secret.

Clients and the address of a proxy with a password come from the environment, clients also from Streamlit's secrets,
which the pages pass in: ``[clients.PROVIDER]`` with ``id``, ``secret``, ``title``, ``api_key`` and ``roles``, or a list
of such tables.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from oauth.providers.profile import Provider, ReadyClient

CLIENT_ID = "CONSOLE_CLIENT_{}_ID"
CLIENT_SECRET = "CONSOLE_CLIENT_{}_SECRET"
CLIENT_API_KEY = "CONSOLE_CLIENT_{}_API_KEY"
CLIENT_ROLES = "CONSOLE_CLIENT_{}_ROLES"
PROXY = "CONSOLE_PROXY_{}"


def variable_name(pattern: str, identifier: str) -> str:
    """Return a provider's environment variable: its id in capitals, with ``_`` for other than letters and digits."""
    return pattern.format(re.sub(r"[^A-Z0-9]", "_", identifier.upper()))


def clients(provider: Provider, environ: Mapping[str, str], secrets: Mapping[str, Any]) -> tuple[ReadyClient, ...]:
    """Return the operator's clients of a provider, each id once. A client without a secret is public."""
    both = (*_from_secrets(provider, secrets), *_from_environment(provider, environ))
    return tuple({item.id: item for item in both}.values())


def _from_environment(provider: Provider, environ: Mapping[str, str]) -> Iterator[ReadyClient]:
    def value(pattern: str) -> str:
        return environ.get(variable_name(pattern, provider.id), "").strip()

    if identifier := value(CLIENT_ID):
        secret, api_key = value(CLIENT_SECRET), value(CLIENT_API_KEY)
        yield ReadyClient(identifier, secret, "environment", api_key, roles=value(CLIENT_ROLES))


def _from_secrets(provider: Provider, secrets: Mapping[str, Any]) -> Iterator[ReadyClient]:
    tables = secrets.get("clients")
    rows = tables.get(provider.id) if isinstance(tables, Mapping) else None
    for row in rows if isinstance(rows, list | tuple) else [rows]:
        if isinstance(row, Mapping) and isinstance(row.get("id"), str) and row["id"].strip():
            secret, title = row.get("secret", ""), row.get("title", "secrets.toml")
            api_key, roles = str(row.get("api_key", "")).strip(), str(row.get("roles", "")).strip()
            yield ReadyClient(row["id"].strip(), str(secret), str(title), api_key, roles=roles)


def with_proxy(provider: Provider, environ: Mapping[str, str]) -> Provider:
    """Return the provider with the proxy that the environment sets for it."""
    proxy = environ.get(variable_name(PROXY, provider.id), "").strip()
    return replace(provider, connection=replace(provider.connection, proxy=proxy)) if proxy else provider
