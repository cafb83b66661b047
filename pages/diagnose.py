"""Paste what a customer sent, and read which error it is, why, and what to do."""

import streamlit as st

from oauth.history.store import HistoryError
from oauth.replay import Replay
from pages.parts.common import card, exchange, session
from pages.parts.diagnose import pasted
from pages.parts.diagnose.pasted import WINDOW, Drawn, Reading

EXAMPLE = """POST https://provider.example/api/open/oauth/token
Content-Type: application/json

{"grant_type": "authorization_code", "client_id": "…"}

HTTP/1.1 400 Bad Request

{"error": "invalid_request", "error_description": "Missing parameter: \\"code\\" is required"}"""

AT_ONCE = 20
"""Exchanges that are drawn; a longer paste is paged."""


def page() -> None:
    """Draw the page."""
    st.title("Diagnose", anchor=False)
    st.write(
        "Paste an answer, a request, a curl command, its output, a browser's fetch call, a HAR, a callback address "
        "or a log line. Nothing leaves this machine, and secrets are replaced by fingerprints before anything is kept."
    )
    st.text_area("What was sent or what came back", key="diagnose.text", height=220, placeholder=EXAMPLE)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.button("Diagnose it", key="diagnose.read", type="primary", icon=":material/troubleshoot:", on_click=_read)
        st.toggle(
            "Look into the history too",
            key="diagnose.history",
            help="Off, the evidence comes from the paste alone.",
            persist_state="session",
        )
    st.file_uploader("Or drop a file", key=pasted.upload_key(), max_upload_size=50, on_change=_read_file)
    if problem := st.session_state.get(pasted.PROBLEM):
        with st.container(border=True, key="diagnose.problem"):
            st.error("This could not be read. Nothing of it was kept.")
            st.text(problem)
    found = pasted.current()
    if found is not None:
        _found(found)


def _read() -> None:
    text = st.session_state["diagnose.text"] or ""
    if not text.strip() and pasted.current() is not None:
        return  # a dropped file is read at once: who presses the button then has what they want
    # What was pasted may hold secrets: the field is emptied once it was read.
    if pasted.take(text):
        st.session_state["diagnose.text"] = ""


def _read_file() -> None:
    dropped = st.session_state[pasted.upload_key()]
    if dropped is not None:
        pasted.take_file(dropped.getvalue())


def _found(found: Reading) -> None:
    count = len(found.exchanges)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.text(f"{count:,} {'exchange' if count == 1 else 'exchanges'}, read as {found.source}")
        st.text_input("Case", key="diagnose.case", placeholder="ticket number", width=200, persist_state="session")
        st.button("Save to the history", key="diagnose.save", icon=":material/save:", on_click=_save, args=(found,))
    if found.saved:
        st.caption(f"Saved as rows {', '.join(map(str, found.saved[:10]))}{' …' if len(found.saved) > 10 else ''}.")
    first = 0
    if count > AT_ONCE:
        pages = -(-count // AT_ONCE)
        first = (st.pagination(pages, key="diagnose.page") - 1) * AT_ONCE
    if first > WINDOW:
        st.caption(f"Of this paste, the {WINDOW:,} exchanges before these are looked at for evidence.")
    for drawn in found.drawn(first, AT_ONCE, with_history=bool(st.session_state.get("diagnose.history"))):
        _one(found, drawn)


def _one(found: Reading, drawn: Drawn) -> None:
    position, shown = drawn.position, drawn.shown
    key = f"diagnose.{position + 1}"
    for repair in found.pasted[position].repairs:
        with st.container(horizontal=True, gap="small"):
            st.markdown(":orange[:material/build:]", width="content")
            st.text(f"Repaired to be read: {repair}")
    exchange.draw(key, shown.exchange, shown.explanation)
    if shown.explanation is not None:
        card.draw(key, shown.exchange, shown.explanation, shown.diagnosis)
    elif (causes := drawn.before_sending) is not None:
        with st.container(border=True, key=f"{key}.preflight"):
            st.markdown("**A request without an answer**")
            st.text("What would fail if it were sent now:" if causes else "Nothing in it speaks against it.")
            card.causes(causes)
    if not found.can_open(position):
        return
    with st.container(horizontal=True, gap="small"):
        opened = st.button("Open in the walkthrough", key=f"{key}.open", icon=":material/footprint:")
        pressed = st.button(
            "Replay at the sandbox",
            key=f"{key}.replay",
            icon=":material/replay:",
            help="The same request with what only exists there replaced. Nothing goes to the address that was pasted.",
        )
    if opened:
        found.open_in_walkthrough(position)
        st.switch_page("walkthrough.py")
    if pressed:
        with st.spinner("Replaying at the sandbox", show_time=True):
            found.replay(position, shown.explanation)
    if (replayed := found.replayed.get(position)) is not None:
        _replayed(key, replayed)


def _replayed(key: str, replayed: Replay) -> None:
    with st.container(border=True, key=f"{key}.replayed"):
        if replayed.sent:
            same = ":green[:material/check:] **The sandbox answers the same**"
            other = ":red[:material/close:] **The sandbox answers something else**"
            st.markdown(same if replayed.same else other)
        for line in (*replayed.changed, *filter(None, [replayed.trouble])):
            st.text(line)
        if replayed.sent:
            exchange.draw(f"{key}.replayed", replayed.sent[-1], replayed.explanation)


def _save(found: Reading) -> None:
    case = (st.session_state.get("diagnose.case") or "").strip()
    try:
        found.save(case, session.owner())
    except HistoryError as error:
        st.session_state[pasted.PROBLEM] = str(error)


page()
