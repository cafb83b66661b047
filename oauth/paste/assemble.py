"""Put together what stands in a text: a request and the answer behind it are one exchange, whatever stands between."""

import re
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Literal

from oauth.catalogue.folding import fold
from oauth.catalogue.matcher import Match, match
from oauth.exchange import Part, Request, Response, Step, header
from oauth.paste import address, envelopes
from oauth.paste.curl import command
from oauth.paste.result import STATUS_UNKNOWN, Block, Pasted, check_count
from oauth.paste.step_guess import is_callback, parameters, split, step_of

NO_BODY = "the body of the response is not in the text"
_LABEL = 30
"""Characters in front of an answer that a program prints each time that it prints the same exception."""

_BETWEEN = 600
"""Characters between the head of an answer and its body, where a program prints them apart."""

_BESIDE = 10
"""Exchanges before and behind a status alone among which the error of its answer is looked for."""

_MOST_DESCRIPTIONS = 200
"""Descriptions in which words are looked for as a part; beyond, only whole ones are compared."""

_CLOSE = 40
"""Characters to a status behind an empty line."""

_BELOW = 2_000
"""Characters between an error and the request below it, in a text that begins with the error."""

_ANOTHER = re.compile(
    r"(?i)(?<!not )(?<!n't )(?<!never )\b(?:works?|worked|working|fix(?:ed|es)?|solved|solution|instead|succe\w+"
    r"|corrected|changed|chang(?:e|ing) (?:it|this|to)|after(?:wards)?|then|next)\b"
)
"""Words in front of a request that is another attempt, or the next one, and not that of the error above it."""

_NEAR = 200
"""Characters between an answer and a status in one of the next lines."""

_OF_TOKEN_ENDPOINT = ("invalid_grant", "unauthorized_client", "unsupported_grant_type")
"""Errors that no API gives (RFC 6749 §5.2)."""

REQUEST_LINE = frozenset({Part.REQUEST_HEADERS, Part.REQUEST_BODY})
"""The parts of a request that its first line leaves unknown."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something in the text. ``request`` is an address alone, which is an exchange only with what stands beside it."""

    start: int
    end: int
    kind: Literal["items", "other", "words", "address", "status", "time", "heading", "attempt"]
    items: tuple[Pasted, ...] = ()
    request: Request | None = None
    status: int = STATUS_UNKNOWN
    at: datetime | None = None
    is_complete: bool = False
    is_certain: bool = True
    """False for a status in a sentence, which alone tells no exchange."""

    @property
    def is_callback(self) -> bool:
        """True for an address with the parameters of an authorization response."""
        return self.request is not None and is_callback(parameters(self.request.url))


@dataclass(frozen=True, slots=True)
class Known:
    """The errors that were read so far: what only repeats one of them is no error of its own."""

    codes: set[str]
    descriptions: dict[str, None]

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Known":
        """Return the errors of the structures in a text."""
        items = (item for event in events if event.kind == "items" for item in event.items)
        errors = [error for item in items if (error := _error(item))]
        descriptions = (fold(error.description).rstrip(".") for error in errors)
        return cls({fold(error.error) for error in errors}, dict.fromkeys(filter(None, descriptions)))

    def is_new(self, item: Pasted) -> bool:
        """Return whether no exchange has this error already."""
        error = match(None, (), item.response.body) if item.response else None
        if error is None:
            return False
        description = fold(error.description).rstrip(".")
        if not description:
            return not self.codes and not self.descriptions
        if error.error and fold(error.error) in self.codes:
            return False
        if description in self.descriptions:
            return False
        some = islice(self.descriptions, _MOST_DESCRIPTIONS)
        return not any(description in known or known in description for known in some)


