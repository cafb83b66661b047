"""The eleven documented errors, searchable, each with its own address, and drills that produce each on purpose."""

from collections.abc import Sequence

import streamlit as st

from oauth.catalogue import documented
from oauth.catalogue.entries import DocumentedError
from oauth.drills import Drill, drills
from pages.parts.common import provider
from pages.parts.errors import drill


def page() -> None:
    """Draw the list, or the one error that the address names."""
    st.title("Documented errors", anchor=False)
    st.write("What the partner API answers when authorization fails, why, and what to do.")
    with st.container(horizontal=True, width=640):
        chosen = provider.choose(
            "errors", "Drills run against", [item for item in provider.known().values() if item.token_endpoint]
        )
    setting = drill.setting(chosen)
    wanted = st.text_input(
        "Search",
        key="q",
        placeholder="a number, a code, a word of the text or of the remedy",
        icon=":material/search:",
        type="search",
        live=True,
        bind="query-params",
    )
    drill.run_all(setting)
    found = [error for error in documented().values() if _matches(error, wanted or "")]
    opened = st.query_params.get("error", "")
    if not found:
        st.info("None of the eleven errors has this in it. Clear the search to see them all.")
    for error in found:
        ours = [item for item in drills() if item.number == error.number]
        _entry(error, ours, setting, opened=opened == str(error.number) or len(found) == 1)
    siblings = [item for item in drills() if item.number is None]
    with st.expander("Errors that carry no number", key="errors.siblings", icon=":material/more_horiz:"):
        st.write("What the same requests are answered with besides the eleven.")
        drill.draw(siblings, setting)


def _matches(error: DocumentedError, wanted: str) -> bool:
    words = wanted.casefold().split()
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
        with left:
            st.markdown("**Cause**")
            st.write(error.cause)
            st.markdown("**Documented remedy**")
            st.markdown("\n".join(f"- {line}" for line in error.remedy))
        with right:
            st.markdown("**Documented answer**")
            st.code(error.example.strip(), language="json", wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            st.page_link(
                "errors.py",
                label="Link to this error",
                icon=":material/link:",
                query_params={"error": str(error.number)},
            )
            st.page_link(
                "history.py",
                label="Where it happened",
                icon=":material/history:",
                query_params={"error": str(error.number)},
            )
        st.markdown("**Drills: produce it on purpose**")
        drill.draw(ours, setting)


page()
