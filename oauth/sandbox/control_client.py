"""The control from Python: a small client of ``/control/``, for test suites."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx


class SteeringError(Exception):
    """The control refused; the text says what was asked, the status, and why."""


class Control:
    """The control of the sandbox at ``url``. Errors are ``SteeringError``; a connection's are httpx's own."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=f"{url}/control/", headers=headers, trust_env=False)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def request(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """Any operation of ``openapi.json``, its answer decoded. Raises ``SteeringError``."""
        given = {name: str(value) for name, value in query.items() if value is not None}
        response = self._http.request(method, path, params=given, json=body)
        if response.is_error:
            raise SteeringError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json() if response.content else None

    def approve(self, url: str, user_id: int | None = None) -> str:
        """Give consent to the authorization request ``url``; the address that the browser would be sent to."""
        return self._decide(url, "approve", user_id)

    def deny(self, url: str) -> str:
        """Refuse the authorization request ``url``; the address that the browser would be sent to."""
        return self._decide(url, "deny", None)

    def fault(self, name: str, **fields: object) -> dict[str, Any]:
        """Add a fault: ``fault("latency", seconds=1, times=2, endpoint="token")``."""
        added: dict[str, Any] = self.request("POST", "faults", {"fault": name, **fields})
        return added

    def faults(self) -> list[dict[str, Any]]:
        """The faults that may still strike."""
        return list(self.request("GET", "faults"))

    def clear_faults(self) -> None:
        """Remove every fault."""
        self.request("DELETE", "faults")

    def lint(self, client_id: str | None = None) -> list[str]:
        """The names of the rules that were broken."""
        return [found["rule"] for found in self.findings(client_id)]

    def findings(self, client_id: str | None = None) -> list[dict[str, Any]]:
        """What the lint found, with title, reason and remedy."""
        return list(self.request("GET", "lint", client_id=client_id))

    def clear_lint(self, client_id: str | None = None) -> None:
        """Forget the findings."""
        self.request("DELETE", "lint", client_id=client_id)

    def requests(self, limit: int = 100, after: int = 0) -> list[dict[str, Any]]:
        """The last requests, newest first."""
        return list(self.request("GET", "requests", limit=limit, after=after))

    def settings(self, **change: object) -> dict[str, Any]:
        """Change settings, if any are given, and read them."""
        settings: dict[str, Any] = (
            self.request("PATCH", "settings", change) if change else self.request("GET", "settings")
        )
        return settings

    def snapshot(self) -> dict[str, Any]:
        """The whole state."""
        state: dict[str, Any] = self.request("GET", "snapshot")
        return state

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Have the state of a snapshot."""
        self.request("PUT", "snapshot", dict(snapshot))

    def reset(self) -> None:
        """As it was at the start."""
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
        """The sandbox's time, aware."""
        return datetime.fromisoformat(self._control.request("GET", "clock")["now"])

    def move(self, seconds: float | timedelta) -> None:
        """Move it, back when negative."""
        seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        self._control.request("POST", "clock/move", {"seconds": seconds})

    def set(self, now: datetime) -> None:
        """Set it to an aware time, from where it goes on."""
        self._control.request("PUT", "clock", {"now": now.isoformat()})

    def reset(self) -> None:
        """Back to real time."""
        self._control.request("POST", "clock/reset", {})


class SteeredClients:
    """The sandbox's clients, as their JSON members: ``client_id``, ``secret``, ``grants``, ``scopes`` and so on."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, client_id: str) -> dict[str, Any]:
        """One client. Raises ``KeyError``."""
        for client in self.all():
            if client["client_id"] == client_id:
                return client
        raise KeyError(client_id)

    def all(self) -> list[dict[str, Any]]:
        """Every client."""
        return list(self._control.request("GET", "clients"))

    def add(self, client_id: str, secret: str, **members: object) -> dict[str, Any]:
        """Add a client; what is left out is as wide as can be."""
        client: dict[str, Any] = self._control.request(
            "POST", "clients", {"client_id": client_id, "secret": secret, **members}
        )
        return client

    def change(self, client_id: str, **members: object) -> dict[str, Any]:
        """Change a client, for example ``active=False``."""
        client: dict[str, Any] = self._control.request("PATCH", f"clients/{client_id}", members)
        return client

    def remove(self, client_id: str) -> None:
        """Remove a client with all that it was given."""
        self._control.request("DELETE", f"clients/{client_id}")
