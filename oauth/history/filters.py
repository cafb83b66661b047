"""Which exchanges of the history are wanted, as a value that fits in an address."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, or_

from oauth.exchange import Step
from oauth.history.schema import exchanges

LONGEST_TEXT = 1000
LONGEST_CODE = 100


class FilterError(ValueError):
    """A filter has a value it cannot have; the text names the filter and what is allowed."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What every wanted exchange has in common; an empty value wants all.

    ``status`` is a class (``4xx``), an exact status (``404``), ``failed`` (there is no response, and a reason) or
    ``none`` (no answer recorded). ``error`` is the number of a documented error or an error code. ``text`` is found
    anywhere in the exchange, in any letter case. ``owner`` is whose exchanges, ``None`` everybody's; it is no part of
    an address.

    Raises ``FilterError``.
    """

    step: str = ""
    status: str = ""
    error: str = ""
    text: str = ""
    flow: str = ""
    owner: str | None = None

    def __post_init__(self) -> None:
        if self.step and self.step not in list(Step):
            raise FilterError(f"step is {self.step!r}; it can be {', '.join(Step)}.")
        if self.status and not re.fullmatch(r"[1-9]xx|[1-9][0-9]{2}|failed|none", self.status):
            raise FilterError(
                f"status is {self.status!r}; it can be 2xx, 3xx, 4xx, 5xx, an exact status such as 404, "
                "failed (no response) or none (no answer recorded)."
            )
        if self.error and not (len(self.error) <= LONGEST_CODE and self.error.isprintable()):
            raise FilterError(
                f"error is {self.error[:LONGEST_CODE]!r}; it can be the number of a documented error or an error code "
                f"of at most {LONGEST_CODE} printable characters."
            )
        if len(self.text) > LONGEST_TEXT:
            raise FilterError(f"text has {len(self.text)} characters; it can have {LONGEST_TEXT}.")

    def to_query(self) -> dict[str, str]:
        """The filters as parameters of an address, without the empty ones and without the owner."""
        return {name: value for name, value in asdict(self).items() if value and name != "owner"}

    @classmethod
    def from_query(cls, query: Mapping[str, str], owner: str | None = None) -> "Filters":
        """The filters in an address, whose other parameters are not looked at. Raises ``FilterError``.

        ``owner`` does not come from the address: who may see whose exchanges is not the reader's choice.
        """
        names = ("step", "status", "error", "text", "flow")
        return cls(**{name: query[name] for name in names if name in query}, owner=owner)


def where(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions on ``schema.exchanges``, all of which must hold."""
    columns = exchanges.c
    conditions: list[ColumnElement[bool]] = []
    if filters.owner is not None:
        conditions.append(columns.owner == filters.owner)
    if filters.flow:
        conditions.append(columns.flow == filters.flow)
    if filters.step:
        conditions.append(columns.step == filters.step)
    if filters.status.isdecimal():
        conditions.append(columns.status == int(filters.status))
    elif filters.status:
        conditions.append(columns.outcome == filters.status)
    if re.fullmatch(r"[0-9]{1,3}", filters.error):
        conditions.append(columns.documented_error == int(filters.error))
    elif filters.error:
        conditions.append(columns.error == filters.error)
    if filters.text:
        conditions.append(or_(*(columns[name].icontains(filters.text, autoescape=True) for name in _SEARCHED)))
    return conditions


_SEARCHED = (
    "url",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "error",
    "error_description",
    "failure_detail",
    "case",
    "client_id",
)
