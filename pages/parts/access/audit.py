"""The audit: who did what, when and from where, newest first, with filters and as CSV."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import streamlit as st

from oauth.access import people
from oauth.access.audit import COMMAND_LINE, CONSOLE, Audit, Entry, Event, Selection
from oauth.access.person import Person
from oauth.installation import current, now
from pages.parts.common import clock, session, table

PAGE = 100

MOST_DOWNLOADED = 100_000
"""Rows of a download, the newest: its file is in memory."""

HEIGHT = 680

_BEFORE = "access.audit.before"
"""Session key of a selection, and the last row of each page before the one that is shown."""


def draw() -> None:
    """Draw the filters, a page of the audit, and the download."""
    audit = current().audit()
    selection = _filters()
    before = _before(selection)
    entries = audit.page(selection, before[-1] if before else None, PAGE + 1)
    count = audit.count(selection)
    st.text(f"{count:,} rows" if count != 1 else "1 row")
    if entries:
        _table(entries[:PAGE])
    else:
        st.info("Nothing in the audit matches these filters.")
    with st.container(horizontal=True, gap="small"):
        is_last = len(entries) <= PAGE
        last = None if is_last else entries[PAGE - 1]
        st.button("Older", key="access.audit.older", disabled=is_last, on_click=_older, args=(selection, last))
        st.button("Newest", key="access.audit.newest", disabled=not before, on_click=_newest)
        _download(audit, selection, count)
    if (days := audit.days) is not None:
        st.caption(f"Rows older than {days:,} days are deleted automatically (CONSOLE_AUDIT_DAYS).")


def _filters() -> Selection:
    names = people.names(session.database())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        person = st.selectbox(
            "Person",
            [*names, COMMAND_LINE.id, CONSOLE.id],
            index=None,
            format_func=lambda id: f"{names[id]} ({id})" if id in names else id,
            key="access.audit.person",
            placeholder="everybody",
            width=320,
        )
        event = st.selectbox(
            "Event", [*map(str, Event)], index=None, key="access.audit.event", placeholder="all", width=180
        )
        since = st.date_input("First day", None, key="access.audit.since", width=150)
        until = st.date_input("Last day", None, key="access.audit.until", width=150)
    return Selection(person or "", event or "", _begin(since), _begin(until, timedelta(days=1)))


def _begin(day: date | None, later: timedelta = timedelta()) -> datetime | None:
    """Return the beginning of a day of the reader's time zone."""
    return None if day is None else datetime.combine(day + later, time(), clock.tz()).astimezone(UTC)


def _table(entries: list[Entry]) -> None:
    columns: dict[str, Any] = {
        "time": (155, [entry.at for entry in entries]),
        "who": (140, [entry.name or "nobody" for entry in entries]),
        "role": (80, [entry.role for entry in entries]),
        "event": (90, [entry.event for entry in entries]),
        "allowed": (80, ["yes" if entry.allowed else "refused" for entry in entries]),
        "object": (240, [entry.object for entry in entries]),
        "detail": (240, [entry.detail for entry in entries]),
        "from": (130, [entry.address for entry in entries]),
        "id": ("medium", [entry.person for entry in entries]),
    }
    with st.container(key="access.audit.table"):  # a table in which nothing can be selected has no class of its own
        table.draw("access.audit.rows", columns, max_height=HEIGHT)


def _download(audit: Audit, selection: Selection, count: int) -> None:
    person, address = session.person(), session.address()  # the download has no session to ask
    st.download_button(
        "Download CSV",
        lambda: _csv(audit, selection, person, address),
        f"oauth-audit-{now():%Y%m%d-%H%M%S}.csv",
        "text/csv",
        key="access.audit.download",
        icon=":material/download:",
        on_click="ignore",
        help=f"The newest {MOST_DOWNLOADED:,} of them. Choose days for older ones."
        if count > MOST_DOWNLOADED
        else None,
    )


def _csv(audit: Audit, selection: Selection, person: Person, address: str) -> bytes:
    from oauth.exports.audit_file import csv  # loads Arrow

    count = min(audit.count(selection), MOST_DOWNLOADED)
    line = " ".join(filter(None, ("audit", str(selection))))
    audit.record(person, Event.EXPORT, line, detail=f"{count:,} rows, csv", address=address)
    return b"".join(csv(audit, selection, MOST_DOWNLOADED))


def _before(selection: Selection) -> list[Entry]:
    """Return the last rows of the pages before, none once another selection is made."""
    of, before = st.session_state.get(_BEFORE, (None, []))
    return before if of == selection else []


def _older(selection: Selection, last: Entry) -> None:
    st.session_state[_BEFORE] = selection, [*_before(selection), last]


def _newest() -> None:
    st.session_state.pop(_BEFORE, None)
