"""The Errors page: the eleven documented errors, searchable and linkable, with drills that produce them."""

from collections.abc import Sequence

import streamlit as st

from oauth.catalogue import documented
from oauth.catalogue.entries import DocumentedError
from oauth.drills import Drill, drills
from pages.parts.common import provider
from pages.parts.errors import drill, editor


def page() -> None:
    """Draw the list of errors, with the one from the URL opened."""
    st.title("Documented errors", anchor=False)
    if editor.is_open():
        editor.draw()
        return
    st.write("The partner API's responses to failed authorization, with causes and remedies.")
    with st.container(horizontal=True, width=640):
        selected = provider.choose(
            "errors", "Drills run against", [item for item in provider.known().values() if item.token_endpoint]
        )
    setting = drill.setting(selected)
    search = st.text_input(
        "Search",
        key="q",
        placeholder="Number, code, or a word of the text or remedy",
        icon=":material/search:",
        type="search",
        live=True,
        bind="query-params",
    )
    drill.run_all(setting)
    matches = [error for error in documented().values() if _matches(error, search or "")]
    opened = st.query_params.get("error", "")
    if not matches:
        st.info("No errors match this search. Clear it to see all eleven.")
    for error in matches:
        ours = [item for item in drills() if item.number == error.number]
        _entry(error, ours, setting, opened=opened == str(error.number) or len(matches) == 1)
    siblings = [item for item in drills() if item.number is None]
    with st.expander("Errors without a number", key="errors.siblings", icon=":material/more_horiz:"):
        st.write("Other responses to the same requests.")
        drill.draw(siblings, setting)
    editor.draw()


def _matches(error: DocumentedError, search: str) -> bool:
    words = search.casefold().split()
    text = " ".join(
        [str(error.number), error.title, error.error, error.description, error.cause, *error.remedy]
    ).casefold()
    return all(word in text for word in words)


def _entry(error: DocumentedError, ours: Sequence[Drill], setting: drill.Setting, *, opened: bool) -> None:
    label = f"**{error.number}** · {error.title}{drill.mark(ours)}"
    with st.expander(label, expanded=opened, key=f"errors.{error.number}"):
        with st.container(horizontal=True, gap="small"):
            if error.status:
                st.badge(f"HTTP {error.status}", color="red")
            if error.error:
                st.badge(error.error.replace("_", r"\_"), color="gray")
            st.badge(f"{error.endpoint} endpoint", color="gray")
        left, right = st.columns(2, gap="medium")
        left.markdown("**Cause**")
        left.write(error.cause)
        left.markdown("**Documented remedy**")
        left.markdown("\n".join(f"- {line}" for line in error.remedy))
        right.markdown("**Documented response**")
        right.code(error.example.strip(), language="json", wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            query = {"error": str(error.number)}
            st.page_link("errors.py", label="Link to this error", icon=":material/link:", query_params=query)
            st.page_link("history.py", label="Show in history", icon=":material/history:", query_params=query)
        st.markdown("**Drills: produce this error on purpose**")
        drill.draw(ours, setting)


page()
