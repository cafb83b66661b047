"""What is done with the history as a whole: importing, asking whether a secret is in it, and deleting."""

import streamlit as st

from oauth.history.deletion import delete_shown, last_id
from oauth.history.filters import Filters
from oauth.history.secret_search import Sighting, TooShortError, sightings
from oauth.history.store import HistoryError
from oauth.imports import ImportFileError, Report, import_file
from oauth.installation import current, now
from pages.parts.common import session
from pages.parts.history import url_state

SECONDS = 1.0
"""How long one count of a secret's sightings may take."""

MOST_PROBLEMS = 20
"""Entries that could not be imported, of those that are listed."""

_IMPORTED = "history.import.report"
_COUNTED = "history.delete.counted"
_FOUND = "history.secret.found"
_PROBLEM = "history.secret.problem"


def import_() -> None:
    """Take the exchanges of a HAR or an export, redacted on the way in."""
    with st.popover("Import", icon=":material/upload:", key="history.import.open"):
        st.caption(
            "A HAR of a browser, or what a console exported as CSV, JSON Lines or HAR. Secrets are replaced by their "
            "fingerprints before anything is kept; times stay as they were."
        )
        file = st.file_uploader("File", type=["har", "json", "jsonl", "csv"], key="history.import.file")
        case = st.text_input("Case", key="history.import.case", placeholder="T-1234, for all of it")
        pressed = st.button("Import", key="history.import", icon=":material/upload:", disabled=file is None)
        if (report := st.session_state.pop(_IMPORTED, None)) is not None:
            _told(report)
        if not pressed or file is None:
            return
        progress = st.empty()
        progress.text("Reading the file")
        vault = url_state.vault()

        def told(kept: int) -> None:
            progress.text(f"{kept:,} exchanges kept so far")

        try:
            st.session_state[_IMPORTED] = import_file(
                file,
                current().history,
                current().vault,
                now(),
                owner=session.owner(),
                case=vault.redact_text(case.strip()),
                progress=told,
            )
        except (ImportFileError, HistoryError) as error:
            progress.empty()
            st.error("The import was not finished.")
            st.text(str(error))
            return
        st.rerun()


def _told(report: Report) -> None:
    exchanges = "exchange was" if report.kept == 1 else "exchanges were"
    st.success(f"{report.kept:,} {exchanges} imported.")
    if report.problems:
        shown = "\n".join(report.problems[:MOST_PROBLEMS])
        left = len(report.problems) - MOST_PROBLEMS
        st.text(f"Left out:\n{shown}" + (f"\nand {left:,} more" if left > 0 else ""))


def secret() -> None:
    """Ask whether a secret is in the history. What is typed is forgotten before anything is drawn."""
    with st.popover("Find a secret", icon=":material/key:", key="history.secret.open"):
        st.caption(
            "Is this code, token or client secret in the history? Only its fingerprints are looked for; what you type "
            "is kept nowhere, and it is in no address."
        )
        with st.form("history.secret.form", border=False, enter_to_submit=True):
            st.text_input("Secret", key="history.secret", type="password", autocomplete="off")
            st.form_submit_button("Look", key="history.secret.look", on_click=_look)
        if problem := st.session_state.pop(_PROBLEM, ""):
            st.text(problem)
        found: list[Sighting] | None = st.session_state.pop(_FOUND, None)
        if found is None:
            return
        if not found:
            st.text("It is not in the history, under no kind of secret that has a name.")
        for sighting in found:
            exchanges = "exchange" if str(sighting.count) == "1" else "exchanges"
            st.text(f"As {sighting.kind}: in {sighting.count} {exchanges}, fingerprint #{sighting.digits}")
            st.button(
                "Show them",
                key=f"history.secret.{sighting.kind}",
                on_click=url_state.put_filters,
                args=(sighting.filters,),
            )


def _look() -> None:
    typed = st.session_state["history.secret"].strip()
    st.session_state["history.secret"] = ""
    if not typed:
        return
    try:
        st.session_state[_FOUND] = sightings(current().history, current().vault(), typed, SECONDS)
    except (TooShortError, HistoryError) as error:
        st.session_state[_PROBLEM] = str(error)


def delete(filters: Filters, resolved: Filters) -> None:
    """Delete what the filters show: counted first, agreed to by typing the number, and with progress."""
    with st.popover("Delete", icon=":material/delete:", key="history.delete.open"):
        st.text(
            "Everything that the filters show is deleted for good."
            if filters.terms
            else "The whole history is deleted."
        )
        history = current().history
        if (days := current().settings.retention_days) is not None:
            st.caption(f"Exchanges older than {days:,} days are deleted by themselves (CONSOLE_RETENTION_DAYS).")
        st.button("Count what would be deleted", key="history.delete.count", on_click=_count, args=(filters, resolved))
        counted = st.session_state.get(_COUNTED)
        if counted is None or counted[0] != filters.line:
            return
        _, shown, up_to, number = counted
        if isinstance(number, str):
            st.text(number)
            return
        if not number:
            st.text("There is nothing to delete.")
            return
        with st.form("history.delete.form", border=False):
            st.text(f"{number:,} exchanges, up to row {up_to}. What is recorded from now on stays.")
            typed = st.text_input(f"Type {number} to agree", key="history.delete.agreed")
            pressed = st.form_submit_button(f"Delete {number:,}", key="history.delete", icon=":material/delete:")
        if not pressed:
            return
        if typed.strip().replace(",", "") != str(number):
            st.text(f"Nothing was deleted: type {number} into the field above.")
            return
        progress = st.progress(0.0, f"0 of {number:,} deleted")
        gone = 0
        try:
            for gone in delete_shown(history, shown, up_to):
                progress.progress(min(1.0, gone / number), f"{gone:,} of {number:,} deleted")
        except HistoryError as error:
            st.text(f"{gone:,} were deleted, then: {error}")
            return
        del st.session_state[_COUNTED]
        url_state.put(url_state.ROW, None)
        url_state.put(url_state.BEFORE, None)
        st.session_state["history.deleted"] = gone
        st.rerun()


def _count(filters: Filters, resolved: Filters) -> None:
    history = current().history
    try:
        up_to = last_id(history)
        st.session_state[_COUNTED] = (filters.line, resolved, up_to, history.count(resolved))
    except HistoryError as error:
        st.session_state[_COUNTED] = (filters.line, resolved, 0, str(error))
