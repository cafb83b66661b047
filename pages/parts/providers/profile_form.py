"""The form of a custom profile: every field with its meaning, in groups, and its error beneath it."""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth import connection_settings
from oauth.access import Action
from oauth.access.audit import Event
from oauth.history.store import HistoryError
from oauth.installation import current
from oauth.providers import Problem, ProfileError, Provider, addresses, custom, meaning_of
from oauth.providers.profile import CONNECTION
from oauth.providers.validation import SEPARATORS
from pages.parts.common import notices, session
from pages.parts.common.permissions import needs

Item = TypeVar("Item")

DRAFT = "providers.draft"
FIELD = "providers.field"
ROWS = "providers.rows"

GROUPS: dict[str, tuple[str, ...]] = {
    "Name and notes": ("name", "notes", "catalogue", "step_notes", "links"),
    "Addresses": tuple(name for name in addresses() if name != "api"),
    "Requests": (
        "scope",
        "scope_separator",
        "resource",
        "token_body",
        "client_authentication",
        "public_clients",
        "pkce",
        "response_mode",
        "dpop",
        "accepts_loopback",
    ),
    "API": ("api", "api_key_header", "headers", "content_type_on_get", "endpoints"),
    "Lifetimes and limits": ("lifetimes", "request_limit"),
    "Connection": ("connection",),
}
"""Every field of a custom profile, in the order of the form."""

NAMES = tuple(name for group in GROUPS.values() for name in group)

TYPES = get_type_hints(Provider)

SPELLINGS = {"api": "API", "ca": "CA", "dpop": "DPoP", "jwks": "JWKS", "pkce": "PKCE", "uri": "URI", "url": "URL"}
"""Spellings of acronyms in the name of a field."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A profile being edited. ``id`` is empty until it is saved.

    ``refused`` is true after *Save* found a problem; ``problems`` are those that only *Save* looks for.
    """

    id: str
    refused: bool = False
    problems: tuple[Problem, ...] = ()


@needs(Action.PROFILES)
def begin(profile: Provider, identifier: str = "") -> None:
    """Open the form with a profile. Without ``identifier`` it is saved as a new one."""
    for key in [key for key in st.session_state if str(key).startswith((f"{FIELD}.", f"{ROWS}."))]:
        del st.session_state[key]
    st.session_state[DRAFT] = Draft(identifier)
    for name in NAMES:
        _fill(f"{FIELD}.{name}", name, getattr(profile, name))


def _fill(key: str, name: str, value: Any) -> None:
    if isinstance(value, tuple):
        st.session_state[f"{ROWS}.{name}"] = len(value)
        for number, row in enumerate(value, 1):
            _fill(f"{key}.{number}", name, row)
    elif is_dataclass(value):
        for item in fields(value):
            _fill(f"{key}.{item.name}", name, getattr(value, item.name))
    elif isinstance(value, bool | StrEnum):
        st.session_state[key] = value
    elif value is not None:
        st.session_state[key] = f"{value:g}" if isinstance(value, float) else str(value)


def end() -> None:
    """Close the form and discard what was typed."""
    st.session_state.pop(DRAFT, None)


def draw(draft: Draft) -> None:
    """Draw every field with its current value and its problem, as it is typed, in a tab for each group."""
    values = _values()
    all_problems = [*_problems(draft, values), *draft.problems]
    with st.container(key="providers.refused"):  # always there, so that the tabs below keep their place
        if all_problems and draft.refused:
            notices.error(
                f"Nothing was saved. Fields to correct: {len(all_problems)}.",
                *(f"{_path(item.field)}: {item.text}" for item in all_problems),
            )
    # Before the first press of Save a name that was not typed yet is no mistake.
    problems = {
        item.field: item.text for item in all_problems if draft.refused or item.field != "name" or values.get("name")
    }
    for tab, (title, names) in zip(st.tabs(list(GROUPS), key="providers.group"), GROUPS.items(), strict=True):
        with tab, st.container(key=f"providers.group.{title.split()[0].lower()}"):
            simple = [name for name in names if get_origin(TYPES[name]) is not tuple and not _table(TYPES[name])]
            for place, name in in_columns(simple, 2):
                with place:
                    _input(problems, name, f"{FIELD}.{name}", TYPES[name], meaning_of(name))
            for name in names:
                if get_origin(TYPES[name]) is tuple:
                    _rows(problems, name, get_args(TYPES[name])[0])
                elif table := _table(TYPES[name]):
                    _nested(problems, name, table)


