"""The secrets of one session, and every text rid of them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TypeVar, cast

from oauth.exchange import Exchange, Headers, Request, Response
from oauth.redaction import by_name, by_value, names
from oauth.redaction.bodies import body_text
from oauth.redaction.by_name import Found
from oauth.redaction.by_value import Spelled
from oauth.redaction.decodings import View, views
from oauth.redaction.placeholders import HIDDEN, PLACEHOLDER, placeholder, storable

_Reader = Callable[[str, list[View]], Iterable[Found]]
"""What finds secrets by name in a text, from it and its views."""

_Item = tuple[str | _Reader, str]
"""A header or another field, as name and value; or a text of another kind, behind its reader."""

_K = TypeVar("_K")
_T = TypeVar("_T")


@dataclass(slots=True)
class _Reading:
    """What an item reads as, and the secrets that have a name in it. ``names`` are the views of a field's name.

    ``plain`` has the texts of all its views where there is no such secret, and the item can be kept.
    """

    names: list[View]
    views: list[View]
    found: list[Found]
    plain: str | None = None


MOST_NAMED = 100
"""Secrets found by name, beyond the remembered ones, that are looked for by value in the rest of an exchange."""

MOST_KEPT = 4096
"""Plain items that a vault keeps, and secrets whose spellings and placeholders it keeps."""

SHORTEST_AS_SENT = 6
"""Characters from which a secret is looked for in a sentence of ours; a shorter one would be found in plain words."""

LONGEST_PLAIN = 500
"""Characters of the longest plain item: what repeats from exchange to exchange is short."""


class Vault:
    """The secrets of one session or flow: value to kind, kept in memory only. Its ``repr`` shows no values."""

    def __init__(self, key: bytes) -> None:
        """``key`` is the installation's key for fingerprints."""
        self._key = key
        self._kinds: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._index = by_value.Index()
        self._as_sent = by_value.Index(by_value.as_sent, SHORTEST_AS_SENT)
        # Items without a secret by name, and the texts of their views. That depends on no known secret, so it stays
        # true; and it is kept here, not for the process, because a secret without a name may be among them.
        self._plain: dict[_Item, str] = {}
        # Of the secrets that came up lately the spellings, and the placeholders by kind.
        self._spellings: dict[str, tuple[str, ...]] = {}
        self._placeholders: dict[tuple[str, str], str] = {}
        # What was read in the last exchange: it comes again when its answer is there.
        self._last: dict[_Item, _Reading] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._kinds)} secrets)"

    def add(self, kind: str, value: str) -> str:
        """Remember a secret and return its placeholder. A value known already keeps its kind."""
        if not value or PLACEHOLDER.fullmatch(value):
            return value
        if value not in self._kinds:
            if len(value) >= SHORTEST_AS_SENT:
                self._as_sent.add(value)
            if by_value.sweepable(value):
                self._index.add(value)
        kind = self._kinds.setdefault(value, names.canonical(kind))
        shown = self._placeholder(kind, value)
        self._values[shown] = value
        return shown

    def placeholder(self, kind: str, value: str) -> str:
        """What stands in the place of a secret of this kind, known or not; nothing for an empty value."""
        return self._placeholder(names.canonical(kind), value)

    def kind_of(self, value: str) -> str | None:
        """The kind under which a value was remembered first."""
        return self._kinds.get(value)

    def reveal(self, shown: str) -> str | None:
        """The secret behind a placeholder; of several short ones that share it, the latest."""
        return self._values.get(shown)

    def resolve(self, text: str) -> str:
        """A text with the real values in the place of the placeholders of remembered secrets."""
        return PLACEHOLDER.sub(lambda found: self._values.get(found[0], found[0]), text)

    def secrets(self) -> Mapping[str, str]:
        """The kind of every remembered secret, by its placeholder."""
        return {shown: self._kinds[value] for shown, value in self._values.items()}

    def standing(self, text: str) -> list[tuple[str, str]]:
        """Kind and value of the remembered secrets that stand in a text as they are, in the order they came in.

        Those of fewer than ``SHORTEST_AS_SENT`` characters are not looked for.
        """
        return [(self._kinds[value], value) for value in self._as_sent.likely(text) if value in text]

    def conceal(self, name: str, value: str) -> str:
        """Redact one named field, and remember what is hidden, so that ``resolve`` puts it back."""
        for found in self._read((name, value)).found:
            self.add(found.kind, self._meant(found, {}))
        return self.redact_value(name, value)

    def redact_value(self, name: str, value: str) -> str:
        """The value of one named field or header, redacted."""
        return self._redact([(name, value)])[0][1]

    def redact_url(self, url: str) -> str:
        """A URL, absolute or relative, with the secrets in user information, query and fragment redacted.

        Read it with ``urllib.parse`` only after ``quoted``.
        """
        return self._redact([(_url, url)])[0][1]

    def redact_text(self, text: str) -> str:
        """Any text, redacted by value, and by name where a structure is recognised inside."""
        return self._redact([(_text, text)])[0][1]

    def redact(self, exchange: Exchange) -> Exchange:
        """The same exchange with placeholders, and with text that every database takes.

        A secret that has a name somewhere in the exchange is taken out of all of it. Bodies come back in UTF-8.
        """
        return _with_items(exchange, self._redact(_items(exchange)))

    def _redact(self, items: Sequence[_Item]) -> list[_Item]:
        """The items without the secrets that have a name in one of them, and without the remembered ones."""
        plain = list(map(self._plain.get, items))
        readings = {
            place: self._last.get(items[place]) or self._read(items[place])
            for place, text in enumerate(plain)
            if text is None
        }
        self._last = {items[place]: reading for place, reading in readings.items()}
        found = [found for reading in readings.values() for found in reading.found]
        named = {self._meant(secret, {}): secret.kind for secret in reversed(found)}
        # Searching all texts at once tells which secrets are worth a search of each.
        all_plain = "\n".join(filter(None, plain))
        others = [view.text for reading in readings.values() for view in (*reading.names, *reading.views)]
        standing = self._standing(named, "\n".join([all_plain, *others]))
        forms = [form for secret in standing for form in secret.forms]
        if any(form in all_plain for form in forms):
            readings = {place: readings.get(place) or self._read(item) for place, item in enumerate(items)}
        written = list(items)
        for place, reading in readings.items():
            if reading.plain is None or any(form in reading.plain for form in forms):
                written[place] = self._written(items[place], reading, named, standing)
        return written

    def _read(self, item: _Item) -> _Reading:
        what, text = item
        readings = views(text)
        if isinstance(what, str):
            named = [*by_name.in_field(what, text), *by_name.in_text(readings, lines=False)]
            reading = _Reading(views(what), readings, named)
        else:
            reading = _Reading([], readings, list(what(text, readings)))
        if not reading.found and len(text) <= LONGEST_PLAIN:
            texts = [view.text for view in (*reading.names, *readings)]
            if storable(text) == text and not (reading.names and storable(texts[0]) != texts[0]):
                reading.plain = _keep(self._plain, item, "\n".join(texts))
        return reading

    def _standing(self, named: Mapping[str, str], text: str) -> list[Spelled]:
        """The secrets that stand in a text: of those found by name ``MOST_NAMED``, and all remembered ones."""
        fresh = [value for value in reversed(tuple(named)) if value not in self._kinds and by_value.sweepable(value)]
        found = []
        for value in (*fresh[:MOST_NAMED], *self._index.likely(text)):
            if spelled := tuple([form for form in self._forms(value) if form in text]):
                found.append(Spelled(value, self._kinds.get(value) or named[value], spelled))
        return found

    def _forms(self, value: str) -> tuple[str, ...]:
        return self._spellings.get(value) or _keep(self._spellings, value, by_value.forms(value))

    def _placeholder(self, kind: str, value: str) -> str:
        of = (kind, value)
        return self._placeholders.get(of) or _keep(self._placeholders, of, placeholder(self._key, kind, value))

    def _meant(self, found: Found, named: Mapping[str, str]) -> str:
        """What a find stands for: of its readings the one that is known, or else the likeliest."""
        for value in found.readings:
            if value in self._kinds or value in named:
                return value
        return found.readings[0]

    def _written(self, item: _Item, reading: _Reading, named: Mapping[str, str], standing: Sequence[Spelled]) -> _Item:
        what, text = item
        written = self._without(text, reading.found + by_value.find(reading.views, standing), named)
        if isinstance(what, str):
            what = self._without(what, by_value.find(reading.names, standing), named)
        return what, written

    def _without(self, text: str, all_found: list[Found], named: Mapping[str, str]) -> str:
        """A text with placeholders, as every database takes it."""
        if not all_found:
            return storable(text)
        parts: list[str] = []
        position = 0
        for found in _apart(text, all_found):
            value = self._meant(found, named)
            shown = self._placeholder(self._kinds.get(value) or named.get(value, found.kind), value)
            before = found.before and self._swept(found.before, named)
            parts += [text[position : found.start], f'"{shown}"' if found.number else before + shown]
            position = found.end
        return storable("".join([*parts, text[position:]]))

    def _swept(self, decoded: str, named: Mapping[str, str]) -> str:
        """What was decoded and is written beside a placeholder, without the known secrets in it.

        A client id that is a secret is a secret: id and secret are swapped often enough.
        """
        fitting = dict.fromkeys(chain(named, self._as_sent.likely(decoded)))
        for value in sorted(filter(by_value.sweepable, fitting), key=len, reverse=True):
            for form in by_value.as_sent(value):
                if form in decoded:
                    kind = self._kinds.get(value) or named[value]
                    decoded = decoded.replace(form, placeholder(self._key, kind, value))
        return decoded


