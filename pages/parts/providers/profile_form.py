"""The form of a profile of one's own: every field with its meaning, in groups, and what is wrong beneath the field."""

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth import connection_settings
from oauth.installation import current
from oauth.providers import Problem, ProfileError, Provider, addresses, custom, meaning_of
from oauth.providers.profile import CONNECTION
from oauth.providers.validation import SEPARATORS

Item = TypeVar("Item")

DRAFT = "providers.draft"
FIELD = "providers.field"
ROWS = "providers.rows"

GROUPS: dict[str, tuple[str, ...]] = {
    "Name and notes": ("name", "notes", "step_notes", "links"),
    "Addresses": tuple(name for name in addresses() if name != "api"),
    "Requests": (
        "scope",
        "scope_separator",
        "token_body",
        "client_authentication",
        "pkce",
        "response_mode",
        "dpop",
        "accepts_loopback",
    ),
    "API": ("api", "headers", "content_type_on_get", "endpoints"),
    "Lifetimes and limits": ("lifetimes", "request_limit"),
    "Connection": ("connection",),
}
"""Every field that a profile of one's own has, as they are drawn."""

TYPES = get_type_hints(Provider)

SPELLED = {"api": "API", "ca": "CA", "dpop": "DPoP", "jwks": "JWKS", "pkce": "PKCE", "uri": "URI", "url": "URL"}
"""Words of a field's name that are no common words."""


@dataclass
class Draft:
    """A profile that is being edited. ``id`` is empty until it is kept."""

    id: str
    before: Provider
    problems: tuple[Problem, ...] = ()

    def problem(self, field: str) -> str:
        """What is wrong with a field, an empty text when nothing is."""
        return next((item.text for item in self.problems if item.field == field), "")


def begin(found: Provider, identifier: str = "") -> None:
    """Open the form on a profile. Without ``identifier`` it becomes a new one when it is kept."""
    for key in [key for key in st.session_state if str(key).startswith((f"{FIELD}.", f"{ROWS}."))]:
        del st.session_state[key]
    st.session_state[DRAFT] = Draft(identifier, found)
    for name in (name for group in GROUPS.values() for name in group):
        _fill(f"{FIELD}.{name}", name, getattr(found, name))


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
    """Close the form; what was typed is forgotten."""
    st.session_state.pop(DRAFT, None)


def draw(draft: Draft) -> None:
    """Draw every field with what it holds now."""
    for title, names in GROUPS.items():
        with st.container(border=True, key=f"providers.group.{title.split()[0].lower()}"):
            st.subheader(title, anchor=False)
            plain = [name for name in names if get_origin(TYPES[name]) is not tuple and not _table(TYPES[name])]
            for place, name in in_columns(plain, 2):
                with place:
                    _one(draft, name, f"{FIELD}.{name}", TYPES[name], label(name), meaning_of(name))
            for name in names:
                if get_origin(TYPES[name]) is tuple:
                    _rows(draft, name, get_args(TYPES[name])[0])
                elif table := _table(TYPES[name]):
                    _nested(draft, name, table)


def in_columns(items: Sequence[Item], width: int) -> Iterator[tuple[DeltaGenerator, Item]]:
    """Each with its place, row by row: where the columns are stacked, the order stays."""
    for start in range(0, len(items), width):
        yield from zip(st.columns(width, gap="medium"), items[start : start + width], strict=False)


def _table(kind: Any) -> Any:
    """The table that a field is, also where it may be left out; ``None`` for any other field."""
    found = _bare(kind)
    return found if is_dataclass(found) else None


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) in (Union, types.UnionType) else kind


def _nested(draft: Draft, name: str, table: Any) -> None:
    st.caption(meaning_of(name))
    hints = get_type_hints(table)
    for place, item in in_columns(fields(table), 3):
        meaning = CONNECTION[item.name] if name == "connection" else str(item.metadata["meaning"])
        with place:
            _one(
                draft,
                f"{name}.{item.name}",
                f"{FIELD}.{name}.{item.name}",
                hints[item.name],
                label(item.name),
                meaning,
            )


def _rows(draft: Draft, name: str, table: Any) -> None:
    st.markdown(f"**{label(name)}**")
    st.caption(meaning_of(name))
    _wrong(draft, name)
    hints = get_type_hints(table)
    for number in range(1, st.session_state.setdefault(f"{ROWS}.{name}", 0) + 1):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            for item in fields(table):
                _one(
                    draft,
                    f"{name}[{number}].{item.name}",
                    f"{FIELD}.{name}.{number}.{item.name}",
                    hints[item.name],
                    label(item.name),
                    str(item.metadata["meaning"]),
                    told=False,
                )
            st.button(
                "Remove",
                key=f"{FIELD}.{name}.{number}.remove",
                icon=":material/close:",
                type="tertiary",
                on_click=_remove,
                args=(name, table, number),
            )
    st.button("Add", key=f"{FIELD}.{name}.add", icon=":material/add:", type="tertiary", on_click=_add, args=(name,))


