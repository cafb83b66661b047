"""The secrets of one session or flow, and the redaction of every text and exchange."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from oauth.exchange import Exchange
from oauth.redaction import by_value, names, outlines
from oauth.redaction.by_value import Target
from oauth.redaction.decodings import View, views
from oauth.redaction.items import Finder, Item, find_in_url, find_in_words, find_named, items_of, with_items
from oauth.redaction.occurrences import Occurrence, merge_overlaps
from oauth.redaction.placeholders import PLACEHOLDER, placeholder, storable

_K = TypeVar("_K")
_T = TypeVar("_T")

MOST_NAMED = 100
"""Secrets found by name, beyond the remembered ones, that are searched for by value in the rest of an exchange."""

MOST_CACHED = 4096
"""Plain items that a vault caches, and secrets whose encodings and placeholders it caches."""

SHORTEST_PLAIN = 6
"""Characters from which a secret is searched for in a sentence of ours; a shorter one would match plain words."""

LONGEST_PLAIN = 500
"""Characters of the longest plain item that is cached: text that repeats from exchange to exchange is short."""


@dataclass(slots=True)
class _Scan:
    """The views of an item, and the named secrets in it. ``name_views`` are those of a field's name.

    ``plain`` has the texts of all views of an item that has no named secret and can be stored as it is.
    """

    name_views: list[View]
    views: list[View]
    occurrences: list[Occurrence]
    plain: str | None = None


class Vault:
    """The secrets of one session or flow: value to kind, in memory only. Its ``repr`` shows no values."""

    def __init__(self, key: bytes) -> None:
        """Create an empty vault; ``key`` is the installation's key for fingerprints."""
        self._key = key
        self._kinds: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._encodings: dict[str, tuple[str, ...]] = {}
        self._index = by_value.Index(self._encode)
        self._plain_index = by_value.Index(by_value.plain_encodings, SHORTEST_PLAIN)
        # Items without a named secret, with the texts of their views. They depend on no known secret, so they stay
        # valid; they are cached here, not for the process, because a secret without a name may be among them.
        self._plain_items: dict[Item, str] = {}
        self._numbers: dict[str, frozenset[int]] = {}  # of the secrets in their texts, until another one is added
        # The named secrets of an outline, with its own text as their readings; none where a reading is another text.
        # An outline is known by its text without digits, and by the parts of it that are kept.
        self._outlines: dict[tuple[str | Finder, bytes, Hashable], list[Occurrence] | None] = {}
        self._kept: dict[bytes, outlines.Kept] = {}
        self._named: dict[str, str | None] = {}  # of field names, which repeat from exchange to exchange
        self._placeholders: dict[tuple[str, str], str] = {}
        # The last exchange: it comes again when its response has arrived.
        self._last_scans: dict[Item, _Scan] = {}

    def __repr__(self) -> str:
        return f"Vault({len(self._kinds)} secrets)"

    def add(self, kind: str, value: str) -> str:
        """Remember a secret and return its placeholder. A value known already keeps its kind."""
        if not value or PLACEHOLDER.fullmatch(value):
            return value
        if value not in self._kinds:
            if len(value) >= SHORTEST_PLAIN:
                self._plain_index.add(value)
            if by_value.is_searchable(value):
                self._index.add(value)
                self._numbers.clear()
        kind = self._kinds.setdefault(value, names.canonical(kind))
        stand_in = self._placeholder(kind, value)
        self._values[stand_in] = value
        return stand_in

    def placeholder(self, kind: str, value: str) -> str:
        """Return the placeholder of a secret of this kind, known or not; an empty text for an empty value."""
        return self._placeholder(names.canonical(kind), value)

    def kind_named(self, name: str) -> str | None:
        """Return the kind of secret that a field of this name holds, ``None`` for a field without a secret."""
        if name not in self._named:
            _cache(self._named, name, names.secret_kind(name))
        return self._named[name]

    def kind_of(self, value: str) -> str | None:
        """Return the kind under which a value was remembered first."""
        return self._kinds.get(value)

    def resolve(self, text: str) -> str:
        """Return a text with the real values in place of the placeholders of remembered secrets.

        Several short secrets may share a placeholder: it stands for the latest.
        """
        if "«" not in text:
            return text
        return self._values.get(text) or PLACEHOLDER.sub(lambda match: self._values.get(match[0], match[0]), text)

    def secrets(self) -> Mapping[str, str]:
        """Return the kind of every remembered secret, by its placeholder."""
        return {stand_in: self._kinds[value] for stand_in, value in self._values.items()}

    def remembered(self) -> tuple[tuple[str, str], ...]:
        """Return kind and value of every remembered secret, the oldest first."""
        return tuple((kind, value) for value, kind in self._kinds.items())

    def secrets_in(self, text: str) -> list[tuple[str, str]]:
        """Return kind and value of the remembered secrets that a text contains as they are, the oldest first.

        Those of fewer than ``SHORTEST_PLAIN`` characters are not searched for.
        """
        return [(self._kinds[value], value) for value in self._plain_index.candidates(text) if value in text]

    def conceal(self, name: str, value: str) -> str:
        """Redact one named field and remember its secrets, so that ``resolve`` restores them."""
        self.learn(name, value)
        return self.redact_value(name, value)

    def learn(self, name: str, value: str) -> None:
        """Remember the secrets in one named field."""
        for occurrence in self._scan((name, value)).occurrences:
            self.add(occurrence.kind, self._value(occurrence, {}))

    def redact_value(self, name: str, value: str) -> str:
        """Redact the value of one named field or header."""
        return self._redact([(name, value)])[0][1]

    def redact_url(self, url: str) -> str:
        """Redact user information, query and fragment of a URL, absolute or relative.

        Pass the result through ``quoted`` before parsing it with ``urllib.parse``.
        """
        return self._redact([(find_in_url, url)])[0][1]

    def redact_text(self, text: str) -> str:
        """Redact any text, by value, and by name where it contains a known syntax."""
        return self._redact([(find_in_words, text)])[0][1] if text else ""

    def replacements(self, text: str) -> list[tuple[int, int, str]]:
        """Return start, end and stand-in of everything that ``redact_text`` replaces, in order, without overlaps."""
        scan = self._scan((find_in_words, text))
        named = {self._value(occurrence, {}): occurrence.kind for occurrence in reversed(scan.occurrences)}
        searched = "\n".join(view.text for view in scan.views)
        targets = self._targets(named, searched, self._index.candidates(searched))
        return list(self._replacements(text, scan.occurrences + by_value.find(scan.views, targets), named))

    def redact(self, exchange: Exchange) -> Exchange:
        """Return the exchange with placeholders, and with text that every database accepts.

        A secret that has a name anywhere in the exchange is removed from all of it. Bodies are returned in UTF-8.
        """
        return with_items(exchange, self._redact(items_of(exchange)))

    def _redact(self, items: Sequence[Item]) -> list[Item]:
        """Redact the secrets that have a name in one of the items, and the remembered ones, in all of them."""
        plain = list(map(self._plain_items.get, items))
        scans = {
            place: self._last_scans.get(items[place]) or self._scan(items[place])
            for place, text in enumerate(plain)
            if text is None
        }
        self._last_scans = {items[place]: scan for place, scan in scans.items()}
        occurrences = [occurrence for scan in scans.values() for occurrence in scan.occurrences]
        named = {self._value(occurrence, {}): occurrence.kind for occurrence in reversed(occurrences)}
        # One search of all texts tells which secrets are worth a search of each.
        plain_texts = list(filter(None, plain))
        all_plain = "\n".join(plain_texts)
        others = [view.text for scan in scans.values() for view in (*scan.name_views, *scan.views)]
        joined = "\n".join(others)
        targets = self._targets(named, f"{all_plain}\n{joined}", self._candidates(joined, plain_texts))
        encoded = [text for target in targets for text in target.encodings]
        if any(text in all_plain for text in encoded):
            scans = {place: scans.get(place) or self._scan(item) for place, item in enumerate(items)}
        redacted = list(items)
        for place, scan in scans.items():
            if scan.plain is None or any(text in scan.plain for text in encoded):
                redacted[place] = self._redact_item(items[place], scan, named, targets)
        return redacted

    def _scan(self, item: Item) -> _Scan:
        name, text = item
        text_views = views(text)
        scan = _Scan(views(name) if isinstance(name, str) else [], text_views, self._find(item, text_views))
        if not scan.occurrences and len(text) <= LONGEST_PLAIN:
            texts = [view.text for view in (*scan.name_views, *text_views)]
            if storable(text) == text and not (scan.name_views and storable(texts[0]) != texts[0]):
                scan.plain = _cache(self._plain_items, item, "\n".join(texts))
        return scan

    def _find(self, item: Item, text_views: list[View]) -> list[Occurrence]:
        """Return the named secrets in an item; in those that differ in ids alone they are searched for once."""
        name, text = item
        if len(text) > outlines.LONGEST or len(text_views) > 1 or "\n" in text:
            return find_named(item, text_views)
        same, zeros = outlines.without_ids(text)
        if zeros not in self._kept:
            _cache(self._kept, zeros, outlines.kept(zeros))
        parts_of = self._kept[zeros]
        if parts_of is None and same is text:
            return find_named(item, text_views)
        key = (name, zeros, same if parts_of is None else parts_of(same))
        if key not in self._outlines:
            shape = outlines.outline(text)
            occurrences = find_named((name, shape), views(shape))
            is_plain = all(it.readings == (shape[it.start : it.end],) and not it.before for it in occurrences)
            _cache(self._outlines, key, occurrences if is_plain else None)
        outlined = self._outlines[key]
        if outlined is None:
            return find_named(item, text_views)
        return [Occurrence(it.start, it.end, it.kind, (text[it.start : it.end],), number=it.number) for it in outlined]

    def _candidates(self, text: str, plain_texts: Sequence[str]) -> list[str]:
        """Return the remembered secrets that may occur in a text, or in one of plain items, which come again."""
        if not self._index:
            return []
        numbers_of = list(map(self._numbers.get, plain_texts))
        if None in numbers_of:
            numbers_of = [
                _cache(self._numbers, plain, self._index.numbers(plain)) if numbers is None else numbers
                for plain, numbers in zip(plain_texts, numbers_of, strict=True)
            ]
        return self._index.values(self._index.numbers(text).union(*filter(None, numbers_of)))

    def _targets(self, named: Mapping[str, str], texts: str, candidates: Iterable[str]) -> list[Target]:
        """Return the secrets in some texts: of those found by name ``MOST_NAMED``, and of the candidates."""
        fresh = [
            value for value in reversed(tuple(named)) if value not in self._kinds and by_value.is_searchable(value)
        ]
        targets = []
        for value in (*fresh[:MOST_NAMED], *candidates):
            if encodings := tuple([it for it in self._encode(value) if it in texts]):
                targets.append(Target(value, self._kinds.get(value) or named[value], encodings))
        return targets

    def _encode(self, value: str) -> tuple[str, ...]:
        return self._encodings.get(value) or _cache(self._encodings, value, by_value.encodings(value))

    def _placeholder(self, kind: str, value: str) -> str:
        key = (kind, value)
        return self._placeholders.get(key) or _cache(self._placeholders, key, placeholder(self._key, kind, value))

    def _value(self, occurrence: Occurrence, named: Mapping[str, str]) -> str:
        """Return the reading of an occurrence that is known, or else the most likely one."""
        for value in occurrence.readings:
            if value in self._kinds or value in named:
                return value
        return occurrence.readings[0]

    def _redact_item(self, item: Item, scan: _Scan, named: Mapping[str, str], targets: Sequence[Target]) -> Item:
        name, text = item
        text = self._replace(text, scan.occurrences + by_value.find(scan.views, targets, scan.occurrences), named)
        if isinstance(name, str):
            name = self._replace(name, by_value.find(scan.name_views, targets), named)
        return name, text

    def _replace(self, text: str, occurrences: list[Occurrence], named: Mapping[str, str]) -> str:
        """Replace the occurrences in a text by placeholders, and what a database does not accept."""
        if not occurrences:
            return storable(text)
        parts: list[str] = []
        position = 0
        for start, end, stand_in in self._replacements(text, occurrences, named):
            parts += [text[position:start], stand_in]
            position = end
        return storable("".join([*parts, text[position:]]))

    def _replacements(
        self, text: str, occurrences: list[Occurrence], named: Mapping[str, str]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield start and end of each occurrence, and what is written in its place."""
        for occurrence in merge_overlaps(text, occurrences):
            value = self._value(occurrence, named)
            stand_in = self._placeholder(self._kinds.get(value) or named.get(value, occurrence.kind), value)
            before = occurrence.before and self._replace_plain(occurrence.before, named)
            yield occurrence.start, occurrence.end, f'"{stand_in}"' if occurrence.number else before + stand_in

    def _replace_plain(self, decoded: str, named: Mapping[str, str]) -> str:
        """Replace the known secrets in the decoded text that is written before a placeholder.

        A client id that is a secret is hidden too: id and secret are swapped often enough.
        """
        candidates = dict.fromkeys(chain(named, self._plain_index.candidates(decoded)))
        for value in sorted(filter(by_value.is_searchable, candidates), key=len, reverse=True):
            for encoding in by_value.plain_encodings(value):
                if encoding in decoded:
                    kind = self._kinds.get(value) or named[value]
                    decoded = decoded.replace(encoding, self._placeholder(kind, value))
        return decoded


def _cache(cache: dict[_K, _T], key: _K, value: _T) -> _T:
    """Cache and return a value; a full cache is cleared, since every value can be computed again."""
    if len(cache) >= MOST_CACHED:
        cache.clear()
    cache[key] = value
    return value
