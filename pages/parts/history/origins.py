"""Drills and imports, which the list leaves out until a chip or a filter asks for them."""

import streamlit as st

from oauth.history.filters import Filters
from oauth.history.terms import ANY, CaseTerm, FlowTerm, OriginTerm
from pages.parts.history import url_state

KEY = "history.filter.origin"
_LABEL = "Drills and imports"


def shown(filters: Filters) -> Filters:
    """Return the filters of the list: without drills and imports, unless a term names them, a case or a flow."""
    names = filters.names() & {OriginTerm.name, CaseTerm.name, FlowTerm.name}
    return filters if names else filters.without(OriginTerm.name, *OriginTerm.options)


def hides(filters: Filters) -> bool:
    """Return True if the filters of a list leave out drills or imports."""
    return any(term.name == OriginTerm.name and term.negated for term in filters.terms)


def draw(filters: Filters) -> None:
    """Draw the chip that shows and hides them. ``filters`` are those of the address."""
    if filters.names() & {CaseTerm.name, FlowTerm.name} and OriginTerm.name not in filters.names():
        return
    st.session_state[KEY] = [] if hides(shown(filters)) else [_LABEL]
    st.pills(
        "Also show",
        [_LABEL],
        selection_mode="multi",
        key=KEY,
        label_visibility="collapsed",
        on_change=_choose,
        args=(filters,),
        width="content",
    )


def _choose(filters: Filters) -> None:
    # Without the negated term too, which "put" leaves.
    others = Filters.parse(" ".join(part for part in filters.parts() if not part.startswith("-origin:")))
    url_state.put_filters(others.put(OriginTerm.name, *([ANY] if st.session_state[KEY] else [])))
