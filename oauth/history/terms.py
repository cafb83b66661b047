"""The terms of a filter line, each with its name, what it accepts, its help, and the condition it stands for."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Self

from sqlalchemy import Column, ColumnElement, and_, false, func, not_, or_, true

from oauth.exchange import Step
from oauth.history import dates
from oauth.history.schema import DRILL_CASE, IMPORTED, exchanges, is_some, utc_text
from oauth.history.search import matches

LONGEST_VALUE = 200
"""Characters of one value."""

LONGEST_TEXT = 1000
"""Characters of all free text together."""

MOST_VALUES = 20
"""Alternatives in one term."""

UNKNOWN_STATUS = "0xx"
"""The outcome of an answer whose source does not show a status."""

ANY = "\0*"
"""The value that stands for any value at all, written as a bare ``*``; no value that is stored looks like it."""


class FilterError(ValueError):
    """A filter has an invalid value; the message names the filter and the allowed values."""


@dataclass(frozen=True, slots=True)
class Term(ABC):
    """One condition: an exchange matches one of ``values``, or none of them when ``negated``.

    Created by ``of``, which checks the values.
    """

    values: tuple[str, ...]
    negated: bool = False

    name: ClassVar[str]
    help: ClassVar[str]
    example: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls, values: tuple[str, ...], negated: bool = False) -> Self:
        """Create the term of normalized values, without duplicates. Raises ``FilterError``."""
        if not values or not all(values):
            raise FilterError(f"{cls.name} has no value. {cls.help}")
        if len(values) > MOST_VALUES:
            raise FilterError(f"{cls.name} has {len(values)} values; it can have {MOST_VALUES}.")
        return cls(tuple(dict.fromkeys(cls.normalized(value) for value in values)), negated)

    @classmethod
    def refused(cls, value: str, allowed: str) -> FilterError:
        """Return the error for an invalid value."""
        text = "*" if value == ANY else value[:LONGEST_VALUE]
        return FilterError(f"{cls.name} is {text!r}; it can be {allowed}.")

    @classmethod
    def normalized(cls, value: str) -> str:
        """Return the normalized spelling of a value, the same unless a term has its own. Raises ``FilterError``."""
        return value

    @abstractmethod
    def one(self, value: str) -> ColumnElement[bool]:
        """Return the SQL condition of one value."""

    def condition(self) -> ColumnElement[bool]:
        """Return the SQL condition on ``schema.exchanges``."""
        condition = or_(*(self.one(value) for value in self.values))
        # A comparison with NULL is neither true nor false: a row without a status is not of status 404 either.
        return not_(func.coalesce(condition, false())) if self.negated else condition

    def redacted(self, redact: Callable[[str], str]) -> "Term":
        """Return the term with its values redacted. Raises ``FilterError`` for a value that has to be one of a list."""
        values = tuple(value if value == ANY else redact(value) for value in self.values)
        return self if values == self.values else self.of(values, self.negated)

    def resolved(self, _now: datetime, _zone: tzinfo) -> "Term":
        """Return the term without relative times."""
        return self

    def branches(self) -> list["Term"]:
        """Return terms of one value each whose union is this term."""
        return [self] if self.negated else [replace(self, values=(value,)) for value in self.values]


class StepTerm(Term):
    """The step of the flow."""

    name = "step"
    help = f"The step of the flow: {', '.join(Step)}."
    example = "step:token,refresh"
    options = tuple(Step)

    @classmethod
    def normalized(cls, value: str) -> str:
        """A step."""
        if value.lower() not in list(Step):
            raise cls.refused(value, ", ".join(Step))
        return value.lower()

    def one(self, value: str) -> ColumnElement[bool]:
        """The step itself."""
        return exchanges.c.step == value


class StatusTerm(Term):
    """A status, a class of status, or its absence."""

    name = "status"
    help = (
        "A class such as 4xx, an exact status such as 404, unknown (an answer without one), failed (no response) or "
        "none (no response recorded)."
    )
    example = "status:4xx"
    options = ("2xx", "3xx", "4xx", "5xx", "unknown", "failed", "none")

    @classmethod
    def normalized(cls, value: str) -> str:
        """A class, a status, ``unknown``, ``failed`` or ``none``."""
        value = value.lower()
        if value == UNKNOWN_STATUS:
            return "unknown"
        if not re.fullmatch(r"[1-9]xx|[1-9][0-9]{2}|unknown|failed|none", value):
            raise cls.refused(
                value,
                "2xx, 3xx, 4xx, 5xx, an exact status such as 404, unknown (an answer without one), failed "
                "(no response) or none (no response recorded)",
            )
        return value

    def one(self, value: str) -> ColumnElement[bool]:
        """The status, or the outcome."""
        if value.isdecimal():
            return exchanges.c.status == int(value)
        return exchanges.c.outcome == (UNKNOWN_STATUS if value == "unknown" else value)


class ErrorTerm(Term):
    """The number of a documented error, or an error code."""

    name = "error"
    help = "The number of a documented error, an error code such as invalid_grant, or * for any error."
    example = "error:2,invalid_scope"

    @classmethod
    def normalized(cls, value: str) -> str:
        """A number without leading zeros, or a code."""
        return str(int(value)) if _is_number(value) else value

    def one(self, value: str) -> ColumnElement[bool]:
        """The number or the code."""
        if value == ANY:
            return or_(exchanges.c.documented_error.is_not(None), exchanges.c.error != "")
        if _is_number(value):
            return exchanges.c.documented_error == int(value)
        return and_(is_some(exchanges.c.error), exchanges.c.error == value)


class EntryTerm(Term):
    """An entry of a catalogue, or all entries of one."""

    name = "entry"
    help = "The catalogue's entry that explains the exchange; entra/* for all of one catalogue, * for any."
    example = "entry:github/bad_verification_code"

    def one(self, value: str) -> ColumnElement[bool]:
        """The entry, or any that begins so."""
        entry = exchanges.c.entry
        if value == ANY:
            return is_some(entry)
        of_catalogue = value.endswith("/*")
        return is_some(entry) & (entry.startswith(value[:-1], autoescape=True) if of_catalogue else entry == value)


class ExactTerm(Term):
    """Equality with a column."""

    column: ClassVar[Column[str]]
    is_sparse: ClassVar[bool] = False
    """True where the index of the column has only the rows that are not empty there."""

    def one(self, value: str) -> ColumnElement[bool]:
        """Return the equality, or for ``ANY`` that the column is not empty."""
        if self.is_sparse:
            return is_some(self.column) if value == ANY else and_(is_some(self.column), self.column == value)
        return self.column != "" if value == ANY else self.column == value


class ClientTerm(ExactTerm):
    """The client id."""

    name = "client"
    help = "The client id, or * for any."
    example = "client:demo-app"
    column = exchanges.c.client_id


class CaseTerm(ExactTerm):
    """A support ticket."""

    name = "case"
    help = "The label of a support ticket, or * for any."
    example = "case:T-1234"
    column = exchanges.c.case
    is_sparse = True


class HostTerm(ExactTerm):
    """The host of the request."""

    name = "host"
    help = "The host, and its port if it has one, that the request went to."
    example = "-host:localhost:8501"
    column = exchanges.c.host

    @classmethod
    def normalized(cls, value: str) -> str:
        """In lower case, as host names are compared (RFC 3986 §3.2.2)."""
        return value.lower()


class ProviderTerm(ExactTerm):
    """A provider profile."""

    name = "provider"
    help = "The id of the provider profile, or * for any."
    example = "provider:sandbox"
    column = exchanges.c.provider


class MethodTerm(ExactTerm):
    """An HTTP method."""

    name = "method"
    help = "The HTTP method."
    example = "method:POST"
    options = ("GET", "POST")
    column = exchanges.c.method

    @classmethod
    def normalized(cls, value: str) -> str:
        """In capitals, as the console sends them."""
        return value.upper()


class FlowTerm(ExactTerm):
    """One flow."""

    name = "flow"
    help = "The id of a flow: the exchanges that share a state."
    example = "flow:3f9c2a"
    column = exchanges.c.flow


class DescriptionTerm(ExactTerm):
    """The provider's description of the error."""

    name = "description"
    help = "The whole error_description that came back."
    example = 'description:"Invalid refresh token"'
    column = exchanges.c.error_description


