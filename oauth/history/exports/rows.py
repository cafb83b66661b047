"""Rows that a database gave as JSON, as exchanges and as the fields of an export."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from oauth.history.exports.columns import COLUMNS
from oauth.history.exports.remedies import remedy
from oauth.history.store import Row, to_row


def row_of(found: Mapping[str, Any]) -> Row:
    """The exchange in such a row."""
    values = {"started_at": datetime.fromisoformat(found["started_at"]), "response_cut": bool(found["response_cut"])}
    return to_row({**found, **values})


def remedy_of(found: Mapping[str, Any], row: Row) -> str:
    """What to do about it: as SQL says, or as is found out now."""
    known: str | None = found.get("known")
    return remedy(row.exchange, row.documented_error) if known is None else known


def fields(found: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an export by their names; numbers may be ``None``."""
    failure, detail = found["failure"], found["failure_detail"]
    made = {
        "remedy": remedy_of(found, row_of(found)),
        "failure": f"{failure}: {detail}" if failure and detail else failure,
    }
    return {name: made[name] if name in made else found[name] for name in COLUMNS}
