"""The device authorization grant, for devices without a browser (RFC 8628)."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from oauth.exchange import Exchange
from oauth.flow.response_body import LONGEST, members, received_at, seconds, succeeded, text
from oauth.moments import later

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

INTERVAL = 5
"""Default seconds between two polls, and the seconds that ``slow_down`` adds (RFC 8628 §3.2, §3.5)."""

LIFETIME = 600
"""Default seconds before the codes expire, when the response has no valid ``expires_in``, which it must have."""


class DeviceStatus(StrEnum):
    """The state of a device grant."""

    PENDING = "pending"
    DENIED = "denied"
    EXPIRED = "expired"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Device:
    """A device authorization (RFC 8628 §3.2) and the state of polling for its token.

    ``interval`` is in seconds, and counts from ``responded_at``, the time of the last response.
    """

    device_code: str = field(repr=False)
    user_code: str = field(repr=False)
    verification_uri: str
    verification_uri_complete: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    interval: int
    responded_at: datetime
    polls: int = 0
    status: DeviceStatus = DeviceStatus.PENDING

    @property
    def next_poll_at(self) -> datetime:
        """The earliest time of the next poll."""
        return later(self.responded_at, self.interval)

    def may_poll(self, now: datetime) -> bool:
        """Return True once the interval has passed, until the codes expire or the grant ends."""
        return self.status is DeviceStatus.PENDING and self.next_poll_at <= now < self.expires_at

    def has_expired(self, now: datetime) -> bool:
        """Return True if the codes expired while the user had not finished."""
        return self.status is DeviceStatus.PENDING and now >= self.expires_at


def read(exchange: Exchange) -> Device | None:
    """Return the device authorization of a response, or ``None`` if it is not one."""
    body = members(exchange)
    device_code, user_code = body.get("device_code"), body.get("user_code")
    if not (isinstance(device_code, str) and device_code and isinstance(user_code, str) and succeeded(exchange)):
        return None
    at = received_at(exchange)
    interval = seconds(body.get("interval"))
    return Device(
        device_code=device_code,
        user_code=user_code,
        # Google's early spelling is verification_url.
        verification_uri=text(body.get("verification_uri")) or text(body.get("verification_url")),
        verification_uri_complete=text(body.get("verification_uri_complete")),
        issued_at=at,
        expires_at=later(at, seconds(body.get("expires_in")) or LIFETIME),
        interval=INTERVAL if interval is None else max(interval, 1),
        responded_at=at,
    )


def after_poll(device: Device, exchange: Exchange) -> Device:
    """Return the device grant after a poll (RFC 8628 §3.5)."""
    device = replace(device, responded_at=received_at(exchange), polls=device.polls + 1)
    if exchange.response is None:
        # RFC 8628 §3.5: after a connection timeout, poll less often; doubling the interval is suggested.
        return replace(device, interval=min(device.interval * 2, LONGEST))
    body = members(exchange)
    if succeeded(exchange) and isinstance(body.get("access_token"), str):  # a 200 may have none, or be cut off
        return replace(device, status=DeviceStatus.DONE)
    match body.get("error"):
        case "authorization_pending" | "use_dpop_nonce":
            return device
        case "slow_down":
            return replace(device, interval=device.interval + INTERVAL)
        case "access_denied":
            return replace(device, status=DeviceStatus.DENIED)
        case "expired_token":
            return replace(device, status=DeviceStatus.EXPIRED)
        case _:
            return replace(device, status=DeviceStatus.FAILED)
