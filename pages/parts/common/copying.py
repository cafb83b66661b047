"""Buttons that copy a text at once: the copy button of a code block, with a label that says what it copies."""

import streamlit as st

_STYLE = """
.st-key-{name} [data-testid=stCode] {{ display: flex; align-items: center; gap: 0.5rem; background: none; }}
.st-key-{name} pre {{ {text} }}
.st-key-{name} [data-testid=stCode] > div,
.st-key-{name} [data-testid=stCode] > div > div {{
  position: static; opacity: 1; visibility: visible; transform: none; margin: 0; padding: 0; background: none;
  color: inherit;
}}
.st-key-{name} button {{
  width: auto; height: auto; padding: 0.35rem 0.75rem; gap: 0.4rem; color: inherit; opacity: 1; white-space: nowrap;
  border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 6px;
}}
.st-key-{name} button::after {{ content: "{label}"; font-size: 0.9rem; }}
"""


def draw(key: str, text: str, label: str, *, shown: bool = False) -> None:
    """Draw a button that copies a text, beside the text if it is ``shown``. ``label`` is plain words."""
    style = _STYLE.format(
        name=key.replace(".", "-"), label=label, text="flex: 1; min-width: 0;" if shown else "display: none;"
    )
    with st.container(key=key, width="stretch" if shown else "content"):
        st.html(f"<style>{style}</style>")
        st.code(text, language=None, wrap_lines=True)
