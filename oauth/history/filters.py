"""Filters of the history: as a value, as the line that a person types, and as parameters of an address.

A line has terms separated by whitespace: ``step:token,refresh -host:localhost "is invalid"``. A comma separates
alternatives, a leading ``-`` negates, ``*`` is any value, and words without a name are searched for in the whole
exchange. A value with whitespace, a comma or nothing but ``*`` stands in quotation marks; inside them, a backslash
escapes a quotation mark or a backslash.

``Filters.parse`` and ``Filters.from_query`` read this syntax. ``Filters(flow=...)`` and ``Filters.put`` take values
literally.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import product

from sqlalchemy import ColumnElement

from oauth.history.terms import ANY, LONGEST_VALUE, TERMS, FilterError, Term, TextTerm

__all__ = ["FilterError", "Filters", "where"]

MOST_BRANCHES = 64
"""Branches that are queried one by one."""

LONGEST_LINE = 20_000
"""Characters of a line of filters."""

_STAR = "*"

_BY_NAME = {term.name: term for term in TERMS}

_NAMED = re.compile(r"(-?)([A-Za-z_]+):(?!//)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\s,]*")
_BARE_TEXT = re.compile(r"\S*")


@dataclass(frozen=True, slots=True, init=False)
class Filters:
    """The conditions that an exchange must meet: each of ``terms``.

    Whose exchanges a person may see is not among them: that is decided by ``History.seen_by``.
    """

    terms: tuple[Term, ...]

    def __init__(self, **values: str) -> None:
        """Create filters of one literal value a term: ``Filters(flow=flow)``.

        An empty value selects the exchanges that have nothing there; ``text`` is one phrase. Raises ``FilterError`` for
        an unknown term, and for a value that a term such as ``step`` does not know.
        """
        terms = [_literal(name, (value,)) for name, value in values.items()]
        object.__setattr__(self, "terms", tuple(sorted(terms, key=_place)))

    @classmethod
    def parse(cls, line: str) -> "Filters":
        """Parse a line. Repeated terms are merged into one with all their alternatives. Raises ``FilterError``."""
        terms: dict[str, list[str]] = {}
        reader = _Reader(line)
        while reader.has_more():
            name, values = reader.term()
            terms.setdefault(name, []).extend(values)
        return cls._of(_parsed(name, values) for name, values in terms.items())

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Filters":
        """Parse the parameters of an address, ignoring those that are not filters. Raises ``FilterError``."""
        values = {name: value for name, value in query.items() if value and name.removeprefix("-") in _BY_NAME}
        return cls._of(_parsed(name, _Reader(value).all(name)) for name, value in values.items())

    @classmethod
    def _of(cls, terms: Iterable[Term]) -> "Filters":
        filters = cls()
        object.__setattr__(filters, "terms", tuple(sorted(terms, key=_place)))
        return filters

    @property
    def line(self) -> str:
        """The filters as a line, which ``parse`` turns back into the same filters."""
        return " ".join(self.parts())

    def parts(self) -> list[str]:
        """Return the pieces of the line, one a term."""
        return [_term_text(term) for term in self.terms]

    def to_query(self) -> dict[str, str]:
        """Return the filters as parameters of an address."""
        return {f"{'-' if term.negated else ''}{term.name}": _values_text(term) for term in self.terms}

    def get(self, name: str) -> tuple[str, ...]:
        """Return the values of a term, with ``ANY`` for any; none when it is absent or negated."""
        return next((term.values for term in self.terms if term.name == name and not term.negated), ())

    def put(self, name: str, *values: str) -> "Filters":
        """Return these filters with other literal values of one term, or without it when there are none.

        One empty value selects the exchanges that have nothing there. Raises ``FilterError`` as the constructor does.
        """
        others = [term for term in self.terms if term.name != name or (term.negated and values != ("",))]
        return self._of([*others, *([_literal(name, values)] if values else [])])

    def without(self, name: str, *values: str) -> "Filters":
        """Return these filters without the exchanges that have one of the values. Raises ``FilterError``."""
        return self._of([*self.terms, _kind(name).of(values, True)])

    def names(self) -> set[str]:
        """Return the names of the terms, negated ones too."""
        return {term.name for term in self.terms}

    def redacted(self, redact: Callable[[str], str]) -> "Filters":
        """Return these filters with other values in place of those with a secret. Raises ``FilterError``."""
        return self._of(term.redacted(redact) for term in self.terms)

    def resolved(self, now: datetime, zone: tzinfo) -> "Filters":
        """Return these filters with instants in place of dates, which are in ``zone``, and of relative times."""
        return self._of(term.resolved(now, zone) for term in self.terms)

    def branches(self) -> list["Filters"]:
        """Return filters without alternatives whose union is these filters; an exchange may match several.

        Each is one range of one index in the order of the list, which alternatives are not. With more than
        ``MOST_BRANCHES`` of them, these filters are returned as they are.
        """
        each = [term.branches() for term in self.terms]
        number = 1
        for terms in each:
            number *= len(terms)
        return [self] if number > MOST_BRANCHES else [self._of(terms) for terms in product(*each)]


def where(filters: Filters) -> list[ColumnElement[bool]]:
    """Return the SQL conditions of the terms on ``schema.exchanges``, all of which must hold.

    A query takes them from ``History.where``, which adds whose exchanges are seen. Raises ``ValueError`` when a time
    was not ``resolved``.
    """
    return [term.condition() for term in filters.terms]


def written(value: str) -> str:
    """Return a value as it is written in a line or an address: in quotation marks where it needs them."""
    if value == ANY:
        return _STAR
    return value if _BARE.fullmatch(value) and not value.startswith('"') and value != _STAR else _in_quotes(value)


class _Reader:
    """A reader of a line, from left to right."""

    def __init__(self, line: str) -> None:
        if len(line) > LONGEST_LINE:
            raise FilterError(f"The filters have {len(line):,} characters; they can have {LONGEST_LINE:,}.")
        self._line = line
        self._at = 0

    def has_more(self) -> bool:
        """Skip whitespace, and return whether anything follows."""
        while self._at < len(self._line) and self._line[self._at].isspace():
            self._at += 1
        return self._at < len(self._line)

    def term(self) -> tuple[str, list[str]]:
        """Read the next term: its name, with a ``-`` when it is negated, and its values."""
        if named := _NAMED.match(self._line, self._at):
            self._at = named.end()
            name = named[1] + named[2].lower()
            return name, [self._value(_BARE_TEXT)] if name.removeprefix("-") == TextTerm.name else self._values()
        negated = self._line.startswith("-", self._at)
        self._at += negated
        return ("-" if negated else "") + TextTerm.name, [self._value(_BARE_TEXT)]

    def all(self, name: str) -> list[str]:
        """Read a line that is nothing but the values of one term."""
        values: list[str] = []
        while self.has_more():
            values += [self._value(_BARE_TEXT)] if name.removeprefix("-") == TextTerm.name else self._values()
        return values

    def _values(self) -> list[str]:
        values = [self._value(_BARE)]
        while self._line.startswith(",", self._at):
            self._at += 1
            values.append(self._value(_BARE))
        return values

    def _value(self, bare: re.Pattern[str]) -> str:
        """Read the value at the position, without its quotation marks; ``ANY`` for a bare ``*``."""
        if not self._line.startswith('"', self._at):
            match = bare.match(self._line, self._at)
            self._at = match.end() if match else self._at
            value = match[0] if match else ""
            return ANY if value == _STAR and bare is _BARE else value
        quoted = _QUOTED.match(self._line, self._at)
        if quoted is None:
            raise FilterError(
                f"{self._line[self._at :][:LONGEST_VALUE]} has an unclosed quotation mark. "
                'Close it, or write \\" for one inside quotation marks.'
            )
        self._at = quoted.end()
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)


def _parsed(name: str, values: list[str]) -> Term:
    """Create the term of a name, with a leading ``-`` when it is negated. Raises ``FilterError``."""
    kind = _kind(name.removeprefix("-"))
    for value in values:
        if kind is not TextTerm and value != ANY and (not value.isprintable() or len(value) > LONGEST_VALUE):
            raise kind.refused(value, f"1 to {LONGEST_VALUE} printable characters")
    return kind.of(tuple(values), name.startswith("-"))


def _literal(name: str, values: tuple[str, ...]) -> Term:
    """Create the term of literal values, of which a single empty one stands for nothing. Raises ``FilterError``."""
    kind = _kind(name)
    return kind.of((ANY,), True) if values == ("",) else kind.of(values)


def _kind(name: str) -> type[Term]:
    kind = _BY_NAME.get(name)
    if kind is None:
        raise FilterError(
            f"Unknown filter {name[:LONGEST_VALUE]!r}; the filters are {', '.join(_BY_NAME)}. "
            f'To search for text with a colon in it, put it in quotation marks, such as "{name[:LONGEST_VALUE]}:".'
        )
    return kind


def _place(term: Term) -> tuple[int, bool]:
    return TERMS.index(type(term)), term.negated


def _values_text(term: Term) -> str:
    if isinstance(term, TextTerm):
        return " ".join(map(_text_written, term.values))
    return ",".join(map(written, term.values))


def _term_text(term: Term) -> str:
    sign = "-" if term.negated else ""
    if isinstance(term, TextTerm):
        return " ".join(sign + _text_written(value) for value in term.values)
    return f"{sign}{term.name}:{_values_text(term)}"


def _text_written(value: str) -> str:
    bare = _BARE_TEXT.fullmatch(value) and not value.startswith(("-", '"')) and not _NAMED.match(value)
    return value if bare else _in_quotes(value)


def _in_quotes(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
