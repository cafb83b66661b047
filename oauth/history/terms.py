"""The terms of a filter line, each with its name, what it accepts, its help, and the condition it stands for."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Self

from sqlalchemy import Column, ColumnElement, and_, false, func, not_, or_

from oauth.exchange import Step
from oauth.history import dates
from oauth.history.schema import exchanges, is_some, utc_text
from oauth.history.search import matches

LONGEST_VALUE = 200
"""Characters of one value."""

LONGEST_TEXT = 1000
"""Characters of all free text together."""

MOST_VALUES = 20
"""Alternatives in one term."""

ANY = "\0*"
"""The value that stands for any value at all, written as a bare ``*``; no value that is stored looks like it."""


class FilterError(ValueError):
    """A filter has a value it cannot have; the text names the filter and what is allowed."""


@dataclass(frozen=True, slots=True)
class Term(ABC):
    """One condition: an exchange fits when it fits one of ``values``, or none of them when ``negated``.

    Made by ``of``, which checks the values.
    """

    values: tuple[str, ...]
    negated: bool = False

    name: ClassVar[str]
    help: ClassVar[str]
    example: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def of(cls, values: tuple[str, ...], negated: bool = False) -> Self:
        """The term with its values as they are kept, each once. Raises ``FilterError``."""
        if not all(values):
            raise FilterError(f"{cls.name} has no value. {cls.help}")
        if len(values) > MOST_VALUES:
            raise FilterError(f"{cls.name} has {len(values)} values; it can have {MOST_VALUES}.")
        return cls(tuple(dict.fromkeys(cls.kept(value) for value in values)), negated)

    @classmethod
    def refused(cls, value: str, allowed: str) -> FilterError:
        """The error that says what a value can be."""
        shown = "*" if value == ANY else value[:LONGEST_VALUE]
        return FilterError(f"{cls.name} is {shown!r}; it can be {allowed}.")

    @classmethod
    @abstractmethod
    def kept(cls, value: str) -> str:
        """The one spelling of a value. Raises ``FilterError``."""

    @abstractmethod
    def one(self, value: str) -> ColumnElement[bool]:
        """The condition of one value."""

    def condition(self) -> ColumnElement[bool]:
        """The condition on ``schema.exchanges``."""
        wanted = or_(*(self.one(value) for value in self.values))
        # A comparison with NULL is neither true nor false: a row without a status is not of status 404 either.
        return not_(func.coalesce(wanted, false())) if self.negated else wanted

    def resolved(self, _now: datetime, _zone: tzinfo) -> "Term":
        """The same term without relative times."""
        return self

    def branches(self) -> list["Term"]:
        """Terms of one value each that together show what this one shows."""
        return [self] if self.negated else [replace(self, values=(value,)) for value in self.values]


class StepTerm(Term):
    """Where in the flow."""

    name = "step"
    help = f"The step of the flow: {', '.join(Step)}."
    example = "step:token,refresh"
    options = tuple(Step)

    @classmethod
    def kept(cls, value: str) -> str:
        """A step."""
        if value.lower() not in list(Step):
            raise cls.refused(value, ", ".join(Step))
        return value.lower()

    def one(self, value: str) -> ColumnElement[bool]:
        """The step itself."""
        return exchanges.c.step == value


class StatusTerm(Term):
    """A status, its class, or that there is none."""

    name = "status"
    help = "A class such as 4xx, an exact status such as 404, failed (no response) or none (no answer recorded)."
    example = "status:4xx"
    options = ("2xx", "3xx", "4xx", "5xx", "failed", "none")

    @classmethod
    def kept(cls, value: str) -> str:
        """A class, a status, ``failed`` or ``none``."""
        if not re.fullmatch(r"[1-9]xx|[1-9][0-9]{2}|failed|none", value.lower()):
            raise cls.refused(
                value,
                "2xx, 3xx, 4xx, 5xx, an exact status such as 404, failed (no response) or none (no answer recorded)",
            )
        return value.lower()

    def one(self, value: str) -> ColumnElement[bool]:
        """The status, or the outcome."""
        return exchanges.c.status == int(value) if value.isdecimal() else exchanges.c.outcome == value


class ErrorTerm(Term):
    """A documented error or a code."""

    name = "error"
    help = "The number of a documented error, an error code such as invalid_grant, or * for any error."
    example = "error:2,invalid_scope"

    @classmethod
    def kept(cls, value: str) -> str:
        """A number without leading zeros, or a code."""
        return str(int(value)) if _is_number(value) else value

    def one(self, value: str) -> ColumnElement[bool]:
        """The number or the code."""
        if value == ANY:
            return or_(exchanges.c.documented_error.is_not(None), exchanges.c.error != "")
        if _is_number(value):
            return exchanges.c.documented_error == int(value)
        return and_(is_some(exchanges.c.error), exchanges.c.error == value)


class ExactTerm(Term):
    """A column that must be equal."""

    column: ClassVar[Column[str]]
    is_sparse: ClassVar[bool] = False
    """Whether the column's index has only the rows that are not empty there."""

    @classmethod
    def kept(cls, value: str) -> str:
        """The value as it is."""
        return value

    def one(self, value: str) -> ColumnElement[bool]:
        """Equality; ``*`` is anything but nothing."""
        if self.is_sparse:
            return is_some(self.column) if value == ANY else and_(is_some(self.column), self.column == value)
        return self.column != "" if value == ANY else self.column == value