@dataclass
class Assembly:
    """Exchanges put together from what stands in the text, in its order.

    A request counts for the next answer, whatever words stand between, and so do a status and a time.
    """

    text: str
    events: list[Event]
    result: list[Block] = field(default_factory=list)
    pending: list[Block] = field(default_factory=list)
    address: Event | None = None
    status: Event | None = None
    at: datetime | None = None
    answered: int | None = None
    """The end of the last answer without a status, which may stand behind it in the same line."""

    attempts: list[int] = field(default_factory=list)
    """Where requests begin of which nothing is known."""

    def blocks(self) -> list[Block]:
        """Return the exchanges with their places."""
        for event in self.events:
            self._take(event)
            check_count(self.result)
        self._finish()
        if not self.result:
            self._only_other()
        if len(self.result) < 2:
            return self.result
        return self._below_errors(_without_statuses(self._without_repetitions()))

    def _below_errors(self, blocks: list[Block]) -> list[Block]:
        """Join errors with the requests below them, where each error in the text has its request there."""
        pairs = list(zip(blocks[::2], blocks[1::2], strict=False))
        if len(blocks) % 2 or not all(self._is_below(error, asked) for error, asked in pairs):
            return blocks
        return [_with_request(error, asked) for error, asked in pairs]

    def _is_below(self, error: Block, asked: Block) -> bool:
        one, two = error.items[0], asked.items[0]
        if one.response is None or two.request is None or two.response is not None or one.started_at or two.started_at:
            return False
        refusal = _error(one)
        if refusal is None or two.step in (None, Step.AUTHORIZE, Step.CALLBACK):
            return False
        if two.step is Step.API and refusal.error in _OF_TOKEN_ENDPOINT:
            return False
        if one.request is not None:  # its address was in the message
            is_same = split(one.request.url).path == split(two.request.url).path
            if two.unknown or not one.unknown >= REQUEST_LINE or not is_same:
                return False
        between = self.text[error.end : asked.start]
        return len(between) <= _BELOW and not _ANOTHER.search(between)

    def _without_repetitions(self) -> list[Block]:
        """Join an error that a program printed twice: in one line, or in another form."""
        blocks: list[Block] = []
        last: dict[tuple[str, str], tuple[int, Match]] = {}
        for block in self.result:
            error = _error(block.items[0])
            if error is None:
                blocks.append(block)
                continue
            keys = [("code", fold(error.error)), ("words", fold(error.description).rstrip("."))]
            keys = [key for key in keys if key[1]]
            places = [last[key] for key in keys if key in last]
            same = next(
                (place for place, other in places if self._is_repeated(blocks[place], other, block, error)), None
            )
            if same is not None:
                blocks[same] = _joined(blocks[same], block)
                continue
            last |= dict.fromkeys(keys, (len(blocks), error))
            blocks.append(block)
        return blocks

    def _is_repeated(self, first: Block, first_error: Match, second: Block, second_error: Match) -> bool:
        one, two = first.items[0], second.items[0]
        if two.source not in ("JSON", envelopes.WORDS) or (two.request is not None and two.request != one.request):
            return False
        if one.status and two.status and one.status != two.status:
            return False
        if bisect(self.attempts, first.end) != bisect(self.attempts, second.start):
            return False
        is_split = (one.status is None) != (two.status is None)
        if one.started_at != two.started_at and not (is_split and _is_soon(one, two)):
            return False
        here, there = (fold(error.description).rstrip(".") for error in (first_error, second_error))
        codes = {fold(first_error.error), fold(second_error.error)} - {""}
        if len(codes) > 1:
            return False
        if here != there and not (two.source == envelopes.WORDS and there in here):
            return False
        if two.source == envelopes.WORDS or self.text.find("\n", first.end, second.start) < 0:
            return True
        is_same_form = bool(self._texts(first) & self._texts(second))
        label = self._label(second)
        if two.request is not None and is_same_form:
            return False  # another attempt
        return is_split or not is_same_form or (bool(label.strip()) and label == self._label(first))

    def _label(self, block: Block) -> str:
        """Return the end of the line in front of an answer, such as the name of an exception."""
        start = max(block.places, key=lambda span: span[1] - span[0])[0]
        begin = max(start - _LABEL, 0)
        return self.text[max(begin, self.text.rfind("\n", begin, start) + 1) : start]

    def _texts(self, block: Block) -> set[str]:
        return {self.text[start:end] for start, end in block.places}

    def _take(self, event: Event) -> None:
        match event.kind:
            case "heading":
                self._finish()
            case "attempt":
                self._finish()
                self.attempts.append(event.start)
            case "time":
                self.at = event.at or self.at
            case "status":
                if self.address is not None and self.address.is_complete and self.status is self.address:
                    self._finish_address()
                if not self._is_status_of_last(event, "\n"):
                    self._use_status()
                    self.status = event
            case "address":
                if self._is_of_pending(event):
                    return
                self._finish_address()
                self.address = event
                if event.is_complete:
                    self.status = event
                    if event.status < 400:  # no error behind it is its own
                        self._finish_address()
            case "other":
                if self.pending or self.status is not None:
                    self._answer(event, event.items[0])
            case _:
                for item in event.items:
                    self._item(event, item)

    def _is_status_of_last(self, event: Event, without: str) -> bool:
        """Give a status to the answer in front of it, if that has none and the text between is ``without`` a sign."""
        if self.answered is None or not self.result or event.start - self.answered > _BETWEEN:
            return False
        if without in self.text[self.answered : event.start]:
            return False
        last = self.result[-1]
        (item,) = last.items
        if item.response is None or item.response.status != STATUS_UNKNOWN:
            return False
        item = replace(item, response=replace(item.response, status=event.status))
        spans = tuple(sorted((*last.places, (event.start, event.end))))
        self.result[-1] = Block(last.start, max(last.end, event.end), (item,), spans)
        return True

    def _use_status(self) -> None:
        """Give a status that no answer followed to the one in front of it."""
        status = self.status
        if status is not None and self.answered is not None and not (self.pending or self.address):
            is_near = status.start - self.answered < _NEAR
            is_close = status.start - self.answered < _CLOSE
            if is_near and self._is_status_of_last(status, "\n\n\n" if is_close else "\n\n"):
                self.status = None

    def _item(self, event: Event, item: Pasted) -> None:
        if item.request is None:
            self._answer(event, item)
            return
        if item.response is None:
            self._request(event, item)
            return
        if self.pending and command.is_printed(self.pending[0].items[0], item):
            asked = self.pending.pop(0)
            self._add(
                command.merged(asked.items[0], item),
                *asked.places,
                (event.start, event.end),
            )
            return
        if self.status is not None and self.status.status == item.status:
            self.status = None  # it was said before the exchange that has it too
        self._finish()
        self._add(self._timed(item), (event.start, event.end))

    def _request(self, event: Event, item: Pasted) -> None:
        if self.pending and command.is_printed(self.pending[0].items[0], item):
            item = command.merged(self.pending.pop(0).items[0], item)
        if self.pending and self.pending[-1].start != event.start:
            self._finish()
        spans = [(event.start, event.end)]
        if self.address is not None and self.address.request and item.request and not item.request.url:
            request = replace(item.request, method=self.address.request.method, url=self.address.request.url)
            item = replace(item, request=request, step=step_of(request, None))
            spans.insert(0, (self.address.start, self.address.end))
            self.address = None
        self._finish_address()
        block = Block(spans[0][0], event.end, (self._timed(item),), tuple(spans))
        if item.source == "address" and item.step in (Step.AUTHORIZE, Step.CALLBACK):
            self.result.append(block)  # the browser's request, whose answer nobody pastes
        else:
            self.pending.append(block)

    def _answer(self, event: Event, item: Pasted) -> None:
        response = item.response
        if response is None:
            return
        if not self.pending and self.address is None and self._is_body_of_last(event, item):
            return
        spans = [(event.start, event.end)]
        unknown, request, repairs, source = item.unknown, None, item.repairs, item.source
        started_at = item.started_at or self.at
        if self.pending:
            asked = self.pending.pop(0)
            before = asked.items[0]
            request, unknown = before.request, before.unknown | unknown
            repairs = tuple(dict.fromkeys((*before.repairs, *repairs)))
            source = f"{before.source} and its output" if before.source == "curl command" else before.source or source
            started_at = before.started_at or started_at
            spans = [*asked.places, *spans]
        elif self.address is not None:
            request, unknown = self.address.request, REQUEST_LINE | unknown
            spans = [(self.address.start, self.address.end), *spans]
        if self.status is not None and 300 <= self.status.status < 400 and _error(item) is not None:
            self.status = None  # that of another answer: a redirect has no error in its body
        if response.status == STATUS_UNKNOWN and self.status is not None:
            response = replace(response, status=self.status.status)
            spans.append((self.status.start, self.status.end))
        self.address = self.status = None
        self._add(
            replace(
                item,
                request=request,
                response=response,
                step=step_of(request, response) if request else item.step or step_of(None, response),
                started_at=started_at,
                repairs=repairs,
                source=source,
                unknown=unknown,
            ),
            *spans,
        )
        self.answered = event.end

    def _is_of_pending(self, event: Event) -> bool:
        """Give an address to the request in front of it, if that has none, or is the same; with its status."""
        if not self.pending or event.request is None:
            return False
        block = self.pending[0]
        asked = block.items[0].request
        if asked is None or (asked.url and split(asked.url).path != split(event.request.url).path):
            return False
        if not asked.url:
            asked = replace(asked, method=event.request.method, url=event.request.url)
            item = replace(block.items[0], request=asked, step=step_of(asked, None))
            self.pending[0] = Block(block.start, block.end, (item,), block.spans)
        if event.status:
            self.status = event
        return True

    def _is_body_of_last(self, event: Event, item: Pasted) -> bool:
        """Give a body to the answer in front of it, of which only the head was read."""
        last = self.result[-1] if self.result else None
        if last is None or item.response is None or not item.response.body or item.source == envelopes.WORDS:
            return False
        before = last.items[0]
        head = before.response
        if head is None or head.status < 400 or event.start - last.end > _BETWEEN:
            return False
        if head.body and (_error(before) is not None or _error(item) is None):
            return False
        if item.response.status not in (STATUS_UNKNOWN, head.status) or header(head.headers, "content-length") == "0":
            return False
        response = replace(head, body=item.response.body)
        joined = replace(
            before,
            response=response,
            step=step_of(before.request, response),
            repairs=tuple(dict.fromkeys((*before.repairs, *item.repairs))),
            unknown=before.unknown - {Part.RESPONSE_BODY},
        )
        spans = (*last.places, (event.start, event.end))
        self.result[-1] = Block(last.start, event.end, (joined,), spans)
        self.status = None
        return True

    def _timed(self, item: Pasted) -> Pasted:
        return replace(item, started_at=item.started_at or self.at)

    def _add(self, item: Pasted, *spans: tuple[int, int]) -> None:
        self.result.append(Block(min(spans)[0], max(end for _, end in spans), (item,), tuple(sorted(spans))))

    def _finish(self) -> None:
        """Keep the requests that got no answer."""
        self._use_status()
        if self.pending and self.status is not None:
            status, self.status = self.status, None
            self._answer(status, _without_body(status.status))
        self.result += self.pending
        self.pending = []
        self._finish_address()

    def _finish_address(self) -> None:
        """Keep an address that is an exchange by itself: with a status, or as part of an authorization."""
        event, self.address = self.address, None
        if event is None or event.request is None:
            return
        step = step_of(event.request, None)
        span = (event.start, event.end)
        if self.status is not None:
            item = _without_body(self.status.status)
            item = replace(
                item, request=event.request, step=step, started_at=self.at, unknown=item.unknown | REQUEST_LINE
            )
            self._add(item, span, (self.status.start, self.status.end))
            self.status = None
        elif event.request.method == "" and self._is_of_last_answer(event):
            return
        elif step in (Step.AUTHORIZE, Step.CALLBACK) and "=" in event.request.url:
            self._add(self._timed(address.exchange(event.request.method, event.request.url)), span)

    def _is_of_last_answer(self, event: Event) -> bool:
        """Give the options of a client, which a program prints behind the error, to the answer in front of them."""
        last = self.result[-1] if self.result else None
        item = last.items[0] if last else None
        if last is None or item is None or item.request is not None or item.response is None:
            return False
        unknown = item.unknown | REQUEST_LINE | {Part.METHOD}
        item = replace(item, request=event.request, step=step_of(event.request, item.response), unknown=unknown)
        spans = (*last.places, (event.start, event.end))
        self.result[-1] = Block(last.start, event.end, (item,), spans)
        return True

    def _only_other(self) -> None:
        """Keep the structures of a text that has nothing else, or its status, or its address."""
        for event in self.events:
            if event.kind == "other":
                self._add(self._timed(event.items[0]), (event.start, event.end))
        if not self.result and self.status is not None and self.status.is_certain:
            self._add(_without_body(self.status.status), (self.status.start, self.status.end))