def _apart(text: str, all_found: list[Found]) -> list[Found]:
    """What is found, in order. Of two that overlap the longer counts, or both as one where neither holds the other.

    A placeholder is no secret: what stands inside one is left out, and what cuts through one takes it in.
    """
    holes = [hole.span() for hole in HIDDEN.finditer(text)] if "«" in text else []
    ends = [end for _, end in holes]
    apart: list[Found] = []
    for found in sorted(all_found, key=lambda item: (item.start, -item.end)):
        start, end = found.start, found.end
        first = bisect_right(ends, start)
        if first < len(holes) and holes[first][0] <= start and end <= holes[first][1]:
            continue
        while first < len(holes) and holes[first][0] < end:
            start, end = min(start, holes[first][0]), max(end, holes[first][1])
            first += 1
        if apart and end <= apart[-1].end:
            continue
        if apart and start < apart[-1].end:
            found = apart.pop()
            start = min(start, found.start)
        if (start, end) != (found.start, found.end):
            found = Found(start, end, found.kind, (text[start:end],))
        apart.append(found)
    return apart


def _keep(kept: dict[_K, _T], key: _K, value: _T) -> _T:
    """Keep and return a value that can be made again, so that all may be forgotten when there are too many."""
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value


def _items(exchange: Exchange) -> list[_Item]:
    request, response, failure = exchange.request, exchange.response, exchange.failure
    items: list[_Item] = [(_by_value_only, exchange.client_id), (_by_value_only, exchange.case), (_url, request.url)]
    items += [*request.headers, (_text, _shown(request.body, request.headers))]
    if response is not None:
        items += [(_by_value_only, response.reason), *response.headers]
        items.append((_response_text, _shown(response.body, response.headers)))
    if failure is not None:
        items.append((_text, failure.detail))
    return items