class ByTerm(ExactTerm):
    """The sender on a shared console."""

    name = "by"
    help = "The user who sent it, on a shared console."
    example = "by:ada@example.com"
    column = exchanges.c.owner
    is_sparse = True


class FailureTerm(ExactTerm):
    """The kind of failure."""

    name = "failure"
    help = "The reason for a missing or incomplete response, such as refused or cut_off, or * for any reason."
    example = "failure:read_timeout"
    column = exchanges.c.failure


class NoteTerm(Term):
    """A part of the note."""

    name = "note"
    help = "A part of the note, in any letter case, or * for any note."
    example = 'note:"called back"'

    def one(self, value: str) -> ColumnElement[bool]:
        """Return that there is a note, which an index lists, with the value in it."""
        noted = exchanges.c.note != ""
        return noted if value == ANY else noted & exchanges.c.note.icontains(value, autoescape=True)


class OriginTerm(Term):
    """The way in which an exchange came into the history."""

    name = "origin"
    help = "drill or import, for the exchanges of drills and of imports, or * for all exchanges."
    example = "-origin:drill,import"
    options = ("drill", "import")

    @classmethod
    def normalized(cls, value: str) -> str:
        """An origin."""
        if value != ANY and value.lower() not in cls.options:
            raise cls.refused(value, "drill, import or *")
        return value.lower()

    def one(self, value: str) -> ColumnElement[bool]:
        """The case of drills, or a mark."""
        if value == "drill":
            return and_(is_some(exchanges.c.case), exchanges.c.case == DRILL_CASE)
        return true() if value == ANY else exchanges.c.marks.contains(IMPORTED)


