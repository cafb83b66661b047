"""Diagnose pasted text: which error it is, why it came, and what to do."""

import streamlit as st

from oauth.diagnosis.pasted import LOOK_BACK, Finding
from oauth.history.store import HistoryError
from oauth.replay import Replay
from pages.parts.common import card, exchange, session
from pages.parts.diagnose import pasted
from pages.parts.diagnose.pasted import Reading

EXAMPLE = """POST https://provider.example/api/open/oauth/token
Content-Type: application/json

{"grant_type": "authorization_code", "client_id": "…"}

HTTP/1.1 400 Bad Request

{"error": "invalid_request", "error_description": "Missing parameter: \\"code\\" is required"}"""

PER_PAGE = 20
"""Exchanges drawn at once; a longer paste is paged."""


def page() -> None:
    """Draw the page."""
    st.title("Diagnose", anchor=False)
    st.write(
        "Paste a response, a request, a curl command, its output, a browser's fetch call, a HAR, a callback address "
        "or a log line. Nothing leaves this machine, and secrets are replaced by fingerprints before anything is saved."
    )
    pasted.clear_field()
    st.text_area("Text to diagnose", key=pasted.TEXT, height=220, placeholder=EXAMPLE)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.button(
            "Diagnose", key="diagnose.read", type="primary", icon=":material/troubleshoot:", on_click=pasted.read_text
        )
        st.toggle(
            "Use the history as evidence",
            key="diagnose.history",
            help="When off, evidence comes from the pasted text alone.",
            persist_state="session",
        )
    st.file_uploader("Or upload a file", key=pasted.upload_key(), max_upload_size=50, on_change=pasted.read_file)
    pasted.read_waiting()
    if problem := st.session_state.get(pasted.PROBLEM):
        with st.container(border=True, key="diagnose.problem"):
            st.error("The text could not be read, and nothing was saved.")
            st.text(problem)
    reading = pasted.current()
    if reading is not None:
        _reading(reading)


def _reading(reading: Reading) -> None:
    count = len(reading.paste.items)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.text(f"{count:,} {'exchange' if count == 1 else 'exchanges'}, read as {reading.source}")
        st.text_input("Case", key="diagnose.case", placeholder="ticket number", width=200, persist_state="session")
        st.button("Save to history", key="diagnose.save", icon=":material/save:", on_click=_save, args=(reading,))
    if reading.saved:
        st.caption(f"Saved as rows {', '.join(map(str, reading.saved[:10]))}{' …' if len(reading.saved) > 10 else ''}.")
    first = 0
    if count > PER_PAGE:
        pages = -(-count // PER_PAGE)
        first = (st.pagination(pages, key="diagnose.page") - 1) * PER_PAGE
    if first > LOOK_BACK:
        st.caption(f"Evidence comes from these exchanges and the {LOOK_BACK:,} before them.")
    for finding in reading.findings(first, PER_PAGE, with_history=bool(st.session_state.get("diagnose.history"))):
        _finding(reading, finding)


def _finding(reading: Reading, finding: Finding) -> None:
    position = finding.position
    key = f"diagnose.{position + 1}"
    for repair in reading.paste.items[position].repairs:
        with st.container(horizontal=True, gap="small"):
            st.markdown(":orange[:material/build:]", width="content")
            st.text(f"Parsed after repair: {repair}")
    exchange.draw(key, finding.exchange, finding.explanation)
    if finding.explanation is not None:
        card.draw(key, finding.exchange, finding.explanation, finding.diagnosis)
    elif finding.preflight is not None:
        with st.container(border=True, key=f"{key}.preflight"):
            st.markdown("**Request without a response**")
            st.text("If it were sent now, it would fail:" if finding.preflight else "No problems found")
            card.causes(finding.preflight)
    if not reading.can_open(position):
        return
    with st.container(horizontal=True, gap="small"):
        is_opened = st.button("Open in the walkthrough", key=f"{key}.open", icon=":material/footprint:")
        is_replayed = st.button(
            "Replay at the sandbox",
            key=f"{key}.replay",
            icon=":material/replay:",
            help="Sends the same request with values that the sandbox knows. Nothing goes to the pasted address.",
        )
    if is_opened:
        reading.open_in_walkthrough(position)
        st.switch_page("walkthrough.py")
    if is_replayed:
        with st.spinner("Replaying at the sandbox", show_time=True):
            reading.replay(position, finding.explanation)
    if (replayed := reading.replayed.get(position)) is not None:
        _replayed(key, replayed)


def _replayed(key: str, replayed: Replay) -> None:
    with st.container(border=True, key=f"{key}.replayed"):
        if replayed.exchanges:
            same = ":green[:material/check:] **Same result at the sandbox**"
            different = ":red[:material/close:] **Different result at the sandbox**"
            st.markdown(same if replayed.same else different)
        for line in (*replayed.changes, *filter(None, [replayed.trouble])):
            st.text(line)
        if replayed.exchanges:
            exchange.draw(f"{key}.replayed", replayed.exchanges[-1], replayed.explanation)


def _save(reading: Reading) -> None:
    case = (st.session_state.get("diagnose.case") or "").strip()
    try:
        reading.save(case, session.owner())
    except HistoryError as error:
        st.session_state[pasted.PROBLEM] = str(error)


page()
