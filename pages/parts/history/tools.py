"""What is done with everything that the filters show: deleting it, and asking whether a secret is in it."""

import streamlit as st

from oauth.history.deletion import delete_shown, last_id
from oauth.history.filters import Filters
from oauth.history.secret_search import Sighting, TooShortError, sightings
from oauth.history.store import HistoryError
from oauth.installation import current
from pages.parts.history import address

SECONDS = 1.0
"""How long one count of a secret's sightings may take."""

_COUNTED = "history.delete.counted"
_FOUND = "history.secret.found"
_PROBLEM = "history.secret.problem"


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
                on_click=address.put_filters,
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
        address.put(address.ROW, None)
        address.put(address.BEFORE, None)
        st.session_state["history.deleted"] = gone
        st.rerun()


def _count(filters: Filters, resolved: Filters) -> None:
    history = current().history
    try:
        up_to = last_id(history)
        st.session_state[_COUNTED] = (filters.line, resolved, up_to, history.count(resolved))
    except HistoryError as error:
        st.session_state[_COUNTED] = (filters.line, resolved, 0, str(error))
