"""The sandbox's control over HTTP: the changes that drills make there, and their undoing."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from msgspec.structs import asdict

from oauth.client import send_unrecorded
from oauth.drills.schema import ChangeClient, ChangeSettings, Fault, Revoke
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Step
from oauth.request_builder import build_request

Undo = Callable[[], object]

PATHS = {"code": "codes", "access_token": "access-tokens", "refresh_token": "refresh-tokens"}


class ControlError(Exception):
    """The sandbox did not do what was requested; the text is a sentence with the reason."""


class Control:
    """The operations of drills at the sandbox. Each method raises ``ControlError``; a change returns its undoing."""

    def __init__(self, address: str, now: Callable[[], datetime], token: str = "") -> None:
        """Use the control at ``address``, without a trailing slash, with its ``token`` if it needs one."""
        self._address = address
        self._now = now
        self._token = token

    def move_clock(self, seconds: int) -> Undo:
        """Move the clock by ``seconds``. Undoing moves it back by as much, so that other moves remain."""
        self._ask("POST", "clock/move", {"seconds": seconds}, "move its clock")
        return lambda: self._ask("POST", "clock/move", {"seconds": -seconds}, "put its clock back")

    def begin(self) -> Undo:
        """Have the findings of a drill counted apart from those of integrations."""
        self._ask("PATCH", "settings", {"drill": True}, "begin a drill")
        return lambda: self._ask("PATCH", "settings", {"drill": False}, "end the drill")

    def change_client(self, change: ChangeClient) -> Undo:
        """Deactivate or restrict a client."""
        return self._change(f"clients/{quote(change.id, safe='')}", change, f"the client {change.id}")

    def change_settings(self, change: ChangeSettings) -> Undo:
        """Change settings of the sandbox."""
        return self._change("settings", change, "its settings")

    def revoke(self, revoke: Revoke, client_id: str) -> None:
        """Revoke the client's newest code or token of a kind."""
        path, what = PATHS[revoke.what], f"revoke the {revoke.what.replace('_', ' ')}"
        issued = self._ask("GET", f"{path}?client_id={quote(client_id, safe='')}&limit=1", None, what)
        if not isinstance(issued, list) or not issued:
            raise ControlError(f"The sandbox did not {what}: {client_id} has none.")
        self._ask("POST", f"{path}/{self._member(issued[0], 'serial')}/revoke", {}, what)

    def add_fault(self, fault: Fault, client_id: str) -> Undo:
        """Let a fault strike the client's next request."""
        body = {"fault": fault.name, **fault.fields, "client_id": client_id, "times": 1}
        number = self._member(self._ask("POST", "faults", body, f"provoke {fault.name}"), "id")
        # A used-up fault is already gone; 404 is fine.
        return lambda: self._ask("DELETE", f"faults/{number}", None, f"remove the fault {fault.name}", gone=True)

    def _change(self, path: str, change: ChangeClient | ChangeSettings, what: str) -> Undo:
        changes = {name: value for name, value in asdict(change).items() if name != "id" and value is not None}
        now = self._ask("GET", path, None, f"show {what}")
        before = {name: self._member(now, name) for name in changes}
        self._ask("PATCH", path, changes, f"change {what}")
        return lambda: self._ask("PATCH", path, before, f"restore {what}")

    def _ask(self, method: str, path: str, body: object, what: str, *, gone: bool = False) -> Any:
        try:
            # Not recorded: it belongs to no flow, and its response may show a client's secret.
            exchange = send_unrecorded(Exchange(Step.API, self._request(method, path, body), self._now()))
        except InputError as error:
            raise ControlError(f"The sandbox did not {what}. {error}") from error
        if exchange.response is None:
            detail = exchange.failure.detail if exchange.failure else ""
            raise ControlError(f"The sandbox did not {what}: its control at {self._address} did not respond. {detail}")
        status, text = exchange.response.status, exchange.response.body.decode("utf-8", "replace")
        if gone and status == 404:
            return None
        try:
            document = json.loads(text or "null")
        except ValueError as error:
            raise ControlError(
                f"The sandbox did not {what}: the response of {self._address} is not valid JSON ({status})."
            ) from error
        if not 200 <= status < 300:
            problem = document.get("error") if isinstance(document, dict) else None
            detail = problem.get("detail", "") if isinstance(problem, dict) else ""
            raise ControlError(f"The sandbox did not {what}: it responded {status}. {detail}".rstrip())
        return document

    def _member(self, response: Any, name: str) -> Any:
        if not isinstance(response, dict) or name not in response:
            raise ControlError(f"{self._address} is not a sandbox's control: the response has no field {name}.")
        return response[name]

    def _request(self, method: str, path: str, body: object) -> Request:
        headers = [("Authorization", f"Bearer {self._token}")] if self._token else []
        if body is None:
            return build_request(method, f"{self._address}/{path}", headers)
        headers.append(("Content-Type", "application/json"))
        return build_request(method, f"{self._address}/{path}", headers, json.dumps(body).encode())