def _error(item: Pasted) -> Match | None:
    response = item.response
    return match(item.status, response.headers, response.body) if response and response.body else None


def _is_soon(one: Pasted, two: Pasted) -> bool:
    """Return whether two answers have times within a second, as the log lines of one answer have."""
    here, there = one.started_at, two.started_at
    return here is not None and there is not None and abs((there - here).total_seconds()) <= 1


def _without_statuses(blocks: list[Block]) -> list[Block]:
    """Join a status alone with the error that stands in words or a log beside it: they are of one answer."""
    errors = {place: block for place, block in enumerate(blocks) if _is_error(block.items[0])}
    alone: set[int] = set()
    for place, block in enumerate(blocks):
        if errors and _is_status(block.items[0]):
            beside = (near for near in range(place - _BESIDE, place + _BESIDE + 1) if near in errors)
            owner = next((near for near in beside if _is_of_answer(block.items[0], errors[near].items[0])), None)
            if owner is not None:
                errors[owner] = _joined(errors[owner], block)
                alone.add(place)
    return [errors.get(place, block) for place, block in enumerate(blocks) if place not in alone]


def _is_error(item: Pasted) -> bool:
    return item.response is not None and bool(item.response.body) and _error(item) is not None


def _is_status(item: Pasted) -> bool:
    response = item.response
    if response is None or response.body or response.status < 400:
        return False
    return Part.RESPONSE_BODY in item.unknown or not response.headers


