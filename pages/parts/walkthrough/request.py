"""A request before it is sent: every field editable, then the same request as raw text and as cURL.

A secret is drawn as its placeholder. What is typed around or instead of it is put back together when it is sent, so the
real value never enters the page.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from oauth import formatting
from oauth.errors import InputError
from oauth.exchange import Request
from oauth.flow import Field
from pages.parts.common import clock
from pages.parts.common.session import Session
from pages.parts.common.widget_defaults import keep

Edited = tuple[Request, list[Field]] | None
"""A request as it would be sent, with its fields, or ``None`` where it cannot be."""

EXTRA = "Sent besides the fields above"


def edit(
    session: Session,
    action: str,
    fields: Sequence[Field],
    url: str,
    build: Callable[[str, list[Field]], Request],
    options: Callable[[], None] = lambda: None,
) -> Edited:
    """Draw the request of a step and return it as it would be sent, or ``None`` where it cannot be.

    ``build`` makes the request from its address and fields; ``options`` draws the step's own switches.
    """
    tabs = st.tabs(["Request", "Raw", "cURL"], key=f"{action}.request")
    with tabs[0]:
        address = _remembered(session, f"{action}.url", url, "Address", "url")
        st.caption("Untick a field to leave it out. A value can be changed before it is sent.")
        sent = [_row(session, action, item) for item in fields if _is_drawn(session, action, item)]
        sent += _extra(session, action)
        options()
    try:
        request = build(session.vault.resolve(address), sent)
    except InputError as error:
        with tabs[0]:
            st.error("This request cannot be sent.")
            st.text(session.vault.redact_text(str(error)))
        return None
    preview = session.preview(request)
    tabs[1].code(formatting.raw_request(preview), language="http", wrap_lines=True)
    tabs[2].code(formatting.curl(preview), language="bash", wrap_lines=True)
    return request, sent


def address(session: Session, action: str, default: str) -> str:
    """Where a request goes, as its address stands now."""
    key = f"{action}.url"
    keep(key, default)
    return session.vault.resolve(st.session_state[key] or "")


def _is_drawn(session: Session, action: str, item: Field) -> bool:
    """Whether a field is drawn: one that few requests need only when it is asked for, or sent."""
    return not item.optional or session.options or bool(st.session_state.get(f"{action}.field.{item.name}.send"))


def _row(session: Session, action: str, item: Field) -> Field:
    key = f"{action}.field.{item.name}"
    columns = st.columns([5, 8, 7], vertical_alignment="center", gap="small")
    with columns[0]:
        keep(f"{key}.send", item.send)
        send = st.checkbox(f"`{item.name}`", key=f"{key}.send", persist_state="session")
    with columns[1]:
        shown = session.vault.redact_value(item.name, item.value)
        value = _remembered(session, f"{key}.value", shown, item.name, item.name, hidden=True)
    columns[2].caption(f"{item.meaning} · {item.source}{f' {clock.at(item.since)}' if item.since else ''}")
    return replace(item, value=session.vault.resolve(value), send=send)


def _extra(session: Session, action: str) -> list[Field]:
    count_key = f"{action}.extra"
    count = st.session_state.setdefault(count_key, 0)
    found = []
    for number in range(1, count + 1):
        key = f"{action}.extra.{number}"
        columns = st.columns([5, 8, 7], vertical_alignment="center", gap="small")
        with columns[0]:
            name = _remembered(
                session, f"{key}.name", "", "Name of the extra field", "", hidden=True, placeholder="name"
            )
        with columns[1]:
            value = _remembered(session, f"{key}.value", "", "Its value", name, hidden=True, placeholder="value")
        columns[2].caption(EXTRA)
        found.append(Field(name, session.vault.resolve(value), EXTRA, "you"))
    st.button(
        "Add a field",
        key=f"{action}.extra.add",
        icon=":material/add:",
        type="tertiary",
        on_click=_add,
        args=(count_key,),
    )
    return found


def _add(count_key: str) -> None:
    st.session_state[count_key] += 1


def _remembered(
    session: Session, key: str, value: str, label: str, name: str, *, hidden: bool = False, placeholder: str = ""
) -> str:
    keep(key, value)
    # A secret that was typed goes into the vault, and its placeholder stays. Done here and not when it is typed: what
    # the field is called may have been typed in the same breath.
    st.session_state[key] = session.vault.conceal(name, st.session_state[key] or "")
    typed = st.text_input(
        label,
        key=key,
        label_visibility="collapsed" if hidden else "visible",
        placeholder=placeholder,
        persist_state="session",
    )
    return typed or ""
