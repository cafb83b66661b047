"""The Errors page: a reference for any provider, with drills that produce errors.

A list and one open entry: what is drawn does not grow with the number of entries.
"""

from collections.abc import Sequence

import streamlit as st

from oauth.access import Action
from oauth.catalogue import reference
from oauth.catalogue.catalogues import PARTNER
from oauth.catalogue.reference import Article, Section
from oauth.history.store import HistoryError
from pages.parts.common import notices, provider, session, table
from pages.parts.common.permissions import may
from pages.parts.errors import detail, drill, editor, own_catalogues

LONGEST_SEARCH = 1000
"""Characters of a search."""

HEIGHT = 520
"""Largest height of the list in pixels."""

MOST_WIDTH = 230
"""Largest width of the column with the ids in pixels."""

_ADDRESS = "errors.address"
"""Key in the session state of the search in the address that was put into the field."""

_ROWS = "errors.rows"
"""Key in the session state of the ids of the listed entries."""


def page() -> None:
    """Draw the list of a catalogue or of a search, and the open entry."""
    st.title("Documented errors", anchor=False)
    if editor.form():
        return
    sections = {section.id: section for section in reference.sections()}
    entry = _entry_in_address()
    article = reference.find(entry) if entry else None
    chosen, query = _controls(sections, article)
    hits = _hits(query, chosen.id)
    if article is None and len(hits) == 1:
        article = hits[0]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _list(hits, article, chosen, query)
        setting = _drills(hits if article is None else [*hits, article])
    with right:
        if article is not None:
            detail.draw(article, setting if article.entry in drill.by_entry() else None)
            editor.offer(article.entry)
        elif entry:
            st.info("No catalogue of this console has the entry in the address. Search for its number or its words.")
            st.text(entry[:LONGEST_SEARCH])
        elif hits:
            st.caption("Select an error to see its cause, its remedy and how often this history has seen it.")
    if may(Action.CATALOGUES):
        own_catalogues.draw()


def _entry_in_address() -> str:
    """Return the id of the entry that the address opens; the partner's numbers have an address of their own."""
    number = st.query_params.get("error", "")
    return st.query_params.get("entry", "") or (f"{PARTNER}/{number}" if number else "")


def _controls(sections: dict[str, Section], article: Article | None) -> tuple[Section, str]:
    """Draw the choice of a catalogue and the search; return both."""
    walkthrough = session.get()
    usual = walkthrough.flow.provider.catalogue if walkthrough is not None else ""
    candidates = (article.section if article else "", st.query_params.get("catalogue", ""), usual, PARTNER)
    first = next(id for id in candidates if id in sections)
    st.session_state["errors.catalogue"] = first
    ids = dict.fromkeys((*filter(sections.get, (usual,)), PARTNER, *sections))
    with st.container(horizontal=True, gap="medium"):
        st.selectbox(
            "Catalogue",
            list(ids),
            format_func=lambda id: sections[id].name + (" (your own)" if sections[id].is_own else ""),
            key="errors.catalogue",
            on_change=_choose,
            width=320,
        )
        searched = st.query_params.get("q", "")[:LONGEST_SEARCH]
        if "q" not in st.session_state or st.session_state.get(_ADDRESS) != searched:
            st.session_state["q"] = st.session_state[_ADDRESS] = searched
        query = st.text_input(
            "Search all catalogues",
            key="q",
            placeholder="Number, code, or words of the message, cause or remedy",
            icon=":material/search:",
            type="search",
            max_chars=LONGEST_SEARCH,
            live=True,
            on_change=_search,
        )
    return sections[first], (query or "").strip()


def _choose() -> None:
    st.query_params.clear()
    st.query_params["catalogue"] = st.session_state["errors.catalogue"]


def _search() -> None:
    """Put the search into the address, without the secrets of a response that was pasted."""
    text = str(st.session_state["q"] or "")
    try:
        safe = session.redacted(text)
    except HistoryError:  # the history says which words are secrets
        return
    if safe != text:
        st.session_state["q"] = safe
    st.session_state[_ADDRESS] = safe
    for name in ("entry", "error"):
        st.query_params.pop(name, None)
    if safe:
        st.query_params["q"] = safe
    else:
        st.query_params.pop("q", None)


def _hits(query: str, section: str) -> Sequence[Article]:
    if not query:
        return reference.articles(section)
    return reference.search(query, section) or reference.recognised(query)


def _list(hits: Sequence[Article], article: Article | None, section: Section, query: str) -> None:
    if section.problem and not query:
        notices.warning("This catalogue is not used", section.problem)
    elif not hits:
        st.info("No errors match this search. Use fewer words, or clear it to see a whole catalogue.")
    else:
        st.session_state[_ROWS] = [hit.entry for hit in hits]
        selected = [index for index, hit in enumerate(hits) if article is not None and hit.entry == article.entry]
        entries = [hit.entry if query else hit.short_id for hit in hits]
        columns: dict[str, tuple[object, list[str]]] = {
            "entry": (min(MOST_WIDTH, 30 + 7 * max(map(len, entries))), entries),
            "drills": (90, [drill.mark(drill.by_entry().get(hit.entry, ())) for hit in hits]),
            "error": (None, [hit.title for hit in hits]),
        }
        if query or not any(columns["drills"][1]) or not may(Action.DRILL):
            del columns["drills"]
        table.draw("errors.list", columns, HEIGHT, _open, selected)
        st.caption(f"{len(hits)} {'error' if len(hits) == 1 else 'errors'}" + (" in all catalogues" if query else ""))


def _open() -> None:
    line = table.selected_line("errors.list")
    st.query_params.pop("error", None)
    if line is None:
        st.query_params.pop("entry", None)
    else:
        st.query_params["entry"] = st.session_state[_ROWS][line]


def _drills(articles: Sequence[Article]) -> drill.Setting | None:
    """Draw what all drills have in common, where an entry has any; return their setting."""
    apis = {item.catalogue for article in articles for item in drill.by_entry().get(article.entry, ())}
    if not apis or not may(Action.DRILL):
        return None
    profiles = [item for item in provider.known().values() if item.token_endpoint]
    with st.container(border=True, gap="small", key="errors.drills"):
        profile = provider.choose(
            "errors", "Drills run against", [item for item in profiles if (item.catalogue or PARTNER) in apis]
        )
        setting = drill.setting(profile)
        drill.run_all(setting)
    return setting


page()
