"""What the History page shows is in its address, so that a link is a saved view. Here it is read and written."""

from urllib.parse import urlencode

import streamlit as st

from oauth.history.filters import Filters
from oauth.history.terms import TERMS
from oauth.installation import current
from oauth.redaction import Vault
from pages.parts.common import session

BEFORE = "before"
"""The row after which the list goes on."""

ROW = "row"
"""The open exchange."""

WITH = "with"
"""The row that it is compared with."""

SHOW = "show"
"""What is drawn of the exchanges: the list when it is not there, ``repeats`` or ``charts``."""


def filters() -> Filters:
    """The filters in the address. Raises ``FilterError``."""
    return Filters.from_query(st.query_params.to_dict())


def pieces() -> list[str]:
    """The filters in the address as they stand there, also wrong ones."""
    found = st.query_params.to_dict()
    return [f"{name}:{value}" for name, value in found.items() if name in _FILTERS and value]


def put_filters(wanted: Filters) -> None:
    """Show other filters, from the newest exchange on."""
    for name in (*_FILTERS, BEFORE, ROW, WITH):
        st.query_params.pop(name, None)
    for name, value in wanted.to_query().items():
        st.query_params[name] = value


def number(name: str) -> int | None:
    """A row's number in the address, ``None`` when there is none."""
    value = st.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None


def put(name: str, value: str | int | None) -> None:
    """Change one parameter."""
    if value is None or value == "":
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)


def with_row(row: int) -> dict[str, str]:
    """The parameters of this page with another exchange open."""
    return {name: value for name, value in st.query_params.to_dict().items() if name != WITH} | {ROW: str(row)}


def link() -> str:
    """This view as a whole address, for somebody else."""
    return f"{session.origin()}/history?{urlencode(st.query_params.to_dict())}"


def vault() -> Vault:
    """What knows this session's secrets, and recognises others: typed text goes through it before it is kept."""
    walked = session.get()
    return walked.vault if walked is not None else current().vault()


_FILTERS = [f"{sign}{term.name}" for term in TERMS for sign in ("", "-")]
