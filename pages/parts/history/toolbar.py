"""Tools for the whole history: import, search for a secret, delete."""

import streamlit as st

from oauth import isolation
from oauth.access import Action
from oauth.access.audit import Event
from oauth.history.deletion import delete_shown, last_id
from oauth.history.filters import Filters
from oauth.history.secret_search import Sighting, TooShortError, sightings
from oauth.history.store import HistoryError
from oauth.history.terms import ANY, OriginTerm
from oauth.imports import ImportFileError, Report, import_content
from oauth.installation import current, now
from oauth.isolation import IsolationError
from pages.parts.common import notices, session, uploads
from pages.parts.common.permissions import may, needs
from pages.parts.history import url_state

SECONDS = 1.0
"""Time limit for counting the exchanges with a secret."""

MOST_PROBLEMS = 20
"""Number of problems listed after an import."""

SECONDS_OF_IMPORT = 900.0
"""Time limit of an import."""

_FILE = "history.import.file"
_CONTENT = "history.import.content"
_IMPORTED = "history.import.report"
_FAILED = "history.import.problem"
_RUNNING = "history.import.running"
_COUNT = "history.delete.counted"
_SIGHTINGS = "history.secret.found"
_PROBLEM = "history.secret.problem"


def import_() -> None:
    """Import the exchanges of a HAR or an export, redacted."""
    if not may(Action.IMPORT):
        return
    with st.popover("Import", icon=":material/upload:", key="history.import.open"):
        st.caption(
            "A browser's HAR, or a console's export as CSV, JSON Lines or HAR. Secrets are replaced by fingerprints "
            "before anything is stored; times are preserved."
        )
        uploads.say_misdirected()
        st.file_uploader("File", type=["har", "json", "jsonl", "csv"], key=_FILE, on_change=_take)
        if st.session_state[_FILE] is None:  # removed, or left by another page
            st.session_state.pop(_CONTENT, None)
        content: bytes | None = st.session_state.get(_CONTENT)
        case = st.text_input("Case", key="history.import.case", placeholder="T-1234, for all exchanges")
        is_pressed = st.button("Import", key="history.import", icon=":material/upload:", disabled=content is None)
        if (report := st.session_state.pop(_IMPORTED, None)) is not None:
            _show(report)
        notices.pop_error(_FAILED, "Import incomplete")
        if (last := st.session_state.pop(_RUNNING, None)) is not None:
            notices.warning("The import was stopped", f"When it ended: {last}.")
        if not is_pressed or content is None:
            return
        _run(content, case.strip())


@needs(Action.IMPORT)
def _take() -> None:
    if file := uploads.take(_FILE):
        st.session_state[_CONTENT] = file[1]


def _run(content: bytes, case: str) -> None:
    """Import in a process of its own; whatever ends this run of the page, such as *Cancel*, ends the import."""
    progress = st.empty()
    st.button("Cancel", key="history.import.cancel", icon=":material/close:")

    def show(seconds: float, last: str) -> None:
        st.session_state[_RUNNING] = last or "no exchange was imported"
        progress.text(f"{seconds:.0f} s: {last or 'starting'}")

    show(0, "")
    try:
        session.audit(Event.IMPORT, case, f"{len(content):,} octets")
        others = current().address(), current().key(), now(), session.owner(), session.redacted(case)
        report = isolation.call(import_content, content, *others, waiting=show, seconds=SECONDS_OF_IMPORT)
    except (ImportFileError, HistoryError, IsolationError) as error:
        if isinstance(error, ImportFileError):  # it cannot be tried again
            del st.session_state[_CONTENT]
        st.session_state[_FAILED] = str(error)
    else:
        del st.session_state[_CONTENT]
        st.session_state[_IMPORTED] = report
    del st.session_state[_RUNNING]
    st.rerun()


def _show(report: Report) -> None:
    st.success(report.summary)
    if report.count:
        st.button(
            "Show imports",
            key="history.import.show",
            on_click=url_state.put_filters,
            args=(Filters(origin="import"),),
        )
    if report.problems:
        problems = "\n".join(report.problems[:MOST_PROBLEMS])
        more = len(report.problems) - MOST_PROBLEMS
        st.text(f"Problems:\n{problems}" + (f"\nand {more:,} more" if more > 0 else ""))


