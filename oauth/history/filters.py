"""Which exchanges of the history are wanted: as a value, as the line a person types, and as an address.

The line has terms with white space between them: ``step:token,refresh -host:localhost "is invalid"``. A comma stands
between alternatives, ``-`` in front wants everything else, and what has no name is looked for anywhere in the exchange.
A value with white space or a comma stands in quotation marks, inside of which a backslash comes before a quotation mark
or another backslash.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import product

from sqlalchemy import ColumnElement

from oauth.history.schema import exchanges, is_some
from oauth.history.terms import ANY, LONGEST_VALUE, TERMS, FilterError, Term, TextTerm

__all__ = ["FilterError", "Filters", "where"]

MOST_BRANCHES = 64

_BY_NAME = {term.name: term for term in TERMS}

_NAMED = re.compile(r"(-?)([A-Za-z_]+):(?!//)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"[^\s,]*")
_BARE_TEXT = re.compile(r"\S*")


@dataclass(frozen=True, slots=True, init=False)
class Filters:
    """What every wanted exchange has in common: each of ``terms`` holds.

    ``owner`` is whose exchanges, ``None`` everybody's; it is no part of a line or an address.
    """

    terms: tuple[Term, ...]
    owner: str | None

    def __init__(self, *, owner: str | None = None, **query: str) -> None:
        """The filters with the parameters of an address: ``Filters(step="token")``. Raises ``FilterError``."""
        terms = [_term(name, _Reader(value).all(name)) for name, value in query.items() if value]
        object.__setattr__(self, "terms", tuple(sorted(terms, key=_place)))
        object.__setattr__(self, "owner", owner)

    @classmethod
    def parse(cls, line: str, owner: str | None = None) -> "Filters":
        """The filters in a line. A term given twice stands for the alternatives of both. Raises ``FilterError``."""
        found: dict[str, list[str]] = {}
        reader = _Reader(line)
        while reader.left():
            name, values = reader.term()
            found.setdefault(name, []).extend(values)
        return cls._of((_term(name, values) for name, values in found.items()), owner)

    @classmethod
    def from_query(cls, query: Mapping[str, str], owner: str | None = None) -> "Filters":
        """The filters in an address, whose other parameters are not looked at. Raises ``FilterError``.

        ``owner`` does not come from the address: who may see whose exchanges is not the reader's choice.
        """
        known = {name: value for name, value in query.items() if name.removeprefix("-") in _BY_NAME}
        return cls(owner=owner, **known)

    @classmethod
    def _of(cls, terms: Iterable[Term], owner: str | None) -> "Filters":
        made = cls(owner=owner)
        object.__setattr__(made, "terms", tuple(sorted(terms, key=_place)))
        return made

    @property
    def line(self) -> str:
        """The filters as a person types them; ``parse`` gives them back."""
        return " ".join(self.parts())

    def parts(self) -> list[str]:
        """The pieces of the line, one a term."""
        return [_term_text(term) for term in self.terms]

    def to_query(self) -> dict[str, str]:
        """The filters as parameters of an address, without the owner."""
        return {f"{'-' if term.negated else ''}{term.name}": _values_text(term) for term in self.terms}

    def get(self, name: str) -> tuple[str, ...]:
        """The wanted values of a term; none when it is not there, or only negated."""
        return next((term.values for term in self.terms if term.name == name and not term.negated), ())

    def put(self, name: str, *values: str) -> "Filters":
        """The same filters with other wanted values of one term; without it when there are none."""
        others = [term for term in self.terms if term.name != name or term.negated]
        return self._of([*others, *([_BY_NAME[name].of(values)] if values else [])], self.owner)

    def lacking(self, name: str) -> "Filters":
        """The same filters, of the exchanges that have nothing under one term."""
        others = [term for term in self.terms if term.name != name]
        return self._of([*others, _BY_NAME[name].of((ANY,), True)], self.owner)

    def resolved(self, now: datetime, zone: tzinfo) -> "Filters":
        """The same filters with instants in the place of dates, which are ``zone``'s, and of times ago."""
        return self._of((term.resolved(now, zone) for term in self.terms), self.owner)

    def branches(self) -> list["Filters"]:
        """Filters without alternatives that together show what these show, an exchange perhaps twice.

        Each is one range of one index in the order of the list, which alternatives are not. Too many of them stay one.
        """
        each = [term.branches() for term in self.terms]
        number = 1
        for terms in each:
            number *= len(terms)
        return [self] if number > MOST_BRANCHES else [self._of(terms, self.owner) for terms in product(*each)]


def where(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions on ``schema.exchanges``, all of which must hold.

    Raises ``ValueError`` when a time was not ``resolved``.
    """
    owned = [] if filters.owner is None else [exchanges.c.owner == filters.owner]
    if filters.owner:
        owned.append(is_some(exchanges.c.owner))
    return owned + [term.condition() for term in filters.terms]


def written(value: str) -> str:
    """A value as it stands in a line or an address: in quotation marks where it needs them."""
    return value if _BARE.fullmatch(value) and not value.startswith('"') else _in_quotes(value)


class _Reader:
    """Reads a line from left to right."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0

    def left(self) -> bool:
        """Whether there is more than white space; what comes next is then at the position."""
        while self._at < len(self._line) and self._line[self._at].isspace():
            self._at += 1
        return self._at < len(self._line)

    def term(self) -> tuple[str, list[str]]:
        """The next term: its name, with a ``-`` when it is negated, and its values."""
        if named := _NAMED.match(self._line, self._at):
            self._at = named.end()
            name = named[1] + named[2].lower()
            return name, [self._value(_BARE_TEXT)] if name.removeprefix("-") == TextTerm.name else self._values()
        negated = self._line.startswith("-", self._at)
        self._at += negated
        return ("-" if negated else "") + TextTerm.name, [self._value(_BARE_TEXT)]

    def all(self, name: str) -> list[str]:
        """Every value, when the whole line is the values of one term."""
        values: list[str] = []
        while self.left():
            values += [self._value(_BARE_TEXT)] if name.removeprefix("-") == TextTerm.name else self._values()
        return values

    def _values(self) -> list[str]:
        values = [self._value(_BARE)]
        while self._line.startswith(",", self._at):
            self._at += 1
            values.append(self._value(_BARE))
        return values

    def _value(self, bare: re.Pattern[str]) -> str:
        """The value at the position, without its quotation marks."""
        if not self._line.startswith('"', self._at):
            found = bare.match(self._line, self._at)
            self._at = found.end() if found else self._at
            return found[0] if found else ""
        quoted = _QUOTED.match(self._line, self._at)
        if quoted is None:
            raise FilterError(
                f"{self._line[self._at :][:LONGEST_VALUE]} has a quotation mark that is not closed. "
                'Close it, or write \\" for one inside quotation marks.'
            )
        self._at = quoted.end()
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)


def _term(name: str, values: list[str]) -> Term:
    """The term of a name, which has a ``-`` in front when it is negated. Raises ``FilterError``."""
    plain = name.removeprefix("-")
    kind = _BY_NAME.get(plain)
    if kind is None:
        raise FilterError(
            f"There is no filter {plain!r}; there are {', '.join(_BY_NAME)}. "
            f'To look for a text with a colon in it, put it in quotation marks, such as "{plain}:".'
        )
    return kind.of(tuple(values), name.startswith("-"))


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