def _with_items(exchange: Exchange, items: Iterable[_Item]) -> Exchange:
    """The exchange with the items that stand in the place of its own, in the same order."""
    rest = iter(items)
    request, response, failure = exchange.request, exchange.response, exchange.failure
    client_id, case, url = (text for _, text in islice(rest, 3))
    headers, body = _headers(request.headers, rest), next(rest)[1].encode()
    request = Request(request.method, url, headers, body)
    if response is not None:
        reason = next(rest)[1]
        headers, body = _headers(response.headers, rest), next(rest)[1].encode()
        response = Response(response.status, reason, headers, body, response.cut, response.http_version)
    if failure is not None:
        failure = replace(failure, detail=next(rest)[1])
    # By position: that is faster than replacing the fields that change.
    return Exchange(
        exchange.step,
        request,
        exchange.started_at,
        response,
        failure,
        exchange.duration_ms,
        exchange.id,
        exchange.flow,
        exchange.owner,
        case,
        exchange.provider,
        client_id,
        exchange.marks,
    )


def _headers(headers: Headers, items: Iterator[_Item]) -> Headers:
    return cast(Headers, tuple(islice(items, len(headers))))


def _shown(body: bytes, headers: Headers) -> str:
    text = body_text(body, headers)
    return f"(binary, {len(body)} bytes)" if text is None else text


def _text(_: str, readings: list[View]) -> list[Found]:
    return by_name.in_text(readings)


def _response_text(_: str, readings: list[View]) -> list[Found]:
    return by_name.in_text(readings, response=True)


def _url(url: str, readings: list[View]) -> Iterator[Found]:
    return chain(by_name.in_url(url), by_name.in_text(readings, lines=False))


def _by_value_only(_text: str, _readings: list[View]) -> Iterable[Found]:
    return ()