def _problems(draft: Draft, values: Mapping[str, Any]) -> Sequence[Problem]:
    """Return the problems of what was typed so far, without those that need the history."""
    try:
        profile = custom.check(draft.id or "draft", values, "draft")
    except ProfileError as error:
        return error.problems
    return [
        Problem(f"connection.{error.field}", str(error))
        for error in connection_settings.problems(profile.connection, current().settings.policy.certificates)
    ]


def _path(field: str) -> str:
    """Return the tab and the labels that lead to a field."""
    first = field.partition(".")[0].partition("[")[0]
    tab = next((title for title, names in GROUPS.items() if first in names), "")
    names = (part.partition("[") for part in field.split("."))
    labels = [label(name) + (f" {number.rstrip(']')}" if number else "") for name, _, number in names]
    return " › ".join(part for part in (tab, *labels) if part)


def in_columns(items: Sequence[Item], width: int) -> Iterator[tuple[DeltaGenerator, Item]]:
    """Yield each item with its column, row by row, so that the order stays when a narrow page stacks the columns."""
    for start in range(0, len(items), width):
        yield from zip(st.columns(width, gap="medium"), items[start : start + width], strict=False)


def _table(kind: Any) -> Any:
    """Return the dataclass of a field that is a table, optional or not; ``None`` for any other field."""
    required = _without_none(kind)
    return required if is_dataclass(required) else None


def _without_none(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) in (Union, types.UnionType) else kind


def _nested(problems: Mapping[str, str], name: str, table: Any) -> None:
    st.caption(meaning_of(name))
    hints = get_type_hints(table)
    for place, item in in_columns(fields(table), 3):
        meaning = CONNECTION[item.name] if name == "connection" else str(item.metadata["meaning"])
        with place:
            _input(problems, f"{name}.{item.name}", f"{FIELD}.{name}.{item.name}", hints[item.name], meaning)


def _rows(problems: Mapping[str, str], name: str, table: Any) -> None:
    st.markdown(f"**{label(name)}**")
    st.caption(meaning_of(name))
    _error(problems, name)
    hints = get_type_hints(table)
    for number in range(1, st.session_state.setdefault(f"{ROWS}.{name}", 0) + 1):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            for item in fields(table):
                key = f"{FIELD}.{name}.{number}.{item.name}"
                meaning = str(item.metadata["meaning"])
                _input(problems, f"{name}[{number}].{item.name}", key, hints[item.name], meaning, compact=True)
            st.button(
                "Remove",
                key=f"{FIELD}.{name}.{number}.remove",
                icon=":material/close:",
                type="tertiary",
                on_click=_remove,
                args=(name, table, number),
            )
    st.button("Add", key=f"{FIELD}.{name}.add", icon=":material/add:", type="tertiary", on_click=_add, args=(name,))


def _input(
    problems: Mapping[str, str], field: str, key: str, kind: Any, meaning: str, *, compact: bool = False
) -> None:
    """Draw one field with its meaning beneath, or as a tooltip if ``compact``, and its error."""
    kind, title = _without_none(kind), label(field.rpartition(".")[2])
    if kind is bool:
        st.checkbox(title, key=key, persist_state="session")
    elif field == "scope_separator":
        st.selectbox(title, list(SEPARATORS), format_func=SEPARATORS.__getitem__, key=key, persist_state="session")
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        st.selectbox(title, list(kind), key=key, persist_state="session")
    elif field == "notes":
        st.text_area(title, key=key, height=100, persist_state="session")
    else:
        st.text_input(title, key=key, help=meaning if compact else None, persist_state="session")
    if not compact:
        st.caption(meaning)
    _error(problems, field)


