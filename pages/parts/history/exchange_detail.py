"""One exchange in detail: request and response, diagnosis, the rest of its flow, note and case."""

import streamlit as st

from oauth import ticket
from oauth.access import Action
from oauth.access.audit import Event
from oauth.catalogue.catalogues import reserved
from oauth.catalogue.explain import Explanation, explain
from oauth.diagnosis import diagnose
from oauth.exchange import Step
from oauth.history.deletion import delete_row
from oauth.history.filters import Filters
from oauth.history.past import HistoryPast
from oauth.history.store import History, HistoryError, Row
from oauth.installation import now
from pages.parts.common import card, clock, exchange, notices, session, shell
from pages.parts.common.permissions import may, needs
from pages.parts.history import comparison, listing, url_state

MOST_OF_A_FLOW = 50
"""Exchanges of the same flow that are listed, the newest."""

_PROBLEM = "history.one.wrong"
_SAVED = "history.one.saved"


def draw(number: int) -> None:
    """Draw the exchange of a row. Raises ``HistoryError``."""
    history = session.history()
    row = history.get(number)
    if row is None:
        session.note_missing_row(number)
        st.info(f"Row {number} does not exist in this history.")
        return
    shell.title(f"{listing.outcome(row)} {row.error}".strip(), f"row {number}")
    _headline(row)
    if row.damage:
        _damaged(row)
        return
    explanation = explain(row.exchange)
    if explanation is not None:
        diagnosis = diagnose(row.exchange, explanation, past=HistoryPast(history), zone=clock.tz())
        card.draw("history", row.exchange, explanation, diagnosis)
        if row.exchange.response or row.exchange.step is Step.CALLBACK:
            _document(number, explanation)
    exchange.draw("history", row.exchange, explanation)
    _labels(row)
    _flow(history, row)
    comparison.draw(history, row)


def _document(number: int, explanation: Explanation) -> None:
    """Draw the link to the form of your own catalogue, where no other has the error."""
    if not may(Action.CATALOGUES):
        return
    is_own = explanation.kind == "provider" and explanation.entry.partition("/")[0] not in reserved()
    if is_own or explanation.kind in ("registered", "answer"):
        st.page_link(
            "errors.py",
            label="Edit this error" if is_own else "Document this error",
            icon=":material/edit_note:",
            query_params={"document": str(number)},
            help="A catalogue of your own has its cause and remedy, and it is recognised from then on.",
        )


def _headline(row: Row) -> None:
    sent = row.exchange
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(f"Row {sent.id}", anchor=False)
        with st.container(horizontal=True, gap="small", width="content"):
            with st.popover("Link", icon=":material/link:", key="history.link"):
                st.caption("This exchange with the current filters.")
                st.code(url_state.link(), language=None, wrap_lines=True)
            st.button("Close", key="history.close", icon=":material/close:", on_click=url_state.open_row, args=(None,))
    facts = [
        f"{clock.on(sent.started_at)} ({clock.ago(sent.started_at, now())})",
        f"step {sent.step.value}",
        f"client {sent.client_id}" if sent.client_id else "",
        f"provider {sent.provider}" if sent.provider else "",
        f"flow {sent.flow}" if sent.flow else "",
        f"request id {sent.request_id}" if sent.request_id else "",
        f"by {sent.owner}" if sent.owner else "",
        session.names([sent.owner]).get(sent.owner, ""),
    ]
    st.text(" · ".join(fact for fact in facts if fact))


def _damaged(row: Row) -> None:
    """Draw what is wrong with a damaged row, what can be read of it, and a button to delete it."""
    notices.error(
        "This row is damaged. What can be read of it is below; the rest is left out of lists, charts and exports.",
        *row.damage,
    )
    exchange.draw("history", row.exchange, None)
    if not may(Action.DELETE):
        return
    with st.popover("Delete this row", icon=":material/delete:", key="history.one.delete.open"):
        st.text(f"Permanently delete row {row.exchange.id}, 1 exchange.")
        st.button("Delete 1", key="history.one.delete", on_click=_delete, args=(row.exchange.id,), type="primary")
    notices.pop_error(_PROBLEM, "Not deleted")


@needs(Action.DELETE)
def _delete(number: int) -> None:
    try:
        session.audit(Event.DELETION, f"row {number}")
        delete_row(session.history(), number)
    except HistoryError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    url_state.open_row(None)
    st.session_state["history.deleted"] = 1


def _flow(history: History, row: Row) -> None:
    st.markdown("**Flow, oldest first**")
    if not row.exchange.flow:
        st.caption("Not part of a flow: it was pasted, imported or sent alone.")
        return
    within = Filters(flow=row.exchange.flow)
    rows = history.page(within, None, MOST_OF_A_FLOW)[::-1]
    for other in rows:
        facts = [
            clock.at(other.exchange.started_at),
            other.exchange.step.value,
            listing.outcome(other),
            other.error,
            clock.took(other.exchange),
        ]
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            if other.exchange.id == row.exchange.id:
                st.caption(f"row {other.exchange.id}, open", width="content")
            else:
                st.button(
                    f"row {other.exchange.id}",
                    key=f"history.flow.{other.exchange.id}",
                    type="tertiary",
                    on_click=url_state.open_row,
                    args=(other.exchange.id,),
                )
            st.text("  ".join(fact for fact in facts if fact))
    with st.container(horizontal=True, gap="small"):
        st.button("Show this flow in the list", key="history.flow", on_click=url_state.put_filters, args=(within,))
        with st.popover("Copy for a ticket", icon=":material/content_copy:", key="history.ticket"):
            st.caption("The flow as Markdown, redacted.")
            st.code(ticket.flow_summary(rows), language=None)


def _labels(row: Row) -> None:
    st.markdown("**Note and case**")
    if not may(Action.ANNOTATE):
        st.text(" · ".join(filter(None, (row.exchange.case, row.note))) or "None")
        return
    if st.session_state.get("history.labelled") != row.exchange.id or "history.note" not in st.session_state:
        st.session_state["history.labelled"] = row.exchange.id
        st.session_state["history.note"] = row.note
        st.session_state["history.case"] = row.exchange.case
    with st.form("history.labels", border=False):
        st.text_area("Note", key="history.note", placeholder="findings for the next reader")
        st.text_input(
            "Case",
            key="history.case",
            placeholder="T-1234",
            help="The support ticket. Applies to the whole flow.",
        )
        st.form_submit_button("Save", key="history.labels.save", on_click=_save, args=(row,))
    notices.pop_error(_PROBLEM, "Not saved")
    if st.session_state.pop(_SAVED, None) == row.exchange.id:
        st.success("Saved")


@needs(Action.ANNOTATE)
def _save(row: Row) -> None:
    history, number = session.history(), row.exchange.id
    if number is None:
        return
    try:
        note, case = (session.redacted(st.session_state[f"history.{name}"].strip()) for name in ("note", "case"))
        if (note, case) != (row.note, row.exchange.case):
            session.audit(Event.ANNOTATION, f"row {number}", f"case {case}" if case else "")
        if note != row.note:
            history.set_note(number, note)
        if case != row.exchange.case:
            if row.exchange.flow:
                history.set_case(row.exchange.flow, case)
            else:
                history.set_row_case(number, case)
    except HistoryError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    st.session_state[_SAVED] = number
    st.session_state.pop("history.labelled", None)  # shows the saved texts, with secrets redacted
