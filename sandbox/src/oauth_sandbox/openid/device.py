"""The grant of a device without a browser (RFC 8628): its codes, the user's page, and the polling."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from oauth_sandbox.openid.refusal import Refusal
from oauth_sandbox.scope import Scope

if TYPE_CHECKING:
    from oauth_sandbox.provider import Sandbox

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME = timedelta(minutes=10)
INTERVAL = timedelta(seconds=5)
"""The time between two polls, and what each poll that is too early adds (RFC 8628 §3.5)."""

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters that make no words and are not mistaken for others (RFC 8628 §6.1)."""

MOST = 1_000


@dataclass(slots=True)
class Device:
    """A device that waits for its user. ``user_id`` is who approved, 0 who denied, and ``None`` before that."""

    client_id: str
    scope: Scope
    user_code: str
    expires_at: datetime
    interval: timedelta = INTERVAL
    polled_at: datetime | None = None
    user_id: int | None = None


def begin(sandbox: "Sandbox", client_id: str, scope: Scope) -> tuple[str, Device]:
    """Return the device's code, and the device."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    device = Device(client_id, scope, f"{letters[:4]}-{letters[4:]}", sandbox.clock.now() + LIFETIME)
    code = secrets.token_urlsafe(32)
    devices = sandbox.logins.devices
    devices[code] = device
    while len(devices) > MOST:
        del devices[next(iter(devices))]
    return code, device


def of_user_code(sandbox: "Sandbox", text: str) -> Device | None:
    """Return the device that shows this code and waits, however the user has written it."""
    plain = "".join(letter for letter in text.upper() if letter in LETTERS)
    now = sandbox.clock.now()
    devices = (it for it in sandbox.logins.devices.values() if sandbox.has_client(it.client_id))
    waiting = (it for it in devices if it.user_id is None and it.expires_at > now)
    return next((it for it in waiting if it.user_code.replace("-", "") == plain), None)


def poll(sandbox: "Sandbox", client_id: str, code: str) -> Device:
    """Return the device once its user approved, and forget it. Raises ``Refusal``."""
    device, now = sandbox.logins.devices.get(code), sandbox.clock.now()
    if device is None or device.client_id != client_id:
        raise Refusal(400, "invalid_grant", "The device code is unknown, used, or of another client")
    early = device.polled_at is not None and now - device.polled_at < device.interval
    device.polled_at = now
    if device.expires_at <= now:
        raise Refusal(400, "expired_token", "The device code has expired")
    if device.user_id is None and early:
        device.interval += INTERVAL
        raise Refusal(400, "slow_down", f"Poll every {device.interval.total_seconds():.0f} seconds")
    if device.user_id is None:
        raise Refusal(400, "authorization_pending", "The user has not decided yet")
    del sandbox.logins.devices[code]
    if not device.user_id:
        raise Refusal(400, "access_denied", "The user denied the request")
    return device
