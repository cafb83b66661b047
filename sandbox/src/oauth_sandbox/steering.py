"""One sandbox as a console reads and changes it: the embedded one of its process, or a server that several share."""

import ssl
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import httpx
import msgspec

from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, ready_made
from oauth_sandbox.control.issued import PATHS
from oauth_sandbox.control.overview import fill
from oauth_sandbox.faults.fault import Fault
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.request import Endpoint
from oauth_sandbox.store import Kind

FRESH_SECONDS = 1.0
"""Time for which what a server said is shown again, to every session of the process."""

AWAY_SECONDS = 10.0
"""Time for which a server that did not respond is not asked to be shown again."""

TIMEOUT = httpx.Timeout(5.0, connect=2.0)


class SteeringProblem(ValueError):
    """The sandbox could not be read or changed; the text is a sentence with the reason."""


class AwayProblem(SteeringProblem):
    """The server of the sandbox did not respond."""


class Embedded:
    """The steering of a sandbox of this process."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.move_clock = sandbox.clock.move
        self.reset_clock = sandbox.clock.reset
        self.revoke = sandbox.revoke
        self.reset = sandbox.reset

    def state(self) -> Sandbox:
        """Return the sandbox itself, to read from; whoever changes it uses the other methods."""
        return self._sandbox

    def change_client(self, client_id: str, **changes: Any) -> None:
        """Change fields of a client."""
        self._sandbox.change_client(client_id, **changes)

    def add_fault(
        self, fault: Fault, times: int | None, share: float, client_id: str | None, endpoint: Endpoint | None
    ) -> None:
        """Add a fault rule."""
        with self._sandbox.lock:
            self._sandbox.faults.add(fault, times, share, client_id, endpoint)

    def remove_fault(self, number: int) -> None:
        """Remove a fault rule."""
        with self._sandbox.lock:
            self._sandbox.faults.remove(number)

    def clear_findings(self) -> None:
        """Remove the findings of the lint."""
        with self._sandbox.lock:
            self._sandbox.lint.clear()


class Served:
    """The steering of a sandbox at ``url``, over its control. It is safe for threads."""

    def __init__(self, api: Api, url: str, token: str, clock: Callable[[], float] = monotonic) -> None:
        self._api = api
        self._url = url
        self._clock = clock
        self._http = httpx.Client(
            base_url=f"{url}/control/",
            headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"},
            timeout=TIMEOUT,
            limits=httpx.Limits(max_keepalive_connections=0),  # nobody closes this client
            trust_env=False,
            verify=_authorities(),
        )
        self._lock = threading.Lock()
        self._shown: Sandbox | SteeringProblem | None = None
        self._until = 0.0

    def state(self) -> Sandbox:
        """Return a copy of what a page shows, at most ``FRESH_SECONDS`` old. Raises ``SteeringProblem``."""
        with self._lock:
            if self._shown is None or self._clock() >= self._until:
                try:
                    self._shown = self._read()
                except SteeringProblem as problem:
                    self._shown = problem
                fresh = FRESH_SECONDS if isinstance(self._shown, Sandbox) else AWAY_SECONDS
                self._until = self._clock() + fresh
            if isinstance(self._shown, SteeringProblem):
                raise self._shown
            return self._shown

    def move_clock(self, seconds: float) -> None:
        """Move the clock."""
        self._change("POST", "clock/move", {"seconds": seconds})

    def reset_clock(self) -> None:
        """Return to real time."""
        self._change("POST", "clock/reset", {})

    def change_client(self, client_id: str, **changes: Any) -> None:
        """Change fields of a client."""
        self._change("PATCH", f"clients/{client_id}", changes)

    def revoke(self, kind: Kind, serial: int) -> None:
        """Revoke a code or token."""
        self._change("POST", f"{PATHS[kind]}/{serial}/revoke", {})

    def add_fault(
        self, fault: Fault, times: int | None, share: float, client_id: str | None, endpoint: Endpoint | None
    ) -> None:
        """Add a fault rule."""
        conditions = {"times": times, "share": share, "client_id": client_id, "endpoint": endpoint}
        self._change("POST", "faults", msgspec.to_builtins(fault) | conditions)

    def remove_fault(self, number: int) -> None:
        """Remove a fault rule."""
        self._change("DELETE", f"faults/{number}")

    def clear_findings(self) -> None:
        """Remove the findings of the lint."""
        self._change("DELETE", "lint")

    def reset(self) -> None:
        """Return to the initial state."""
        self._change("POST", "reset", {})

    def _read(self) -> Sandbox:
        content = self._ask("GET", "overview")
        copy = Sandbox(utc_now, configuration=ready_made(self._api))
        try:
            fill(copy, content)
        except (ValueError, KeyError) as error:
            raise SteeringProblem(
                f"The sandbox at {self._url} is not one of this version: its overview cannot be read."
            ) from error
        return copy

    def _change(self, method: str, path: str, body: object = None) -> None:
        try:
            self._ask(method, path, body)
        finally:
            with self._lock:
                self._shown = None

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        try:
            response = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise AwayProblem(f"The sandbox at {self._url} did not respond: {error}.") from error
        if response.status_code in (401, 403):
            raise SteeringProblem(
                f"The sandbox at {self._url} refused the token of this console. CONSOLE_SANDBOX_TOKEN must be the "
                "--control-token that it was started with."
            )
        if not response.is_success:
            raise SteeringProblem(f"The sandbox at {self._url} refused: {_reason(response)}")
        return response.content


Steering = Embedded | Served
"""The reading and the changes of one sandbox. Each method raises ``ValueError`` or ``LookupError``."""


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["detail"])
    except (ValueError, LookupError, TypeError):
        return f"it responded {response.status_code}, so it is no control of a sandbox, or one of another version."


def _authorities() -> ssl.SSLContext:
    # Not ssl.create_default_context: that writes the keys of every connection to the file in SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context