def label(name: str) -> str:
    """Return the label of a field."""
    words = " ".join(SPELLINGS.get(word, word) for word in name.split("_"))
    return words[0].upper() + words[1:]


def _error(problems: Mapping[str, str], field: str) -> None:
    if text := problems.get(field):
        with st.container(key=f"providers.wrong.{field}"):
            notices.line(":red[:material/error:]", f"{label(field.rpartition('.')[2])} {text}")


def _add(name: str) -> None:
    st.session_state[f"{ROWS}.{name}"] += 1


def _remove(name: str, table: Any, number: int) -> None:
    count = st.session_state[f"{ROWS}.{name}"]
    for item in fields(table):
        keys = [f"{FIELD}.{name}.{row}.{item.name}" for row in range(1, count + 1)]
        values = [st.session_state.pop(key, None) for key in keys]
        del values[number - 1]
        st.session_state.update({key: value for key, value in zip(keys, values, strict=False) if value is not None})
    st.session_state[f"{ROWS}.{name}"] = count - 1


def _values() -> dict[str, Any]:
    """Return what was typed, as in a TOML file."""
    return {name: value for name in NAMES if (value := _value(f"{FIELD}.{name}", name, TYPES[name])) is not None}


def save(used_ids: list[str]) -> str:
    """Validate the form and save the profile; return its id, or an empty string if a field is invalid.

    An invalid form stays open with what was typed.
    """
    draft: Draft = st.session_state[DRAFT]
    values = _values()
    refused = Draft(draft.id, refused=True)
    st.session_state[DRAFT] = refused
    if _problems(draft, values):
        return ""
    identifier = draft.id or custom.new_id(str(values.get("name", "")), used_ids)
    try:
        profile = custom.check(identifier, values, f"{identifier}.toml")
        if problems := tuple(_known_secrets(values)):
            raise ProfileError(f"{identifier}.toml", problems)
        session.audit(Event.PROFILE, identifier, "saved")
        custom.write(current().settings.home, profile)
    except ProfileError as error:
        st.session_state[DRAFT] = replace(refused, problems=error.problems)
        return ""
    except HistoryError as error:
        st.session_state[DRAFT] = replace(refused, problems=(Problem("name", f"was not saved. {error}"),))
        return ""
    end()
    return identifier


def _known_secrets(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the fields with a secret that this session or the history knows. Raises ``HistoryError``."""
    for name, value in values.items():
        if any(session.redacted(text) != text for text in _texts(value)):
            yield Problem(name, f"has a secret in it that the console has seen. {custom.REMEDY}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | Sequence):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _value(key: str, name: str, kind: Any) -> Any:
    """Return the value of a field as in a TOML file; ``None`` for an empty one that is not a string."""
    if get_origin(kind) is tuple:
        table = get_args(kind)[0]
        count = st.session_state.get(f"{ROWS}.{name}", 0)
        return [_table_values(f"{key}.{number}", table) for number in range(1, count + 1)]
    if table := _table(kind):
        values = _table_values(key, table)
        return values if values or kind is table else None
    value = st.session_state.get(key)
    kind = _without_none(kind)
    if isinstance(value, StrEnum):
        return value.value
    if not isinstance(value, str):
        return value
    text = value if name in ("scope_separator", "notes") else value.strip()
    if kind is str:
        return text
    return _number(text, kind) if text else None


def _table_values(key: str, table: Any) -> Mapping[str, Any]:
    hints = get_type_hints(table)
    values = {item.name: _value(f"{key}.{item.name}", item.name, hints[item.name]) for item in fields(table)}
    return {name: value for name, value in values.items() if value is not None}


def _number(text: str, kind: Any) -> Any:
    """Return a number, or the text itself, which validation then reports for its field."""
    try:
        return kind(text)
    except ValueError:
        return text
