"""Every exchange of every session: filters, the table, one exchange, and the download."""

import pandas as pd
import streamlit as st

from oauth.catalogue import documented
from oauth.catalogue.explain import explain
from oauth.diagnosis import HistoryPast, diagnose
from oauth.exchange import Step
from oauth.formatting import duration
from oauth.history.filters import FilterError, Filters
from oauth.history.store import History, HistoryError, Row
from oauth.installation import current, now
from oauth.routes.downloads import signed_link
from pages.parts import card, clock, exchange, session

PAGE = 50
LINK_RENEWED = 30
STATUSES = {
    "2xx": "2xx success",
    "3xx": "3xx redirect",
    "4xx": "4xx client error",
    "5xx": "5xx server error",
    "failed": "no response",
    "none": "no answer recorded",
}
BEFORE = "before"
ROW = "row"


def page() -> None:
    """Draw the history."""
    st.title("History", anchor=False)
    history = current().history
    try:
        filters = _filters()
        count = history.count(filters)
        rows = history.page(filters, _number(BEFORE), PAGE)
    except (FilterError, HistoryError) as error:
        st.error("The history cannot be shown.")
        st.text(str(error))
        return
    for notice in history.notices:
        st.warning("The history was repaired when the console started.")
        st.text(notice)
    if count == 0:
        empty = filters == Filters()
        st.info(
            "Nothing is kept yet. Walk through the flow, and every request and answer stands here."
            if empty
            else "No exchange fits these filters. Clear one of them to see more."
        )
        if empty:
            st.page_link("walkthrough.py", label="Open the walkthrough", icon=":material/footprint:")
        return
    _download(filters, count)
    _table(rows)
    _pager(rows)
    opened = _number(ROW)
    if opened is not None:
        _one(history, opened)
    else:
        st.caption("Pick a row to open the exchange.")


def _filters() -> Filters:
    """Draw the filters. Each stands in the address too, so that a link is a saved filter. Raises ``FilterError``."""
    numbers = {str(number): f"{number} · {entry.title}" for number, entry in documented().items()}
    columns = st.columns([2, 2, 4, 4])
    with columns[0]:
        step = _choice("Step", {step.value: step.value for step in Step}, "step")
    with columns[1]:
        status = _choice("Status", STATUSES, "status")
    with columns[2]:
        error = _choice("Error", numbers, "error")
    with columns[3]:
        key = _from_address("text")
        text = st.text_input(
            "Text",
            key=key,
            type="search",
            icon=":material/search:",
            placeholder="part of a URL, body, case or client",
            on_change=_to_address,
            args=("text",),
        )
    return Filters(step=step, status=status, error=error, text=text or "", flow=st.query_params.get("flow", ""))


def _choice(label: str, options: dict[str, str], name: str) -> str:
    key = _from_address(name)
    # An address may name what the list does not offer, such as one exact status.
    named = st.session_state[key]
    offered = list(options) + ([named] if named and named not in options else [])
    chosen = st.selectbox(
        label,
        offered,
        index=None,
        format_func=lambda value: options.get(value, value),
        placeholder="any",
        key=key,
        on_change=_to_address,
        args=(name,),
    )
    return chosen or ""


def _from_address(name: str) -> str:
    key = f"history.filter.{name}"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(name)
    return key


def _to_address(name: str) -> None:
    value = st.session_state[f"history.filter.{name}"]
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
    _from_the_newest()


def _from_the_newest() -> None:
    for name in (BEFORE, ROW):
        st.query_params.pop(name, None)


def _number(name: str) -> int | None:
    value = st.query_params.get(name, "")
    return int(value) if value.isascii() and value.isdigit() else None


@st.fragment(run_every=LINK_RENEWED)
def _download(filters: Filters, count: int) -> None:
    """The download's link lives a minute, so it is made again while the page is open."""
    exchanges = "exchange" if count == 1 else "exchanges"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.text(f"{count:,} {exchanges}, newest first")
        st.link_button(
            f"Download {count:,} as CSV",
            f"{session.origin()}{signed_link(current().settings, filters, now())}",
            key="history.download",
            icon=":material/download:",
        )


def _table(rows: list[Row]) -> None:
    frame = pd.DataFrame(
        {
            "row": [row.exchange.id for row in rows],
            "time": pd.to_datetime([row.exchange.started_at for row in rows], utc=True),
            "step": [row.exchange.step.value for row in rows],
            "method": [row.exchange.request.method for row in rows],
            "URL": [row.exchange.request.url for row in rows],
            "status": [_outcome(row) for row in rows],
            "took": [
                duration(row.exchange.duration_ms) if row.exchange.duration_ms is not None else "" for row in rows
            ],
            "error": [_error(row) for row in rows],
            "case": [row.exchange.case for row in rows],
        }
    )
    st.dataframe(
        frame,
        key="history.table",
        hide_index=True,
        height=min(440, 40 + 32 * len(rows)),
        row_height=32,
        on_select=_open,
        selection_mode="single-row",
        column_config={
            "row": st.column_config.NumberColumn(width=70, format="%d"),
            "time": st.column_config.DatetimeColumn(width=170, format="YYYY-MM-DD HH:mm:ss", timezone=clock.zone()),
            "step": st.column_config.TextColumn(width=90),
            "method": st.column_config.TextColumn(width=70),
            "URL": st.column_config.TextColumn(width="large"),
            "status": st.column_config.TextColumn(width=110),
            "took": st.column_config.TextColumn(width=70),
            "error": st.column_config.TextColumn(width="medium"),
            "case": st.column_config.TextColumn(width=90),
        },
    )
    st.session_state["history.rows"] = [row.exchange.id for row in rows]


def _open() -> None:
    chosen = st.session_state["history.table"]["selection"]["rows"]
    if chosen:
        st.query_params[ROW] = str(st.session_state["history.rows"][chosen[0]])
    else:
        st.query_params.pop(ROW, None)


def _outcome(row: Row) -> str:
    if row.exchange.response is not None:
        return str(row.exchange.response.status)
    return "no response" if row.exchange.failure is not None else "no answer"


def _error(row: Row) -> str:
    if row.documented_error is not None:
        return f"{row.documented_error} · {documented()[row.documented_error].title}"
    return row.error or (row.exchange.failure.kind if row.exchange.failure else "")


def _pager(rows: list[Row]) -> None:
    with st.container(horizontal=True, gap="small"):
        if _number(BEFORE) is not None:
            st.button("Newest", key="history.newest", icon=":material/first_page:", on_click=_from_the_newest)
        if len(rows) == PAGE:
            st.button(
                "Older",
                key="history.older",
                icon=":material/chevron_right:",
                on_click=_older,
                args=(rows[-1].exchange.id,),
            )


def _older(before: int) -> None:
    st.query_params.pop(ROW, None)
    st.query_params[BEFORE] = str(before)


def _one(history: History, number: int) -> None:
    row = history.get(number)
    if row is None:
        st.info(f"There is no row {number} in this history.")
        return
    st.subheader(f"Row {number}", anchor=False)
    st.caption(
        " · ".join(
            part
            for part in (
                clock.on(row.exchange.started_at),
                f"step {row.exchange.step.value}",
                f"flow {row.exchange.flow}" if row.exchange.flow else "",
                f"request id {row.exchange.request_id}" if row.exchange.request_id else "",
            )
            if part
        )
    )
    explanation = explain(row.exchange)
    exchange.draw("history", row.exchange, explanation)
    if explanation is not None:
        diagnosis = diagnose(row.exchange, explanation, past=HistoryPast(history), zone=clock.tz())
        card.draw("history", row.exchange, explanation, diagnosis)


page()
