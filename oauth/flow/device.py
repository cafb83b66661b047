"""The grant of a device without a browser of its own (RFC 8628)."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from oauth.exchange import Exchange
from oauth.flow.response_body import members, received_at, seconds, succeeded, text

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

INTERVAL = 5
"""Seconds between two polls when the server names none, and what ``slow_down`` adds (RFC 8628 §3.2, §3.5)."""


class DeviceStatus(StrEnum):
    """How far a device grant is."""

    PENDING = "pending"
    DENIED = "denied"
    EXPIRED = "expired"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Device:
    """A device authorization (RFC 8628 §3.2), and what polling for its token gave so far.

    ``interval`` is in seconds. ``responded_at`` is when the last answer came: the next poll waits from then.
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
        """When the server may be asked next."""
        return self.responded_at + timedelta(seconds=self.interval)

    def may_poll(self, now: datetime) -> bool:
        """Whether the token may be asked for now: not before the interval is over, and not after the end."""
        return self.status is DeviceStatus.PENDING and self.next_poll_at <= now < self.expires_at

    def has_expired(self, now: datetime) -> bool:
        """Whether the code lived out its time, though the server was not asked again."""
        return self.status is DeviceStatus.PENDING and now >= self.expires_at


def read(exchange: Exchange) -> Device | None:
    """The device authorization in an answer, or ``None`` when there is none in it."""
    body = members(exchange)
    code, user = body.get("device_code"), body.get("user_code")
    if not (isinstance(code, str) and code and isinstance(user, str) and succeeded(exchange)):
        return None
    answered = received_at(exchange)
    lifetime = seconds(body.get("expires_in")) or 600
    interval = seconds(body.get("interval"))
    return Device(
        device_code=code,
        user_code=user,
        # Google's early spelling is verification_url.
        verification_uri=text(body.get("verification_uri")) or text(body.get("verification_url")),
        verification_uri_complete=text(body.get("verification_uri_complete")),
        issued_at=answered,
        expires_at=answered + timedelta(seconds=lifetime),
        interval=INTERVAL if interval is None else max(interval, 1),
        responded_at=answered,
    )


def after_poll(device: Device, exchange: Exchange) -> Device:
    """The device grant after a poll (RFC 8628 §3.5)."""
    asked = replace(device, responded_at=received_at(exchange), polls=device.polls + 1)
    if exchange.response is None:
        # The same section: after a connection timeout the client has to ask less often; twice the time is advised.
        return replace(asked, interval=device.interval * 2)
    if succeeded(exchange):
        return replace(asked, status=DeviceStatus.DONE)
    match members(exchange).get("error"):
        case "authorization_pending":
            return asked
        case "slow_down":
            return replace(asked, interval=device.interval + INTERVAL)
        case "access_denied":
            return replace(asked, status=DeviceStatus.DENIED)
        case "expired_token":
            return replace(asked, status=DeviceStatus.EXPIRED)
        case "use_dpop_nonce":
            return asked
        case _:
            return replace(asked, status=DeviceStatus.FAILED)
