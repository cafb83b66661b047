"""The adverts and threads of a sandbox's users. Not locked: the caller holds the sandbox's lock."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from msgspec import Meta, Struct

VALID = timedelta(days=30)
"""Time for which an advert is active."""
MOST_ADVERTS = 10_000
"""Number of created adverts, and of created threads, that are kept."""
MOST_MESSAGES = 1_000
FIRST_ID = 1_000_000_000
"""The first id of what is created; generated data has lower ones. All fit 32 bits, as the provider's do."""
LARGEST_ID = 2**31 - 1

Id = Annotated[int, Meta(ge=1, le=LARGEST_ID)]
Time = Annotated[datetime, Meta(tz=True)]


class Status(StrEnum):
    """The documented statuses of an advert."""

    NEW = "new"
    ACTIVE = "active"
    LIMITED = "limited"
    REMOVED_BY_USER = "removed_by_user"
    OUTDATED = "outdated"
    UNCONFIRMED = "unconfirmed"
    UNPAID = "unpaid"
    MODERATED = "moderated"
    BLOCKED = "blocked"
    DISABLED = "disabled"
    REMOVED_BY_MODERATOR = "removed_by_moderator"


class Advert(Struct, forbid_unknown_fields=True):
    """An advert. ``content`` has the members that its owner sets, as the API returns them.

    ``refreshed_at`` is when it last moved to the top: when it was activated, or refreshed; or when a new one came to
    moderation.
    """

    id: Id
    user_id: int
    status: Status
    created_at: Time
    activated_at: Time
    valid_to: Time
    refreshed_at: Time
    content: dict[str, Any]
    advert_views: int = 0
    phone_views: int = 0
    users_observing: int = 0

    def activate(self, now: datetime) -> None:
        """Show it from now on, for the usual time."""
        self.status = Status.ACTIVE
        self.activated_at = self.refreshed_at = now
        self.valid_to = now + VALID

    def submit(self, now: datetime) -> None:
        """Bring it to moderation."""
        self.status = Status.NEW
        self.refreshed_at = now

    def settle(self, now: datetime, moderation: timedelta) -> None:
        """Do what time does: moderation accepts a new one, and an active one becomes outdated."""
        if self.status is Status.NEW and now - self.refreshed_at >= moderation:
            self.activate(self.refreshed_at + moderation)
        if self.status is Status.ACTIVE and now >= self.valid_to:
            self.status = Status.OUTDATED


class Message(Struct, forbid_unknown_fields=True):
    """A message; ``sent`` is true for one of the advert's owner."""

    id: Id
    sent: bool
    created_at: Time
    text: str
    is_read: bool
    attachments: list[dict[str, str]]


class Thread(Struct, forbid_unknown_fields=True):
    """The messages between the owner of an advert and one other user."""

    id: Id
    user_id: int
    advert_id: Id
    interlocutor_id: Id
    interlocutor_name: str
    created_at: Time
    is_favourite: bool
    messages: list[Message]

    def add(self, message: Message) -> Message:
        """Add a message; past ``MOST_MESSAGES`` the oldest is dropped."""
        self.messages.append(message)
        del self.messages[:-MOST_MESSAGES]
        return message


class PartnerState(Struct, forbid_unknown_fields=True):
    """The content, for a snapshot. ``generated`` are the users whose first data there is, or was."""

    last_id: Annotated[int, Meta(ge=0, le=LARGEST_ID)]
    generated: list[int]
    adverts: list[Advert]
    threads: list[Thread]


class PartnerData:
    """Adverts and threads by their id, oldest first. They are generated for a user when they are needed first."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Remove everything, so that it is generated again."""
        self.refill(PartnerState(FIRST_ID - 1, [], [], []))

    def refill(self, state: PartnerState) -> None:
        """Replace everything."""
        self.last_id = state.last_id
        self.generated = set(state.generated)
        self.adverts = {advert.id: advert for advert in state.adverts}
        self.threads = {thread.id: thread for thread in state.threads}

    def content(self) -> PartnerState:
        """Return everything."""
        return PartnerState(
            self.last_id, sorted(self.generated), list(self.adverts.values()), list(self.threads.values())
        )

    def new_id(self) -> int:
        """Return an id that nothing has."""
        self.last_id += 1
        return self.last_id

    def add(self, item: Advert | Thread) -> None:
        """Add what was created; past ``MOST_ADVERTS`` the oldest created one is dropped, of each kind."""
        items: dict[int, Any] = self.adverts if isinstance(item, Advert) else self.threads
        items[item.id] = item
        if len(items) > MOST_ADVERTS:
            created = [id for id in items if id >= FIRST_ID]
            for id in created[:-MOST_ADVERTS]:
                del items[id]