def secret() -> None:
    """Search the history for a secret. The input is cleared before anything is drawn."""
    with st.popover("Find a secret", icon=":material/key:", key="history.secret.open"):
        st.caption(
            "Is this code, token or client secret in the history? Only its fingerprint is searched for. The value "
            "itself is not stored or put into an address."
        )
        with st.form("history.secret.form", border=False, enter_to_submit=True):
            st.text_input("Secret", key="history.secret", type="password", autocomplete="off")
            st.form_submit_button("Search", key="history.secret.look", on_click=_look)
        if problem := st.session_state.pop(_PROBLEM, ""):
            st.text(problem)
        matches: list[Sighting] | None = st.session_state.pop(_SIGHTINGS, None)
        if matches is None:
            return
        if not matches:
            st.text("Not found in the history, under any kind of secret.")
        for sighting in matches:
            exchanges = "exchange" if str(sighting.count) == "1" else "exchanges"
            st.text(f"As {sighting.kind}: in {sighting.count} {exchanges}, fingerprint #{sighting.digits}")
            st.button(
                "Show exchanges",
                key=f"history.secret.{sighting.kind}",
                on_click=url_state.put_filters,
                args=(sighting.filters.put(OriginTerm.name, ANY),),
            )


def _look() -> None:
    value = st.session_state["history.secret"].strip()
    st.session_state["history.secret"] = ""
    if not value:
        return
    try:
        st.session_state[_SIGHTINGS] = sightings(session.history(), current().vault(), value, SECONDS)
    except (TooShortError, HistoryError) as error:
        st.session_state[_PROBLEM] = str(error)


def delete(filters: Filters, resolved: Filters) -> None:
    """Delete the exchanges that match the filters, after they are counted and the number is typed to confirm."""
    if not may(Action.DELETE):
        return
    with st.popover("Delete", icon=":material/delete:", key="history.delete.open"):
        st.text(
            "Permanently delete the exchanges that match the filters."
            if filters.terms
            else "Permanently delete the whole history."
        )
        history = session.history()
        if (days := current().settings.retention_days) is not None:
            st.caption(f"Exchanges older than {days:,} days are deleted automatically (CONSOLE_RETENTION_DAYS).")
        st.button("Count exchanges to delete", key="history.delete.count", on_click=_count, args=(filters, resolved))
        count = st.session_state.get(_COUNT)
        if count is None or count[0] != filters.line:
            return
        _, matching, up_to, number = count
        if isinstance(number, str):
            st.text(number)
            return
        if not number:
            st.text("Nothing to delete.")
            return
        with st.form("history.delete.form", border=False):
            st.text(f"{number:,} exchanges, up to row {up_to}. Later exchanges are not deleted.")
            confirmation = st.text_input(f"Type {number} to confirm", key="history.delete.agreed")
            is_pressed = st.form_submit_button(f"Delete {number:,}", key="history.delete", icon=":material/delete:")
        if not is_pressed:
            return
        if confirmation.strip().replace(",", "") != str(number):
            st.text(f"Nothing was deleted. Type {number} into the field above.")
            return
        progress = st.progress(0.0, f"0 of {number:,} deleted")
        deleted = 0
        try:
            session.audit(Event.DELETION, matching.line, f"{number:,} exchanges")
            for deleted in delete_shown(history, matching, up_to):
                progress.progress(min(1.0, deleted / number), f"{deleted:,} of {number:,} deleted")
        except HistoryError as error:
            st.text(f"{deleted:,} deleted, then an error: {error}")
            return
        del st.session_state[_COUNT]
        url_state.put(url_state.ROW, None)
        url_state.put(url_state.BEFORE, None)
        st.session_state["history.deleted"] = deleted
        st.rerun()


@needs(Action.DELETE)
def _count(filters: Filters, resolved: Filters) -> None:
    history = session.history()
    try:
        up_to = last_id(history)
        st.session_state[_COUNT] = (filters.line, resolved, up_to, history.count(resolved))
    except HistoryError as error:
        st.session_state[_COUNT] = (filters.line, resolved, 0, str(error))
