"""The frame of every page: its title, the chips for what is unusual, and the words for a lost connection."""

from html import escape
from urllib.parse import urlsplit

import streamlit as st

from oauth.access import LOCAL, Action
from oauth.access.sign_in import SIGN_OUT, WHO
from oauth.formatting import span
from oauth.installation import current
from pages.parts.common import keyboard, sandboxes, session
from pages.parts.common.permissions import may

NAME = "OAuth Console"

LOST = (
    "Connection lost: the console does not answer. What you see is from before, and every countdown has stopped. "
    "Keep this tab open: it goes on by itself. After a restart of the server, the walkthrough goes on where it was, or "
    "says that it was lost."
)

ENDED = (
    "Your sign-in has ended. To continue here, sign in again in another tab. Reloading this tab also leads to the "
    "login, and starts the page again."
)

_GONE = "[data-testid=stApp][data-test-connection-state]:not([data-test-connection-state=CONNECTED])"

_STYLE = f"""
.stMainBlockContainer {{ padding-top: 4.5rem; padding-bottom: 4rem; }}
@media (max-width: 640px) {{ .stAppToolbar div:has(> .stMainMenu) {{ min-width: 0; }} }}
.stDataFrame [data-testid=stElementToolbar] {{ top: 0.2rem; right: 0.2rem; }}
[data-testid=stCaptionContainer] {{ color: inherit; opacity: 0.8; }}
.st-key-shell-person-ways a {{ color: inherit; }}
.stCode .token.token:is(.property, .attr-name, .header-name, .key) {{ color: light-dark(#0b6585, #6cc7e8); }}
.stCode .token.token:is(.string, .boolean, .inserted) {{ color: light-dark(#0a6b2d, #7fd99a); }}
.stCode .token.token.number {{ color: light-dark(#0f6a5d, #7ad9c8); }}
[kind=primary], [kind=primary]:hover {{ color: light-dark(#ffffff, #06231f); }}
.st-key-run-shown {{ display: none; }}
.st-key-shell-person {{ position: fixed; top: 0.55rem; right: 3.75rem; width: auto; z-index: 999991; }}
body:has({_GONE}) .stDialog {{ display: none; }}
{_GONE}::before {{
  content: "{LOST}"; position: fixed; z-index: 1000000; left: 0; right: 0; bottom: 0; padding: 0.75rem 1.25rem;
  background: #7a1f2b; color: #ffffff; font: 600 0.95rem/1.4 inherit; text-align: center;
}}
[data-signed-out] {_GONE}::before {{ content: "{ENDED}"; }}
"""
"""Streamlit leaves room for a toolbar that this console does not show, and lays that of a table over the buttons above
it. The words for a lost connection are drawn by the browser alone, since a server that is gone can draw nothing; they
replace a dialog that names ``streamlit run``. Streamlit's captions, the colours of its code and
the primary button of the dark theme have too little contrast (WCAG 2.2 §1.4.3)."""


def title(*facts: str) -> None:
    """Set the title of the browser's tab: the facts, and the console's name."""
    st.set_page_config(page_title=" · ".join([*filter(None, facts), NAME]))


def draw(page: str) -> None:
    """Draw the style of all pages, who is signed in, and a chip for everything that is unusual just now."""
    keyboard.draw(_STYLE)
    _person()
    chips = _history() + (_sandbox() if page != "Sandbox" and may(Action.SANDBOX) else [])
    if not chips:
        return
    with st.container(horizontal=True, gap="small", key="shell.unusual"):
        for label, icon, target, help_text in chips:
            st.page_link(target, label=f":orange-badge[{label}]", icon=f":material/{icon}:", help=help_text)


def _person() -> None:
    """Draw who is signed in, in the menu of the logo's row; nothing on a console without sign-in."""
    person = session.person()
    if person is LOCAL:
        return
    base = escape(urlsplit(current().settings.public_url).path)
    with st.popover("Signed in", icon=":material/account_circle:", key="shell.person"):
        st.text(person.name)
        st.caption(f"Role: {person.role.label}")
        leave = (
            f'<a href="{base}{SIGN_OUT}" target="_self">Sign out</a>' if current().settings.sign_in == "oidc" else ""
        )
        with st.container(key="shell.person.ways"):
            st.html(f'<a href="{base}{WHO}" target="_blank">Who am I?</a> &nbsp; {leave}')


def _history() -> list[tuple[str, str, str, str]]:
    current = session.get()
    if current is None or not current.recorder.problem:
        return []
    return [("History not kept", "history_toggle_off", "history.py", "The last exchange was not stored.")]


def _sandbox() -> list[tuple[str, str, str, str]]:
    """Return the chips of all sandboxes: a clock that was moved, and armed faults."""
    chips = []
    for _, sandbox in sandboxes.states():
        if ahead := sandbox.clock.offset.total_seconds():
            chips.append((f"Sandbox clock +{span(ahead)}", "more_time", "sandbox.py", "Set it back on its page."))
        if count := len(sandbox.faults.rules):
            label = f"{count} armed {'fault' if count == 1 else 'faults'}"
            chips.append((label, "bolt", "sandbox.py", "The sandbox answers with it on purpose. Remove it there."))
    return chips