def _is_of_answer(alone: Pasted, error: Pasted) -> bool:
    """Return whether a status alone can be that of an error: neither status nor address say otherwise."""
    if alone.response is None or error.response is None or error.response.status not in (0, alone.response.status):
        return False
    if alone.request is None or error.request is None:
        return True
    return split(alone.request.url).path == split(error.request.url).path


def _with_request(error: Block, asked: Block) -> Block:
    one, two = error.items[0], asked.items[0]
    item = replace(
        one,
        request=two.request,
        step=step_of(two.request, one.response) if two.request else one.step,
        repairs=tuple(dict.fromkeys((*two.repairs, *one.repairs))),
        source=two.source,
        unknown=two.unknown | one.unknown - REQUEST_LINE,
    )
    return Block(error.start, asked.end, (item,), (*error.places, *asked.places))


def _joined(first: Block, second: Block) -> Block:
    """Give the first of two prints of an error what only the second has."""
    item, other = first.items[0], second.items[0]
    if item.response is not None and item.response.status == STATUS_UNKNOWN and other.response is not None:
        item = replace(item, response=replace(item.response, status=other.response.status))
    is_richer = item.source == other.source == envelopes.WORDS and other.response is not None
    if is_richer and item.response and other.response and b'"error":' not in item.response.body:
        item = replace(item, response=replace(item.response, body=other.response.body))
    if item.request is None and other.request is not None:
        item = replace(item, request=other.request, step=step_of(other.request, item.response))
        item = replace(item, unknown=item.unknown | other.unknown - {Part.RESPONSE_BODY})
    spans = (*first.places, *second.places)
    return Block(first.start, max(first.end, second.end), (item,), tuple(sorted(spans)))


def _without_body(status: int) -> Pasted:
    unknown = frozenset({Part.RESPONSE_HEADERS, Part.RESPONSE_BODY})
    return Pasted(response=Response(status), repairs=(NO_BODY,), source="text", unknown=unknown)