def _one(draft: Draft, field: str, key: str, kind: Any, title: str, meaning: str, *, told: bool = True) -> None:
    kind = _bare(kind)
    if kind is bool:
        st.checkbox(title, key=key, persist_state="session")
    elif field == "scope_separator":
        st.selectbox(title, list(SEPARATORS), format_func=SEPARATORS.__getitem__, key=key, persist_state="session")
    elif isinstance(kind, type) and issubclass(kind, StrEnum):
        st.selectbox(title, list(kind), key=key, persist_state="session")
    elif field == "notes":
        st.text_area(title, key=key, height=100, persist_state="session")
    else:
        st.text_input(title, key=key, help=None if told else meaning, persist_state="session")
    if told:
        st.caption(meaning)
    _wrong(draft, field)


def label(name: str) -> str:
    """A field's name for people."""
    words = " ".join(SPELLED.get(word, word) for word in name.split("_"))
    return words[0].upper() + words[1:]


def _wrong(draft: Draft, field: str) -> None:
    if text := draft.problem(field):
        with st.container(horizontal=True, gap="xsmall", key=f"providers.wrong.{field}"):
            st.markdown(":red[:material/error:]", width="content")
            st.text(f"{field} {text}")


def _add(name: str) -> None:
    st.session_state[f"{ROWS}.{name}"] += 1


def _remove(name: str, table: Any, number: int) -> None:
    count = st.session_state[f"{ROWS}.{name}"]
    for item in fields(table):
        for place in range(number, count):
            _move(f"{FIELD}.{name}.{place + 1}.{item.name}", f"{FIELD}.{name}.{place}.{item.name}")
        st.session_state.pop(f"{FIELD}.{name}.{count}.{item.name}", None)
    st.session_state[f"{ROWS}.{name}"] = count - 1


def _move(source: str, target: str) -> None:
    if source in st.session_state:
        st.session_state[target] = st.session_state[source]
    else:
        st.session_state.pop(target, None)


def keep(taken: list[str]) -> str:
    """Check what the form holds and keep it; returns the id, or an empty text when something is wrong.

    What was typed stays in the form either way until it is kept.
    """
    draft: Draft = st.session_state[DRAFT]
    values = {
        name: value
        for name in (name for group in GROUPS.values() for name in group)
        if (value := _value(f"{FIELD}.{name}", name, TYPES[name])) is not None
    }
    identifier = draft.id or custom.new_id(str(values.get("name", "")), taken)
    try:
        found = custom.check(identifier, values, f"{identifier}.toml")
        if wrong := tuple(
            Problem(f"connection.{error.field}", str(error)) for error in connection_settings.problems(found.connection)
        ):
            raise ProfileError(f"{identifier}.toml", wrong)
        custom.write(current().settings.home, found)
    except ProfileError as error:
        st.session_state[DRAFT] = replace(draft, problems=error.problems)
        return ""
    end()
    return identifier


def _value(key: str, name: str, kind: Any) -> Any:
    """What a field holds, as its file would have it; ``None`` where nothing was given."""
    if get_origin(kind) is tuple:
        table = get_args(kind)[0]
        count = st.session_state.get(f"{ROWS}.{name}", 0)
        return [_members(f"{key}.{number}", table) for number in range(1, count + 1)]
    if table := _table(kind):
        members = _members(key, table)
        return members if members or kind is table else None
    held = st.session_state.get(key)
    bare = _bare(kind)
    if isinstance(held, StrEnum):
        return held.value
    if not isinstance(held, str):
        return held
    text = held if name in ("scope_separator", "notes") else held.strip()
    if bare is str:
        return text
    return _number(text, bare) if text else None


def _members(key: str, table: Any) -> Mapping[str, Any]:
    hints = get_type_hints(table)
    found = {item.name: _value(f"{key}.{item.name}", item.name, hints[item.name]) for item in fields(table)}
    return {name: value for name, value in found.items() if value is not None}


def _number(text: str, kind: Any) -> Any:
    """A number, or the text as it is, which the check then calls by its field."""
    try:
        return kind(text)
    except ValueError:
        return text
