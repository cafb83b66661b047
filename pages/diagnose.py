"""Diagnose pasted text: which error it is, why it came, and what to do."""

import streamlit as st

from oauth.access import Action
from oauth.addresses import split
from oauth.diagnosis.pasted import LOOK_BACK, Finding
from oauth.diagnosis.rank import Rank
from oauth.diagnosis.story import page_name
from oauth.exchange import Step
from oauth.history.store import HistoryError
from oauth.paste import Pasted
from oauth.replay import Replay
from pages.parts.common import card, exchange, notices, session, uploads
from pages.parts.common.markdown import escaped, plain
from pages.parts.common.permissions import may, needs
from pages.parts.diagnose import marks, pasted
from pages.parts.diagnose.pasted import Reading

EXAMPLE = """POST https://provider.example/api/open/oauth/token
Content-Type: application/json

{"grant_type": "authorization_code", "client_id": "…"}

HTTP/1.1 400 Bad Request

{"error": "invalid_request", "error_description": "Missing parameter: \\"code\\" is required"}"""

_STYLE = """
@media (max-width: 640px) {
  [class*=st-key-diagnose-source-] { max-height: 14rem; overflow: auto; }
  .stHorizontalBlock:has(> .stColumn [class*=st-key-diagnose-source-]) { flex-wrap: wrap-reverse; }
}
"""
"""On a phone, where the columns stand one below the other, the verdict is above the text that was read."""

PER_PAGE = 20
"""Exchanges drawn at once; a longer paste is paged."""

LOOKED_FOR = """Looked for:

- HTTP requests and responses, also as curl, wget, a browser, a proxy or a HAR shows them
- addresses of an authorization request or a callback
- error responses in JSON, a form or XML, also inside a log line, an exception or another text
- error codes such as `invalid_grant`, and the messages of providers and client libraries

Paste the server's response itself, with its status, or the log line that quotes it."""

LONGEST_PATH = 60
"""Characters of a path in the list."""

MOST_PARTS = 200
"""Files and background calls that are listed."""

EXAMPLE_LABELS = {
    "curl": ("curl and its response", "terminal"),
    "log": ("Log line", "receipt_long"),
    "callback": ("Callback address", "link"),
}
"""Labels and icons of the examples."""

ICONS = {
    Rank.ERROR: ":material/error:",
    Rank.STATUS: ":material/error:",
    Rank.REMARK: ":material/info:",
    Rank.REQUEST: ":material/upload:",
    Rank.HEALTHY: ":material/check_circle:",
    Rank.PART: ":material/draft:",
    Rank.NOTHING: ":material/help:",
}
"""Icons of the exchanges in the list."""


def page() -> None:
    """Draw the text on the left, and what it says on the right."""
    st.title("Diagnose", anchor=False)
    st.html(f"<style>{_STYLE}</style>")
    pasted.clear_field()
    left, right = st.columns([2, 3], gap="large")
    with left:
        _input()
        waiting = st.container()
    with waiting:
        pasted.read_waiting()
    reading = pasted.current()
    with right, st.container(key="diagnose.verdict"):
        if problem := st.session_state.get(pasted.PROBLEM):
            _problem(problem)
        elif reading is None:
            _examples()
        else:
            positions = _reading(reading)
            with left, st.container(key=f"diagnose.source.{reading.number}"):
                # Of its own, or the last one's scroll stays.
                _source(reading, positions)


def _input() -> None:
    """Draw the field and the ways to fill it."""
    is_first = pasted.current() is None
    st.caption(
        "A response, a request, a curl command, its output, a browser's fetch call, a HAR, a callback address or a log "
        "line. Nothing leaves this machine, and secrets are replaced by fingerprints before anything is saved."
    )
    st.text_area(
        "Text to diagnose",
        key=pasted.TEXT,
        height=260 if is_first else 130,
        placeholder=EXAMPLE if is_first else "Paste another text",
        on_change=pasted.forget_last,
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            "Diagnose", key="diagnose.read", type="primary", icon=":material/troubleshoot:", on_click=pasted.read_text
        )
        st.toggle(
            "Use the history as evidence",
            key="diagnose.history",
            help="When off, evidence comes from the pasted text alone.",
            persist_state="session",
        )
    uploads.say_misdirected()
    st.file_uploader("Or upload a file", key=pasted.upload_key(), max_upload_size=50, on_change=pasted.read_file)
    if pasted.BEFORE_EXAMPLE in st.session_state:
        st.button("Restore your text", key="diagnose.restore", icon=":material/undo:", on_click=pasted.restore)


