"""The secrets of one session, and every text rid of them."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeVar
from urllib.parse import quote_plus

from oauth.exchange import Exchange, Headers
from oauth.redaction import names, structures, values
from oauth.redaction.bodies import body_text
from oauth.redaction.placeholders import HIDDEN, PLACEHOLDER, placeholder, storable
from oauth.redaction.structures import Found
from oauth.redaction.views import View, views

_Reader = Callable[[str, str, list[View]], Iterable[Found]]
"""What finds secrets by name: from a field's name, empty where there is none, its text and the views of that."""

_Write = Callable[[str, _Reader, str], str]
_T = TypeVar("_T")

MOST_NAMED = 100
"""Secrets found by name, beyond the remembered ones, that are looked for by value in the rest of an exchange."""

MOST_PLAIN = 4096
"""Plain texts that a vault remembers."""

LONGEST_PLAIN = 200
"""Characters of the longest of them, with its name: what repeats from exchange to exchange is short."""


class Vault:
    """The secrets of one session or flow: value to kind, kept in memory only. Its ``repr`` shows no values."""

    def __init__(self, key: bytes) -> None:
        """``key`` is the installation's key for fingerprints."""
        self._key = key
        self._kinds: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._spellings: dict[str, tuple[str, ...]] = {}
        # Texts without a secret by name and without encodings. That depends on no known secret, so it stays true; and
        # it is kept here, not for the process, because a secret without a name may be among them.
        self._plain: set[tuple[_Reader, str, str]] = set()
        # What was read in the texts of the last exchange: it comes again when its answer is there.
        self._last: dict[tuple[_Reader, str, str], tuple[list[View], list[Found]]] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._kinds)} secrets)"

    def add(self, kind: str, value: str) -> str:
        """Remember a secret and return its placeholder. A value known already keeps its kind."""
        if not value or PLACEHOLDER.fullmatch(value):
            return value
        kind = self._kinds.setdefault(value, names.canonical(kind))
        if values.sweepable(value) and value not in self._spellings:
            self._spellings[value] = values.forms(value)
        shown = placeholder(self._key, kind, value)
        self._values[shown] = value
        return shown

    def placeholder(self, kind: str, value: str) -> str:
        """What stands in the place of a secret of this kind, known or not; nothing for an empty value."""
        return placeholder(self._key, names.canonical(kind), value)

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

    def conceal(self, name: str, value: str) -> str:
        """Redact one named field, and remember what is hidden, so that ``resolve`` puts it back."""
        for found in _field(name, value, list(views(value))):
            self.add(found.kind, self._reading(found))
        return self.redact_value(name, value)

    def redact_value(self, name: str, value: str) -> str:
        """The value of one named field or header, redacted."""
        return self._redact_one(value, _field, name)

    def redact_url(self, url: str) -> str:
        """A URL, absolute or relative, with the secrets in user information, query and fragment redacted.

        Read it with ``urllib.parse`` only after ``quoted``.
        """
        return self._redact_one(url, _url)

    def redact_text(self, text: str) -> str:
        """Any text, redacted by value, and by name where a structure is recognised inside."""
        return self._redact_one(text, _text)

    def redact(self, exchange: Exchange) -> Exchange:
        """The same exchange with placeholders, and with text that every database takes.

        A secret that has a name somewhere in the exchange is taken out of all of it. Bodies come back in UTF-8.
        """
        return self._redact(lambda write: _rewritten(exchange, write))

    def _redact_one(self, text: str, read: _Reader, name: str = "") -> str:
        return self._redact(lambda write: write(text, read, name))

    def _redact(self, rewrite: Callable[[_Write], _T]) -> _T:
        """Go through all texts twice: which secrets have a name there, then write every text without them.

        Both times the texts come in the same order.
        """
        texts: list[tuple[list[View], list[Found]] | None] = []  # None for a plain one
        plain: list[str] = []
        other: list[str] = []
        named: list[Found] = []
        last, now = self._last, dict[tuple[_Reader, str, str], tuple[list[View], list[Found]]]()

        def collect(text: str, read: _Reader, name: str) -> str:
            if (read, name, text) in self._plain:
                texts.append(None)
                plain.append(text)
                return text
            if (found := last.get((read, name, text))) is not None:
                readings, by_name = found
            else:
                readings = list(views(text))
                by_name = list(read(name, text, readings))
            now[read, name, text] = readings, by_name
            texts.append((readings, by_name))
            named.extend(by_name)
            other.extend(view.text for view in readings)
            if not by_name and len(readings) == 1 and len(name) + len(text) <= LONGEST_PLAIN:
                self._remember_plain((read, name, text))
            return text

        rewrite(collect)
        self._last = now
        known, spellings = self._known_with(named)
        # Searching all texts at once tells which spellings are worth a search of each.
        in_plain = values.occurring(spellings, "\n".join(plain))
        in_other = values.occurring(spellings, "\n".join(other))
        remaining = iter(texts)

        def write(text: str, _read: _Reader, _name: str) -> str:
            found = next(remaining)
            if found is None and not in_plain:
                return storable(text)
            readings, by_name = found or (list(views(text)), [])
            present = in_plain if found is None else in_other
            by_value = chain.from_iterable(values.find(view, known, present) for view in readings)
            return storable(self._written(text, [*by_name, *by_value], known))

        return rewrite(write)

    def _remember_plain(self, text: tuple[_Reader, str, str]) -> None:
        if len(self._plain) >= MOST_PLAIN:
            self._plain.clear()
        self._plain.add(text)

    def _known_with(self, named: Iterable[Found]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """The remembered secrets and those just found by name: their kinds, and the spellings to look for."""
        found = {self._reading(item): item.kind for item in reversed(list(named))}
        fresh = [value for value in reversed(found) if value not in self._kinds and values.sweepable(value)]
        spellings = {value: values.forms(value) for value in fresh[:MOST_NAMED]}
        return found | self._kinds, spellings | self._spellings

    def _reading(self, found: Found, known: Mapping[str, str] | None = None) -> str:
        """What a find stands for: of its readings the one that is known, or else the likeliest."""
        known = self._kinds if known is None else known
        return next((value for value in found.readings if value in known), found.readings[0])

    def _written(self, text: str, all_found: list[Found], known: Mapping[str, str]) -> str:
        """The text with placeholders."""
        if not all_found:
            return text
        parts: list[str] = []
        position = 0
        for found in _apart(text, all_found):
            value = self._reading(found, known)
            shown = placeholder(self._key, known.get(value, found.kind), value)
            before = found.before and self._swept(found.before, known)
            parts += [text[position : found.start], f'"{shown}"' if found.number else before + shown]
            position = found.end
        return "".join([*parts, text[position:]])

    def _swept(self, decoded: str, known: Mapping[str, str]) -> str:
        """What was decoded and is written beside a placeholder, without the known secrets in it.

        A client id that is a secret is a secret: id and secret are swapped often enough.
        """
        for value in sorted(filter(values.sweepable, known), key=len, reverse=True):
            for form in (value, quote_plus(value, errors="surrogatepass")):
                if form in decoded:
                    decoded = decoded.replace(form, placeholder(self._key, known[value], value))
        return decoded


def _apart(text: str, all_found: list[Found]) -> list[Found]:
    """What is found, in order. Of two that overlap the longer counts, or both as one where neither holds the other.

    A placeholder is no secret: what stands inside one is left out, and what cuts through one takes it in.
    """
    holes = [hole.span() for hole in HIDDEN.finditer(text)]
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


def _rewritten(exchange: Exchange, write: _Write) -> Exchange:
    request, response, failure = exchange.request, exchange.response, exchange.failure
    return replace(
        exchange,
        request=replace(
            request,
            url=write(request.url, _url, ""),
            headers=_headers(request.headers, write),
            body=_body(request.body, request.headers, write, _text),
        ),
        response=response
        and replace(
            response,
            reason=write(response.reason, _by_value_only, ""),
            headers=_headers(response.headers, write),
            body=_body(response.body, response.headers, write, _response_text),
        ),
        failure=failure and replace(failure, detail=write(failure.detail, _text, "")),
        client_id=write(exchange.client_id, _by_value_only, ""),
        case=write(exchange.case, _by_value_only, ""),
    )


def _headers(headers: Headers, write: _Write) -> Headers:
    return tuple((write(name, _by_value_only, ""), write(value, _field, name)) for name, value in headers)


def _body(body: bytes, headers: Headers, write: _Write, read: _Reader) -> bytes:
    text = body_text(body, headers)
    return write(f"(binary, {len(body)} bytes)" if text is None else text, read, "").encode()


def _text(_name: str, _: str, readings: list[View]) -> Iterator[Found]:
    return chain.from_iterable(structures.in_text(view) for view in readings)


def _response_text(_name: str, _: str, readings: list[View]) -> Iterator[Found]:
    return chain.from_iterable(structures.in_text(view, response=True) for view in readings)


def _url(_name: str, url: str, readings: list[View]) -> Iterator[Found]:
    return chain(structures.in_url(url), _inside_field(readings))


def _field(name: str, value: str, readings: list[View]) -> Iterator[Found]:
    return chain(structures.in_field(name, value), _inside_field(readings))


def _inside_field(readings: list[View]) -> Iterator[Found]:
    return chain.from_iterable(structures.in_text(view, lines=False) for view in readings)


def _by_value_only(_name: str, _: str, _readings: list[View]) -> Iterable[Found]:
    return ()
