"""A small Python client of the control, for test suites."""

import math
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx


class SteeringError(Exception):
    """The control refused; the text has the request, the status and the reason."""


class Control:
    """The control of the sandbox at ``url``. It raises ``SteeringError``, and httpx's errors for the connection.

    As in httpx, ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name the certificates to trust. A proxy is never used.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        if token is not None and not (token.isascii() and token.isprintable()):
            raise ValueError("The token of the control has a character that no header may have. Use printable ASCII.")
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        # Without TLS no certificates are loaded, which takes longer than a test of a suite does.
        verify = url.lower().startswith("https:") and httpx.create_ssl_context()
        self._http = httpx.Client(base_url=f"{url}/control/", headers=headers, verify=verify, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def request(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Call any operation of ``openapi.json`` and return its decoded response. Raises ``SteeringError``."""
        parameters = {name: str(value) for name, value in query.items() if value is not None}
        response = self._http.request(method, path, params=parameters, json=body)
        if response.is_error:
            raise SteeringError(f"{method} {path}: {response.status_code} {_reason(response)}")
        return response.json() if response.content else None

    def approve(self, url: str, user_id: int | None = None) -> str:
        """Approve the authorization request ``url`` and return the redirect's location."""
        return self._decide(url, "approve", user_id)

    def deny(self, url: str) -> str:
        """Deny the authorization request ``url`` and return the redirect's location."""
        return self._decide(url, "deny", None)

    def fault(self, name: str, **fields: object) -> dict[str, Any]:
        """Add a fault: ``fault("latency", seconds=1, times=2, endpoint="token")``."""
        added: dict[str, Any] = self.request("POST", "faults", {"fault": name, **fields})
        return added

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that may still strike."""
        return list(self.request("GET", "faults"))

    def clear_faults(self) -> None:
        """Remove every fault."""
        self.request("DELETE", "faults")

    def held(self, count: int = 1, timeout: float = 10) -> list[dict[str, Any]]:
        """Wait until ``count`` requests are held, and return them. Raises ``TimeoutError``."""
        end = time.monotonic() + timeout
        while len(holds := list(self.request("GET", "holds"))) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(holds)} of {count} requests were held within {timeout} seconds.")
            time.sleep(0.005)
        return holds

    def release(self, number: int | None = None) -> int:
        """Release one held request, or all; return how many."""
        body = {} if number is None else {"number": number}
        released: int = self.request("POST", "holds/release", body)["released"]
        return released

    def make(self, **configuration: object) -> str:
        """Make a sandbox of its own on the same server, and return its URL; see ``oauth_sandbox_new``."""
        own: dict[str, str] = self.request("POST", "sandboxes", configuration)
        return own["url"]

    def lint(self, client_id: str | None = None) -> list[str]:
        """Return the names of the broken rules."""
        return [finding["rule"] for finding in self.findings(client_id)]

    def findings(self, client_id: str | None = None) -> list[dict[str, Any]]:
        """Return the findings of the lint, with title, reason and remedy."""
        return list(self.request("GET", "lint", client_id=client_id))

    def clear_lint(self, client_id: str | None = None) -> None:
        """Clear the findings."""
        self.request("DELETE", "lint", client_id=client_id)

    def requests(self, limit: int = 100, after: int = 0) -> list[dict[str, Any]]:
        """Return the last requests, newest first."""
        return list(self.request("GET", "requests", limit=limit, after=after))

    def settings(self, **change: object) -> dict[str, Any]:
        """Change settings, if any are given, and return them all."""
        settings: dict[str, Any] = (
            self.request("PATCH", "settings", change) if change else self.request("GET", "settings")
        )
        return settings

    def snapshot(self) -> dict[str, Any]:
        """Return a snapshot of the whole state."""
        state: dict[str, Any] = self.request("GET", "snapshot")
        return state

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore a snapshot. Raises ``TypeError`` for anything else than an object."""
        if not isinstance(snapshot, Mapping):
            raise TypeError(f"restore() takes what snapshot() returned, not {snapshot!r:.40}.")
        self.request("PUT", "snapshot", dict(snapshot))

    def reset(self) -> None:
        """Return to the initial state."""
        self.request("POST", "reset", {})

    def _decide(self, url: str, decision: str, user_id: int | None) -> str:
        user = {} if user_id is None else {"user_id": user_id}
        location: str = self.request("POST", "consent", {"url": url, "decision": decision, **user})["location"]
        return location


class SteeredClock:
    """The sandbox's clock."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def now(self) -> datetime:
        """Return the sandbox's time, aware."""
        return datetime.fromisoformat(self._control.request("GET", "clock")["now"])

    def move(self, seconds: float | timedelta) -> None:
        """Move the clock, back when negative. Raises ``ValueError`` for infinity and NaN."""
        seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        if isinstance(seconds, float) and not math.isfinite(seconds):
            raise ValueError(f"clock.move() takes seconds or a timedelta, not {seconds}.")
        self._control.request("POST", "clock/move", {"seconds": seconds})

    def set(self, now: datetime) -> None:
        """Set the clock to an aware time, from which it goes on. Raises ``TypeError`` for anything else."""
        if not isinstance(now, datetime):
            raise TypeError(f"clock.set() takes a time, such as datetime(2027, 1, 1, tzinfo=UTC), not {now!r:.40}.")
        self._control.request("PUT", "clock", {"now": now.isoformat()})

    def reset(self) -> None:
        """Return to real time."""
        self._control.request("POST", "clock/reset", {})


class SteeredClients:
    """The sandbox's clients as JSON fields: ``client_id``, ``secret``, ``grants``, ``scopes`` and so on."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, client_id: str) -> dict[str, Any]:
        """Return one client. Raises ``KeyError`` with the ids that are known."""
        clients = {client["client_id"]: client for client in self.all()}
        if client_id not in clients:
            raise KeyError(f"There is no client {client_id!r}. Known are {', '.join(clients)}.")
        return clients[client_id]

    def __contains__(self, client_id: object) -> bool:
        """Return true if there is such a client."""
        return client_id in list(self)

    def __iter__(self) -> Iterator[str]:
        """Return the ids of the clients."""
        return iter([client["client_id"] for client in self.all()])

    def all(self) -> list[dict[str, Any]]:
        """Return every client."""
        return list(self._control.request("GET", "clients"))

    def add(self, client_id: str, secret: str, **members: object) -> dict[str, Any]:
        """Add a client; see ``openapi.json`` for the defaults."""
        client: dict[str, Any] = self._control.request(
            "POST", "clients", {"client_id": client_id, "secret": secret, **members}
        )
        return client

    def change(self, client_id: str, **members: object) -> dict[str, Any]:
        """Change a client, for example ``active=False``."""
        client: dict[str, Any] = self._control.request("PATCH", f"clients/{client_id}", members)
        return client

    def remove(self, client_id: str) -> None:
        """Remove a client with its codes and tokens."""
        self._control.request("DELETE", f"clients/{client_id}")


def _reason(response: httpx.Response) -> str:
    """Return the message of a refusal; without one, as of a server that is no sandbox, the body."""
    try:
        return str(response.json()["error"]["detail"])
    except (ValueError, LookupError, TypeError):
        return response.text
