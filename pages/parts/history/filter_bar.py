"""The filter line, a chip per term with completion; its help; and the saved views."""

from collections.abc import Callable, Iterable

import streamlit as st

from oauth.catalogue import documented
from oauth.exports.layout import Layout
from oauth.history.filters import FilterError, Filters, written
from oauth.history.saved_views import ViewError, Views
from oauth.history.store import HistoryError
from oauth.history.terms import TERMS, TextTerm, help_list
from pages.parts.common import session
from pages.parts.history import downloads, url_state

KEY = "history.filter.line"
_PROBLEM = "history.wrong"
_VIEW_PROBLEM = "history.view.wrong"
_VIEW_SAVED = "history.view.saved"
_ASKED = "history.view.asked"
_KNOWN = "history.known"

MOST_KNOWN = 50
"""Values of one term that are remembered for completion."""

_STYLE = """
.st-key-history-filter-line { min-width: min(100%, 22rem); }
.st-key-history-line:has([role=combobox][aria-expanded=true]) { padding-bottom: 10rem; }
@media (max-width: 640px) {
  body:has(.st-key-history-open) .st-key-history-table { max-height: 18rem; overflow: auto; }
}
[data-testid=stMultiSelectDropdown] > [role=listbox] { max-height: 9rem; overflow-y: auto; }
.st-key-history-filter-line [data-tag] { background: transparent; box-shadow: inset 0 0 0 1px; color: inherit; }
"""


def read() -> Filters | None:
    """Return the filters of the address, ``None`` while the address is invalid. Raises ``HistoryError``."""
    if KEY not in st.session_state:
        st.session_state.pop(_PROBLEM, None)  # the invalid line was left with the page
    try:
        return url_state.filters()
    except FilterError as error:
        st.session_state.setdefault(_PROBLEM, str(error))
        return None


def draw(filters: Filters | None) -> None:
    """Draw the filter line of what ``read`` returned.

    It is drawn last, in its place above the list: only then the values are known that it proposes.
    """
    problem = st.session_state.get(_PROBLEM, "")
    if not problem:
        st.session_state[KEY] = filters.parts() if filters is not None else []
    elif KEY not in st.session_state:
        st.session_state[KEY] = url_state.pieces()
    # A chip is an outline: white on the dark theme's accent is unreadable. On a phone the line has a row to
    # itself. The rows make room for the proposals, which would cover them.
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
        _views(filters)
        _help()
    if problem:
        st.error("Invalid filter. The list ignores it until it is corrected.", icon=":material/filter_alt_off:")
        st.text(problem)
    if st.session_state.pop(url_state.CONCEALED, False):
        st.caption("A value that looked like a secret was replaced by its fingerprint, as in the history.")


def know(name: str, values: Iterable[str]) -> None:
    """Remember the last values of a term for completion."""
    terms = st.session_state.setdefault(_KNOWN, {})
    terms[name] = list(dict.fromkeys([*filter(None, values), *terms.get(name, [])]))[:MOST_KNOWN]


def _suggestions() -> list[str]:
    terms = st.session_state.get(_KNOWN, {})
    pieces: list[str] = []
    for term in TERMS:
        if term is TextTerm:
            continue
        values = dict.fromkeys([*term.options, *terms.get(term.name, [])])
        if term.name == "error":
            values |= dict.fromkeys(str(number) for number in documented())
        pieces += [f"{term.name}:{written(value)}" for value in values]
    return [*pieces, *(f"-{piece}" for piece in pieces if not piece.startswith(("since:", "until:")))]


def _changed() -> None:
    """Parse the chips and change the address; an invalid chip stays, with its error."""
    line = " ".join(st.session_state[KEY])
    try:
        safe = url_state.redacted(Filters.parse(line))
    except (FilterError, HistoryError) as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state.pop(_PROBLEM, None)
    url_state.put_filters(safe)


def _help() -> None:
    with st.popover("Help", icon=":material/help:", key="history.help"):
        st.markdown(
            "An exchange must match every term. Separate alternatives with commas (`status:401,5xx`), and put `-` in "
            "front to exclude (`-client:demo-app`). `*` is any value. Words without a name are searched for in the "
            "whole exchange. Put values with spaces in quotation marks. Dates are in your time zone."
        )
        st.markdown(help_list())


def _views(filters: Filters | None) -> None:
    views = Views(session.history(), session.owner())
    saved = views.all()
    with st.popover("Views", icon=":material/bookmark:", key="history.views"):
        if not saved:
            st.caption("No saved views. Save the current filters under a name to open them again later.")
        for number, (name, line) in enumerate(saved.items(), 1):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"history.view.{number}"):
                st.button(
                    "Open",
                    key=f"history.view.{number}.open",
                    on_click=_open,
                    args=(views, name, line),
                    icon=":material/folder_open:",
                )
                with st.container(gap=None):
                    st.text(name)
                    st.code(line or "all exchanges", language=None, wrap_lines=True)
                if st.session_state.get(_ASKED) == name:
                    st.button(
                        "Delete 1 view",
                        key=f"history.view.{number}.delete.sure",
                        on_click=_delete,
                        args=(views, name),
                        help="Its exchanges stay in the history.",
                    )
                else:
                    st.button(
                        "Delete",
                        key=f"history.view.{number}.delete",
                        on_click=_ask,
                        args=(name,),
                        type="tertiary",
                    )
        if saved_as := st.session_state.pop(_VIEW_SAVED, ""):
            st.text(f"Saved as {saved_as}")
        if problem := st.session_state.pop(_VIEW_PROBLEM, ""):
            st.text(problem)
        if filters is not None:
            with st.form("history.view.form", border=False, clear_on_submit=True):
                st.text_input("Save filters as", key="history.view.name", max_chars=60)
                st.form_submit_button("Save", key="history.view.save", on_click=_save, args=(views, filters))
        if saved:
            with st.form("history.view.rename.form", border=False, clear_on_submit=True):
                st.selectbox("Rename", list(saved), key="history.view.old")
                st.text_input("New name", key="history.view.new", max_chars=60)
                st.form_submit_button("Rename", key="history.view.rename", on_click=_rename, args=(views,))


def _open(views: Views, name: str, line: str) -> None:
    st.session_state.pop(_PROBLEM, None)
    try:
        url_state.put_filters(Filters.parse(line))
        downloads.put(Layout.parse(views.layout(name)))
    except (FilterError, HistoryError) as error:
        st.session_state[_PROBLEM] = str(error)


def _save(views: Views, filters: Filters) -> None:
    layout = downloads.layout().text

    def save() -> None:
        st.session_state[_VIEW_SAVED] = views.save(_redacted("history.view.name"), url_state.redacted(filters), layout)

    _try(save)


def _ask(name: str) -> None:
    st.session_state[_ASKED] = name


def _delete(views: Views, name: str) -> None:
    st.session_state.pop(_ASKED, None)
    _try(views.delete, name)


def _rename(views: Views) -> None:
    _try(lambda: views.rename(st.session_state["history.view.old"], _redacted("history.view.new")))


def _redacted(key: str) -> str:
    return session.redacted(st.session_state[key])


def _try(action: Callable[..., object], *arguments: object) -> None:
    try:
        action(*arguments)
    except (ViewError, HistoryError) as error:
        st.session_state[_VIEW_PROBLEM] = str(error)