class MomentTerm(Term):
    """A bound of the start time."""

    @classmethod
    def of(cls, values: tuple[str, ...], negated: bool = False) -> Self:
        """Create the term of one date or time, never negated. Raises ``FilterError``."""
        if negated:
            raise FilterError("since and until cannot be negated: one is the opposite of the other.")
        if len(set(values)) > 1:
            raise FilterError(f"{cls.name} has {len(values)} values; it can have one.")
        return super().of(values)

    @classmethod
    def normalized(cls, value: str) -> str:
        """A moment."""
        spelled = dates.spelled(value)
        if spelled is None:
            raise cls.refused(value, dates.ALLOWED)
        return spelled

    def moment(self) -> datetime:
        """Return the instant. Raises ``ValueError`` when it depends on a clock or a time zone."""
        if not dates.is_absolute(self.values[0]):
            raise ValueError(f"{self.name}:{self.values[0]} must be resolved before it is queried.")
        return self.bound(self.values[0], datetime.min.replace(tzinfo=UTC), UTC)

    @staticmethod
    @abstractmethod
    def bound(text: str, now: datetime, zone: tzinfo) -> datetime:
        """Return the instant that a text stands for."""

    def resolved(self, now: datetime, zone: tzinfo) -> "Term":
        """Return the term with the instant in UTC."""
        if dates.is_absolute(self.values[0]):
            return self
        return replace(self, values=(utc_text(self.bound(self.values[0], now, zone)),))


class SinceTerm(MomentTerm):
    """The earliest."""

    name = "since"
    help = "The earliest time: a date, a time, today, yesterday, or how long ago (30min, 2h, 7d, 4w)."
    example = "since:2h"
    options = ("15min", "1h", "24h", "7d", "today", "yesterday")
    bound = staticmethod(dates.first)

    def one(self, _value: str) -> ColumnElement[bool]:
        """From then on."""
        return exchanges.c.started_at >= self.moment()


class UntilTerm(MomentTerm):
    """The latest."""

    name = "until"
    help = "The latest time, written the same way; a date counts to its end."
    example = "until:2026-11-24"
    options = ("1h", "24h", "7d", "yesterday")
    bound = staticmethod(dates.last)

    def one(self, _value: str) -> ColumnElement[bool]:
        """Up to then."""
        return exchanges.c.started_at <= self.moment()


class TextTerm(Term):
    """Words anywhere in the exchange."""

    name = "text"
    help = (
        'Words anywhere in the exchange, without a name in front; "several words" in quotes for a phrase; '
        "invalid* for words that start with invalid."
    )
    example = '"is invalid for the client"'

    @classmethod
    def of(cls, values: tuple[str, ...], negated: bool = False) -> Self:
        """Create the term of words and phrases, all of which must occur, or with ``negated`` none."""
        if not values:
            raise FilterError(f"text has no value. {cls.help}")
        length = len(" ".join(values))
        if length > LONGEST_TEXT:
            raise FilterError(f"text has {length} characters; it can have {LONGEST_TEXT}.")
        for value in values:
            if not value.strip() or not value.isprintable():
                raise cls.refused(value, "words of printable characters")
        return cls(tuple(dict.fromkeys(values)), negated)

    def one(self, value: str) -> ColumnElement[bool]:
        """The words of one value, in their order."""
        return matches(value)

    def condition(self) -> ColumnElement[bool]:
        """Return that all of the values occur, or none of them."""
        if self.negated:
            return and_(*(not_(self.one(value)) for value in self.values))
        return matches(*self.values)

    def branches(self) -> list[Term]:
        """Return only itself: its values are not alternatives."""
        return [self]


TERMS: tuple[type[Term], ...] = (
    StepTerm,
    StatusTerm,
    ErrorTerm,
    EntryTerm,
    ClientTerm,
    CaseTerm,
    HostTerm,
    ProviderTerm,
    MethodTerm,
    FlowTerm,
    DescriptionTerm,
    FailureTerm,
    NoteTerm,
    ByTerm,
    OriginTerm,
    SinceTerm,
    UntilTerm,
    TextTerm,
)
"""Every term, in the order in which a filter line is written."""


def help_list() -> str:
    """Return the help of every term as a Markdown list, which unlike a table fits a narrow page."""
    return "\n".join(f"- `{term.example}` {term.help}" for term in TERMS)


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[0-9]{1,3}", value) is not None
