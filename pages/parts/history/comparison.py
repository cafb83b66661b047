"""The open exchange compared with another one, by default the last successful one."""

import streamlit as st

from oauth.history.compare import Verdict, compare, last_success
from oauth.history.store import History, Row
from pages.parts.common import table
from pages.parts.history import listing, url_state

_SIGNS = {
    Verdict.SAME: "same",
    Verdict.DIFFERENT: "differs",
    Verdict.ONLY_LEFT: "only here",
    Verdict.ONLY_RIGHT: "only there",
}


def draw(history: History, row: Row) -> None:
    """Draw the selection of the other exchange and, once it is selected, the fields that differ."""
    st.markdown("**Compare**")
    other_number = url_state.number(url_state.WITH)
    success = last_success(history, row)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if success is not None:
            st.button(
                f"Compare with the last success, row {success.exchange.id}",
                key="history.compare.success",
                icon=":material/compare_arrows:",
                on_click=url_state.put,
                args=(url_state.WITH, success.exchange.id),
            )
        st.session_state["history.compare.row"] = other_number
        st.number_input(
            "Compare with row",
            min_value=1,
            step=1,
            value=None,
            key="history.compare.row",
            placeholder="row number",
            on_change=_chosen,
            width=220,
        )
    if success is None:
        st.caption("No other exchange of this step, client and provider succeeded. Enter any row number to compare.")
    if other_number is None:
        return
    other = history.get(other_number)
    if other is None:
        st.info(f"Row {other_number} does not exist in this history.")
        return
    _table(row, other)


def _chosen() -> None:
    url_state.put(url_state.WITH, st.session_state["history.compare.row"])


def _table(row: Row, other: Row) -> None:
    fields = compare(row.exchange, other.exchange)
    different = [field for field in fields if field.verdict is not Verdict.SAME]
    shows_all = st.toggle("Show identical fields", key="history.compare.all")
    # What differs comes first.
    rows = different + [field for field in fields if shows_all and field.verdict is Verdict.SAME]
    count = f"{len(different)} of {len(fields)} fields differ" if different else "nothing differs"
    names = [f"row {one.exchange.id} ({listing.outcome(one)})" for one in (row, other)]
    st.text(f"{' and '.join(names).capitalize()}: {count}")
    if not rows:
        return
    here, there = f"row {row.exchange.id}", f"row {other.exchange.id}"
    table.draw(
        "history.compare.table",
        {
            "where": (115, [field.place for field in rows]),
            "field": (150, [field.name for field in rows]),
            "": (80, [_SIGNS[field.verdict] for field in rows]),
            here: (330, [field.left for field in rows]),
            there: (330, [field.right for field in rows]),
            "remark": (220, [field.remark for field in rows]),
        },
        600,
    )