def _problem(problem: str) -> None:
    if st.session_state.get(pasted.NOTHING):
        _nothing(problem)
        return
    with st.container(border=True, key="diagnose.problem"):
        notices.error("The text could not be read, and nothing was saved.", problem)


def _nothing(understood: str) -> None:
    """Say what was understood of a text in which nothing was recognised, and what was looked for."""
    with st.container(border=True, key="diagnose.nothing"):
        st.warning("Nothing was recognised in the text, and nothing was saved.", icon=":material/search_off:")
        st.text(understood)
        st.markdown(LOOKED_FOR)
        _examples()


def _examples() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="diagnose.examples"):
        st.caption("Try an example:", width="content")
        for name, (label, icon) in EXAMPLE_LABELS.items():
            st.button(
                label,
                key=f"diagnose.example.{name}",
                icon=f":material/{icon}:",
                on_click=pasted.read_example,
                args=(pasted.EXAMPLES[name],),
            )


def _reading(reading: Reading) -> list[int]:
    """Draw the exchanges of a text, the likeliest error first and open; return the positions of those on this page."""
    count = len(reading.order)
    failed = sum(rank <= Rank.REMARK for _, rank in reading.order)
    if all(rank is Rank.NOTHING for _, rank in reading.order):
        _nothing(f"Understood as {reading.source}, without a request, a response or an error in it.")
    first, ranked = 0, reading.shown
    if len(ranked) > PER_PAGE:
        first = (st.pagination(-(-len(ranked) // PER_PAGE), key="diagnose.page") - 1) * PER_PAGE
    rows = ranked[first : first + PER_PAGE]
    positions = [position for position, _ in rows]
    if max(positions, default=0) > LOOK_BACK:
        st.caption(f"Evidence comes from the {LOOK_BACK:,} exchanges before each.")
    with_history = bool(st.session_state.get("diagnose.history"))
    findings = reading.findings(positions, with_history=with_history) if positions else []
    summary = f"{_number(count, 'exchange')}, read as {reading.source}"
    if count > 1:
        summary += f" · {_number(failed, 'failure')}{', the likeliest first' if failed > 1 else ''}"
    st.text(summary)
    if (line := reading.line_stopped_at) is not None:
        st.warning(
            f"Reading stopped at line {line:,} after {pasted.SECONDS:.0f} seconds. What was read until then is below. "
            "To read on, cut the text off before that line and diagnose the rest."
        )
    _logins(reading)
    is_open = first == 0
    for finding, (_, rank) in zip(findings, rows, strict=True):
        if count == 1 or (failed == 1 and rank <= Rank.REMARK):
            _finding(reading, finding)
        else:
            with st.expander(
                _label(reading, finding),
                expanded=is_open and failed != 1,
                icon=ICONS[rank],
                key=f"diagnose.{finding.position + 1}.details",
            ):
                _finding(reading, finding)
        is_open = False
    _parts(reading)
    _saving(reading)
    return positions


def _saving(reading: Reading) -> None:
    """Draw the ticket of the text and the button that saves it, or say where it was saved."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.text_input("Case", key="diagnose.case", placeholder="ticket number", width=200, persist_state="session")
        st.button(
            "Save to history",
            key="diagnose.save",
            icon=":material/save:",
            on_click=_save,
            args=(reading,),
        )
    if reading.saved:
        numbers = ", ".join(map(str, reading.saved[:10])) + (" …" if len(reading.saved) > 10 else "")
        st.success(f"Saved as rows {numbers}.")


def _logins(reading: Reading) -> None:
    """Draw a line for each login, with its steps in their order."""
    for login in reading.logins:
        steps = [f":red[{step} failed]" if step == login.failed else step for step in login.steps]
        st.markdown(f"One login: {' → '.join(steps)}")


def _parts(reading: Reading) -> None:
    """List what the pages loaded, a line each."""
    if not reading.parts:
        return
    label = f"{_number(len(reading.parts), 'file')} and background calls of the pages, not judged"
    with st.expander(label, icon=":material/draft:", key="diagnose.parts"):
        lines = [_part(reading, position) for position in reading.parts[:MOST_PARTS]]
        more = len(reading.parts) - len(lines)
        st.code("\n".join([*lines, *([f"and {more:,} more"] if more else [])]), language=None, wrap_lines=True)


def _part(reading: Reading, position: int) -> str:
    row = reading.paste.redacted(position)
    return (
        f"{position + 1:>4}  {row.response.status if row.response else '---'}  {row.request.method} {row.request.url}"
    )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else f"No {noun}"


def _label(reading: Reading, finding: Finding) -> str:
    """Return the line of an exchange in the list. It is Markdown, so the server's words are reduced to plain ones."""
    item, explanation = reading.paste.items[finding.position], finding.explanation
    kind = "request" if item.response is None and item.step is not Step.CALLBACK else "response"
    facts = [
        f"**{finding.position + 1}**",
        escaped(explanation.title) if explanation else _healthy_name(item, kind),
        f"HTTP {item.status}" if item.status else "",
        plain(explanation.error) if explanation else "",
        _target(finding),
    ]
    return " · ".join(filter(None, facts))


def _target(finding: Finding) -> str:
    """Return the method and path of a redacted request as Markdown code, of letters, digits and a few signs."""
    request = finding.exchange.request
    path = "".join(sign for sign in split(request.url).path if sign.isalnum() or sign in "/-_.")
    return f"`{request.method} {path[:LONGEST_PATH]}`" if request.method.isalpha() and path else ""


def _healthy_name(item: Pasted, kind: str) -> str:
    return page_name(item) if item.step is Step.PAGE else f"{item.step or ''} {kind}".strip().capitalize()


def _source(reading: Reading, positions: list[int]) -> None:
    """Draw the pasted text with the numbers of the exchanges, and say what was not read of it."""
    st.markdown("**The text, and what was read from it**")
    text = reading.marked(positions)
    is_long = sum(len(line) // 55 + 1 for line in text.split("\n")) > 28
    st.code(text, language="diff", wrap_lines=True, height=560 if is_long else "content")
    unread, lines = reading.unread
    facts = [":material/check: Read whole: nothing is cut off."]
    if reading.line_stopped_at is not None:
        facts = [f":orange[:material/content_cut:] Read up to line {reading.line_stopped_at:,}."]
    if reading.cut:
        numbers = ", ".join(str(position + 1) for position in reading.cut[:10])
        facts = [f":orange[:material/content_cut:] Cut off in exchange {numbers}: a part of it is missing."]
    facts.append(
        f":material/help: Lines without a number were not understood: {unread:,} of {lines:,}."
        if unread
        else ":material/check: Every line belongs to an exchange."
    )
    with st.container(gap="xxsmall"):
        for fact in facts:
            st.markdown(fact)
        for repair, numbers in reading.repairs(positions).items():
            notices.line(":orange[:material/build:]", f"Parsed after repair: {repair}{numbers}")
    part = " Where only a part of a line was read, `▶ ◀` stand around it." if marks.BEGIN in text else ""
    st.caption(f"The number before a line is that of the exchange.{part}")


def _finding(reading: Reading, finding: Finding) -> None:
    position = finding.position
    key = f"diagnose.{position + 1}"
    if finding.explanation is not None:
        card.draw(key, finding.exchange, finding.explanation, finding.diagnosis)
    elif finding.preflight is not None:
        with st.container(border=True, key=f"{key}.preflight"):
            st.markdown("**Request without a response**")
            st.text("If it were sent now, it would fail:" if finding.preflight else "No problems found")
            card.causes(finding.preflight)
    exchange.draw(key, finding.exchange, finding.explanation)
    if not may(Action.SEND) or not reading.can_open(position):
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


@needs(Action.DIAGNOSE)
def _save(reading: Reading) -> None:
    case = (st.session_state.get("diagnose.case") or "").strip()
    try:
        reading.save(case, session.owner())
    except HistoryError as error:
        st.session_state[pasted.PROBLEM] = str(error)


page()
