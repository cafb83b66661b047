"""The result of a reader: one exchange of a pasted text."""

from collections.abc import Sized
from dataclasses import dataclass, field
from datetime import datetime

from oauth.exchange import Exchange, Failure, Part, Request, Response, Step
from oauth.lenient_json import ParseError

MOST_EXCHANGES = 100_000
"""Maximum number of exchanges in a pasted text."""

MOST_BRACKETS = 1_000_000
"""Maximum number of opening brackets in a pasted text or a HAR: each may become a value of some hundred octets.

A text above 32 MB may have one for each 32 octets, which those of browsers are far from.
"""

_PIECE = 1 << 20

Spans = tuple[tuple[int, int], ...]
"""Places in a text, each as start and end."""

STATUS_UNKNOWN = 0
"""``Response.status`` where it is not in the pasted text, as with a body alone."""


@dataclass(frozen=True, slots=True)
class Pasted:
    """One exchange, as far as it was pasted.

    A part that is not in the text is ``None``, a status that is not ``STATUS_UNKNOWN``. ``failure`` is why no response
    came, where the text says so. ``unknown`` has the parts of a message in the text that the text does not show.
    ``spans`` are the places in the text from which it was read.
    ``repairs`` describes what reading repaired or left out. ``source`` is the format in words. ``started_at`` is aware
    and in UTC. ``flow`` is equal for the exchanges that share a ``state``, a code or a token.
    """

    request: Request | None = None
    response: Response | None = None
    step: Step | None = None
    started_at: datetime | None = None
    duration_ms: int | None = None
    repairs: tuple[str, ...] = ()
    source: str = ""
    flow: str = ""
    unknown: frozenset[Part] = frozenset()
    spans: Spans = field(default=(), compare=False)
    failure: Failure | None = None

    @property
    def status(self) -> int | None:
        """Return the status of the response, ``None`` where it is not in the text."""
        return self.response.status or None if self.response else None

    def to_exchange(self, now: datetime) -> Exchange:
        """Return the exchange for diagnosis and history. ``now`` stands in for a time that is not in the text.

        Without a request in the text its method and address are empty; an unknown step counts as the token request.
        """
        return Exchange(
            step=self.step or Step.TOKEN,
            request=self.request or Request("", ""),
            started_at=self.started_at or now,
            response=self.response,
            failure=self.failure,
            duration_ms=self.duration_ms,
            flow=self.flow,
            marks=() if self.started_at else ("undated",),
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A place in a text, and the exchanges that were read there. ``spans`` are its parts, if others stand between."""

    start: int
    end: int
    items: tuple[Pasted, ...]
    spans: Spans = ()

    @property
    def places(self) -> Spans:
        """The places of its parts, which are one where nothing stands between."""
        return self.spans or ((self.start, self.end),)


class TooManyError(ParseError):
    """The text holds more than is read; no other reader is tried."""


class NothingFoundError(ParseError):
    """The text has nothing in it that is known."""


def check_brackets(octets: bytes) -> None:
    """Raise ``TooManyError`` for more than ``MOST_BRACKETS``, before the text in UTF-8 is decoded."""
    most = max(MOST_BRACKETS, len(octets) // 32)
    pieces = (octets[start : start + _PIECE] for start in range(0, len(octets), _PIECE))
    # Three times as fast as counting both.
    if sum(len(piece) - len(piece.translate(None, b"{[")) for piece in pieces) > most:
        raise TooManyError(f"the text has more than {most:,} opening brackets; cut out the exchange in question.")


def check_count(items: Sized) -> None:
    """Raise ``TooManyError`` for more than ``MOST_EXCHANGES``; readers ask while they read."""
    check_number(len(items))


def check_number(number: int) -> None:
    """Raise ``TooManyError`` for more than ``MOST_EXCHANGES`` values, of which each could be an exchange."""
    if number > MOST_EXCHANGES:
        raise TooManyError(f"the text holds more than {MOST_EXCHANGES:,} exchanges; cut out those in question.")