class ClientTerm(ExactTerm):
    """Whose application."""

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
    """Where the request went."""

    name = "host"
    help = "The host, and its port if it has one, that the request went to."
    example = "-host:localhost:8501"
    column = exchanges.c.host

    @classmethod
    def kept(cls, value: str) -> str:
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
    def kept(cls, value: str) -> str:
        """In capitals, as the console sends them."""
        return value.upper()


class FlowTerm(ExactTerm):
    """One flow."""

    name = "flow"
    help = "The id of a flow: the exchanges that share a state."
    example = "flow:3f9c2a"
    column = exchanges.c.flow


class DescriptionTerm(ExactTerm):
    """What the provider said."""

    name = "description"
    help = "The whole error_description that came back."
    example = 'description:"Invalid refresh token"'
    column = exchanges.c.error_description


class ByTerm(ExactTerm):
    """Who sent it."""

    name = "by"
    help = "Who sent it, on a console that several people share."
    example = "by:ada@example.com"
    column = exchanges.c.owner
    is_sparse = True


class FailureTerm(ExactTerm):
    """Why there is no response."""

    name = "failure"
    help = "Why there is no response, or none that is whole, such as refused or cut_off, or * for any reason."
    example = "failure:read_timeout"
    column = exchanges.c.failure


class NoteTerm(Term):
    """What was noted."""

    name = "note"
    help = "A part of the note, in any letter case, or * for any note."
    example = 'note:"called back"'

    @classmethod
    def kept(cls, value: str) -> str:
        """The value as it is."""
        return value

    def one(self, value: str) -> ColumnElement[bool]:
        """A note at all, which an index lists, and in it the value."""
        noted = exchanges.c.note != ""
        return noted if value == ANY else noted & exchanges.c.note.icontains(value, autoescape=True)


class MomentTerm(Term):
    """A bound of the time."""

    @classmethod
    def of(cls, values: tuple[str, ...], negated: bool = False) -> Self:
        """One moment, never negated."""
        if negated:
            raise FilterError("since and until cannot have a - in front: one is the opposite of the other.")
        if len(set(values)) > 1:
            raise FilterError(f"{cls.name} has {len(values)} values; it can have one.")
        return super().of(values)

    @classmethod
    def kept(cls, value: str) -> str:
        """A moment."""
        found = dates.spelled(value)
        if found is None:
            raise cls.refused(value, dates.ALLOWED)
        return found

    def moment(self) -> datetime:
        """The moment. Raises ``ValueError`` when it depends on a clock or a time zone."""
        if not dates.is_absolute(self.values[0]):
            raise ValueError(f"{self.name}:{self.values[0]} must be resolved before it is asked for.")
        return self.bound(self.values[0], datetime.min.replace(tzinfo=UTC), UTC)

    @staticmethod
    @abstractmethod
    def bound(text: str, now: datetime, zone: tzinfo) -> datetime:
        """The instant that is meant."""

    def resolved(self, now: datetime, zone: tzinfo) -> "Term":
        """The same with the instant in UTC."""
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
        'Words found anywhere in the exchange, without a name in front; "several words" in quotes, in their order; '
        "invalid* for words that begin so."
    )
    example = '"is invalid for the client"'

    @classmethod
    def of(cls, values: tuple[str, ...], negated: bool = False) -> Self:
        """Words and phrases, of which all must be there, or with ``negated`` none."""
        length = len(" ".join(values))
        if length > LONGEST_TEXT:
            raise FilterError(f"text has {length} characters; it can have {LONGEST_TEXT}.")
        for value in values:
            if not value.strip() or not value.isprintable():
                raise cls.refused(value, "words of printable characters")
        return cls(tuple(dict.fromkeys(values)), negated)

    @classmethod
    def kept(cls, value: str) -> str:
        """The value as it is."""
        return value

    def one(self, value: str) -> ColumnElement[bool]:
        """The words of one value, in their order."""
        return matches(value)

    def condition(self) -> ColumnElement[bool]:
        """All of the values, or none of them."""
        if self.negated:
            return and_(*(not_(self.one(value)) for value in self.values))
        return matches(*self.values)

    def branches(self) -> list[Term]:
        """Itself: its values are no alternatives."""
        return [self]


TERMS: tuple[type[Term], ...] = (
    StepTerm,
    StatusTerm,
    ErrorTerm,
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
    SinceTerm,
    UntilTerm,
    TextTerm,
)
"""Every term, in the order in which a filter line is written."""


def help_list() -> str:
    """Every term as an example with its meaning, as a Markdown list: unlike a table it fits a narrow page."""
    return "\n".join(f"- `{term.example}` {term.help}" for term in TERMS)


def _is_number(value: str) -> bool:
    return re.fullmatch(r"[0-9]{1,3}", value) is not None
