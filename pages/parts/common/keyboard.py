"""The keyboard: where the focus goes when something new is drawn, and the shortcuts, which ``?`` lists.

Streamlit moves no focus, and its buttons' own shortcuts clash where several steps have a *Send*. One script does both,
runs the page again when a lost connection is back, and marks it with ``data-signed-out`` when the connection is gone
because the sign-in has ended.
Its text is a constant, so that the Content Security Policy can name its hash; what changes is in attributes beside it.
"""

from html import escape
from pathlib import Path

import streamlit as st

SCRIPT = f"<script>{Path(__file__).with_suffix('.js').read_text(encoding='utf-8')}</script>"
"""The script with its tags, whose hash the policy of the pages admits."""

SHORTCUTS = {
    "Ctrl Enter": "Send the request that is open, or read the pasted text",
    "/": "Search, or go to the field to paste into",
    "y": "Copy the error report, or else the first token",
    "?": "Show or hide this list",
}

_SINGLE = '<label><input type="checkbox" checked> Use the keys without Ctrl, in this browser</label>'
"""Whoever dictates, or hits keys unawares, can switch single keys off (WCAG 2.2 §2.1.4)."""

_STYLE = """
.shortcuts { position: fixed; right: 1rem; bottom: 1rem; z-index: 100; text-align: right; }
.shortcuts > summary {
  display: inline-block; width: 1.8rem; height: 1.8rem; line-height: 1.7rem; border-radius: 50%; cursor: pointer;
  text-align: center; list-style: none; background: light-dark(#ffffff, #161e25);
  border: 1px solid light-dark(#6b7680, #7c8993);
}
.shortcuts > div {
  position: absolute; right: 0; bottom: 2.3rem; width: max-content; max-width: 90vw; padding: 0.8rem 1rem;
  text-align: left; background: light-dark(#ffffff, #161e25); border-radius: 6px;
  border: 1px solid light-dark(#dfe3e8, #2a343d); box-shadow: 0 4px 16px rgb(0 0 0 / 15%);
}
.shortcuts table { border-collapse: collapse; margin: 0; }
.shortcuts td { padding: 0.2rem 0.6rem 0.2rem 0; border: 0; }
.shortcuts kbd { font-size: 0.85rem; padding: 0.1rem 0.35rem; white-space: nowrap; }
[data-testid=stElementContainer]:has(.shortcuts) { position: absolute; }
[data-focused]:focus { outline: none; }
@media (hover: none) { .shortcuts { display: none; } }
"""


def draw(style: str) -> None:
    """Draw the list of shortcuts, folded, and start to listen for them; ``style`` is drawn with it, as one element."""
    rows = "".join(
        f"<tr><td><kbd>{escape(keys)}</kbd></td><td>{escape(text)}</td></tr>" for keys, text in SHORTCUTS.items()
    )
    st.html(
        f'<style>{style}{_STYLE}</style><details class="shortcuts"><summary aria-label="Keyboard shortcuts">?</summary>'
        f"<div><table>{rows}</table>{_SINGLE}</div></details><span hidden></span>{SCRIPT}",
        unsafe_allow_javascript=True,
    )


def focus(key: str, moment: str) -> None:
    """Bring the container with a key into view and give it the focus, once for each ``moment``."""
    name = "st-key-" + key.replace(".", "-")
    with st.container(key=f"{key}.focus"):
        st.html(
            f'<span hidden data-target="{escape(name)}" data-moment="{escape(moment)}"></span>{SCRIPT}',
            unsafe_allow_javascript=True,
        )
