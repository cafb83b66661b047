"""The filter line: a term a chip, completed while it is typed; its help, and the views that were saved of it."""

from collections.abc import Callable

import streamlit as st

from oauth.catalogue import documented
from oauth.history.filters import FilterError, Filters, written
from oauth.history.saved_views import ViewError, Views
from oauth.history.store import HistoryError
from oauth.history.terms import TERMS, TextTerm, help_list
from oauth.installation import current
from pages.parts.common import session
from pages.parts.history import url_state

KEY = "history.filter.line"
_WRONG = "history.wrong"
_VIEW_WRONG = "history.view.wrong"
_KNOWN = "history.known"

_STYLE = """
.st-key-history-filter-line { min-width: min(100%, 22rem); }
.st-key-history-filter-line [data-tag] { background: transparent; box-shadow: inset 0 0 0 1px; color: inherit; }
"""


def draw() -> Filters | None:
    """Draw the line, which is the address; ``None`` while the address cannot be understood."""
    if KEY not in st.session_state:
        st.session_state.pop(_WRONG, None)  # the line that was wrong was left with the page
    found, wrong = None, st.session_state.get(_WRONG, "")
    try:
        found = url_state.filters()
    except FilterError as error:
        wrong = wrong or str(error)
    if not wrong:
        st.session_state[KEY] = found.parts() if found is not None else []
    elif KEY not in st.session_state:
        st.session_state[KEY] = url_state.pieces()
    # A chip is a frame, for white on the bright accent of the dark theme cannot be read. A phone gives the line a row.
    st.html(f"<style>{_STYLE}</style>")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.multiselect(
            "Filter",
            _suggestions(),
            key=KEY,
            accept_new_options=True,
            filter_mode="prefix",
            select_all=False,
            wrap=True,
            placeholder="step:token  status:4xx  case:T-1234  -host:…  or any words",
            on_change=_changed,
        )
        _views(found)
        _help()
    if wrong:
        st.error("This filter is not understood. The list shows what the others say.", icon=":material/filter_alt_off:")
        st.text(wrong)
    if st.session_state.pop("history.concealed", False):
        st.caption("What looked like a secret was replaced by its fingerprint, which is what the history has.")
    return found


def know(name: str, values: list[str]) -> None:
    """Remember values that a term can have, for completion."""
    st.session_state.setdefault(_KNOWN, {})[name] = values


def _suggestions() -> list[str]:
    known = st.session_state.get(_KNOWN, {})
    found: list[str] = []
    for term in TERMS:
        if term is TextTerm:
            continue
        values = dict.fromkeys([*term.options, *known.get(term.name, [])])
        if term.name == "error":
            values |= dict.fromkeys(str(number) for number in documented())
        found += [f"{term.name}:{written(value)}" for value in values]
    return [*found, *(f"-{piece}" for piece in found if not piece.startswith(("since:", "until:")))]


def _changed() -> None:
    """Read the chips. One that is wrong stays, and is named; the address changes when all are understood."""
    line = " ".join(st.session_state[KEY])
    try:
        wanted = Filters.parse(line)
        safe = Filters.parse(url_state.vault().redact_text(wanted.line))
    except FilterError as error:
        st.session_state[_WRONG] = str(error)
        return
    st.session_state["history.concealed"] = safe != wanted
    st.session_state.pop(_WRONG, None)
    url_state.put_filters(safe)


def _help() -> None:
    with st.popover("Help", icon=":material/help:", key="history.help"):
        st.markdown(
            "Terms stand side by side, and all of them must hold. A comma stands between alternatives "
            "(`status:401,5xx`), `-` in front means everything else (`-client:demo-app`). Words without a name are "
            "looked for anywhere. Dates are those of your time zone."
        )
        st.markdown(help_list())


def _views(found: Filters | None) -> None:
    views = Views(current().history, session.owner())
    saved = views.all()
    with st.popover("Views", icon=":material/bookmark:", key="history.views"):
        if not saved:
            st.caption("Nothing is saved yet. A view is the filters, under a name of yours.")
        for number, (name, line) in enumerate(saved.items(), 1):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"history.view.{number}"):
                st.button(
                    "Open",
                    key=f"history.view.{number}.open",
                    on_click=_open,
                    args=(line,),
                    icon=":material/folder_open:",
                )
                with st.container(gap=None):
                    st.text(name)
                    st.code(line or "everything", language=None, wrap_lines=True)
                st.button(
                    "Delete", key=f"history.view.{number}.delete", on_click=_delete, args=(views, name), type="tertiary"
                )
        if wrong := st.session_state.pop(_VIEW_WRONG, ""):
            st.text(wrong)
        if found is not None:
            with st.form("history.view.form", border=False, clear_on_submit=True):
                st.text_input("Save these filters as", key="history.view.name", max_chars=60)
                st.form_submit_button("Save", key="history.view.save", on_click=_save, args=(views, found))
        if saved:
            with st.form("history.view.rename.form", border=False, clear_on_submit=True):
                st.selectbox("Rename", list(saved), key="history.view.old")
                st.text_input("to", key="history.view.new", max_chars=60)
                st.form_submit_button("Rename", key="history.view.rename", on_click=_rename, args=(views,))


def _open(line: str) -> None:
    st.session_state.pop(_WRONG, None)
    try:
        url_state.put_filters(Filters.parse(line))
    except FilterError as error:
        st.session_state[_WRONG] = str(error)


def _save(views: Views, found: Filters) -> None:
    _try(lambda: views.save(_typed("history.view.name"), found))


def _rename(views: Views) -> None:
    _try(lambda: views.rename(st.session_state["history.view.old"], _typed("history.view.new")))


def _delete(views: Views, name: str) -> None:
    _try(lambda: views.delete(name))


def _typed(key: str) -> str:
    return url_state.vault().redact_text(st.session_state[key])


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except (ViewError, HistoryError) as error:
        st.session_state[_VIEW_WRONG] = str(error)
