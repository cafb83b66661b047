"""The editor of a request before it is sent: every field, then the same request as raw text and as cURL.

A secret is drawn as its placeholder, which is replaced by the real value when the request is sent: the page never
contains the value.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth import formatting
from oauth.errors import InputError
from oauth.exchange import Request, Step
from oauth.flow import Field
from oauth.installation import now
from pages.parts.common import clock, exchange, notices, widget_defaults
from pages.parts.common.markdown import escaped
from pages.parts.common.session import Session
from pages.parts.common.widget_defaults import keep
from pages.parts.walkthrough import prefill

Edited = tuple[Request, list[Field]] | None
"""A request as it would be sent, with its fields, or ``None`` if it is invalid."""

EXTRA = "Extra field"

TYPED_HIDDEN = ("client_secret", "password")
"""Fields whose value a person remembers and types; it is readable only while its eye is pressed."""


def edit(
    session: Session,
    action: str,
    fields: Sequence[Field],
    url: str,
    build: Callable[[str, list[Field]], Request],
    options: Callable[[], None] = lambda: None,
) -> Edited:
    """Draw the request of a step and return it as it would be sent, or ``None`` if it is invalid.

    ``build`` makes the request from its address and fields; ``options`` draws the step's own controls.
    """
    tabs = st.tabs(["Request", "Raw", "cURL"], key=f"{action}.request", on_change="rerun")
    with tabs[0]:
        typed = _input(session, f"{action}.url", url, "URL", "url", label_visibility="visible")
        _reset("Reset the URL", f"{action}.url")
        st.caption("Clear a checkbox to omit the field. You can change any value.")
        edited = [_field(session, action, item) for item in fields if _is_drawn(session, action, item)]
        edited += _extra_fields(session, action)
        options()
    try:
        request = build(session.vault.resolve(typed), edited)
    except InputError as error:
        with tabs[0]:
            notices.error("This request cannot be sent.", session.vault.redact_text(str(error)))
        return None
    preview = session.vault.redact(session.exchange(Step.TOKEN, request, now())).request
    # Only once they are opened: the script that colours code takes longer to load than the rest of the page.
    if tabs[1].open:
        tabs[1].code(formatting.raw_request(preview), language="http", wrap_lines=True)
    if tabs[2].open:
        with tabs[2]:
            exchange.draw_curl(preview)
    return request, edited


def address(session: Session, action: str, default: str) -> str:
    """Return the address of a request as it is now."""
    key = f"{action}.url"
    keep(key, default)
    return session.vault.resolve(st.session_state[key] or "")


def _is_drawn(session: Session, action: str, item: Field) -> bool:
    """Return True if a field is drawn: an optional one only if it is sent or all options are shown."""
    return not item.optional or session.options or bool(st.session_state.get(f"{action}.field.{item.name}.send"))


def _columns() -> list[DeltaGenerator]:
    return st.columns([5, 8, 7], vertical_alignment="center", gap="small")


def _field(session: Session, action: str, item: Field) -> Field:
    key = f"{action}.field.{item.name}"
    name_column, value_column, meaning_column = _columns()
    with name_column:
        keep(f"{key}.send", item.send)
        send = st.checkbox(f"`{item.name}`", key=f"{key}.send", persist_state="session")
    with value_column:
        redacted = session.vault.redact_value(item.name, item.value)
        value = _input(session, f"{key}.value", redacted, item.name, item.name)
    source = f"{item.source}{f' {clock.at(item.since)}' if item.since else ''}"
    _meaning(meaning_column, item.meaning, source, f"{key}.value", f"{key}.send")
    return replace(item, value=session.vault.resolve(value), send=send)


def _meaning(column: DeltaGenerator, meaning: str, source: str, *keys: str) -> None:
    """Draw the meaning of a field and the source of its value; a changed one is marked, and can be reset."""
    if not any(map(prefill.is_changed, keys)):
        column.caption(f"{escaped(meaning)} · {source}")
        return
    with column, st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.caption(f"{escaped(meaning)} · :primary[**changed**]", width="stretch")
        _reset("Reset", *keys)


def _reset(label: str, *keys: str) -> None:
    """Draw the button that gives a field its own value again, if the field was changed."""
    if any(map(prefill.is_changed, keys)):
        st.button(
            label,
            key=f"{keys[0].removesuffix('.value')}.reset",
            icon=":material/undo:",
            type="tertiary",
            on_click=_forget,
            args=keys,
        )


def _forget(*keys: str) -> None:
    for key in keys:
        widget_defaults.forget(key)


def _extra_fields(session: Session, action: str) -> list[Field]:
    count_key = f"{action}.extra"
    fields = []
    for number in range(1, st.session_state.setdefault(count_key, 0) + 1):
        key = f"{action}.extra.{number}"
        name_column, value_column, meaning_column = _columns()
        with name_column:
            name = _input(session, f"{key}.name", "", "Name of the extra field", "", placeholder="name")
        with value_column:
            value = _input(session, f"{key}.value", "", "Value of the extra field", name, placeholder="value")
        meaning_column.caption(EXTRA)
        fields.append(Field(name, session.vault.resolve(value), EXTRA, "entered here"))
    st.button(
        "Add a field",
        key=f"{action}.extra.add",
        icon=":material/add:",
        type="tertiary",
        on_click=_add_field,
        args=(count_key,),
    )
    return fields


def _add_field(count_key: str) -> None:
    st.session_state[count_key] += 1


def _input(
    session: Session,
    key: str,
    default: str,
    label: str,
    field: str,
    *,
    label_visibility: Literal["visible", "collapsed"] = "collapsed",
    placeholder: str = "",
) -> str:
    keep(key, default)
    # A typed secret goes into the vault, and its placeholder replaces it. This is done here and not in a callback,
    # because the name of the field may have been typed in the same run.
    st.session_state[key] = session.vault.conceal(field, st.session_state[key] or "")
    typed = st.text_input(
        label,
        key=key,
        type="password" if field in TYPED_HIDDEN else "default",
        label_visibility=label_visibility,
        placeholder=placeholder,
        persist_state="session",
    )
    return typed or ""
