"""The form on the Errors page that documents one error of an API in a catalogue of your own."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, get_args

import streamlit as st

from oauth import paste
from oauth.access import Action
from oauth.access.audit import Event
from oauth.catalogue import CatalogueError, catalogues, drafting, editing, registered
from oauth.catalogue.entries import Endpoint
from oauth.catalogue.explain import explain
from oauth.catalogue.provider_errors import Catalogue, ProviderError
from oauth.exchange import Exchange
from oauth.history.store import HistoryError
from oauth.installation import current, now
from oauth.providers import Problem
from pages.parts.common import notices, session
from pages.parts.common.clock import on as day_and_time
from pages.parts.common.permissions import may, needs, who_may
from pages.parts.providers.profile_form import in_columns

DRAFT = "errors.document.draft"
FIELD = "errors.document.field"
HEAD = "errors.document.head"
SUCCESS = "errors.document.said"
ERROR = "errors.document.refused"
DOCUMENT = "document"
"""The URL parameter with the row of the history whose error is documented."""

LIST = "errors.document"
"""Key of the expander with the list, and in the session state whether it is open."""

NEW = ""
"""The choice of a catalogue that does not exist yet."""

LONGEST = 20_000
"""Characters of a pasted example: one response, not a log."""

ENDPOINTS = {"": "any"} | {name: name.replace("_", " ") for name in get_args(Endpoint)}
"""Labels of the endpoints of an entry."""

LABELS = {
    "id": "Id",
    "title": "Title",
    "code": "Error code",
    "number": "Error number",
    "description": "Exact words",
    "pattern": "Words with values",
    "status": "HTTP status",
    "endpoint": "Endpoint",
    "grant": "Grant type",
    "spec": "Registered code",
    "cause": "Cause",
    "remedy": "Remedy",
    "source": "Source",
    "date": "Date of the source",
    "request_id": "Request id",
    "example": "Example response",
    "name": "Provider",
    "documentation": "Documentation",
    "hosts": "Hosts",
}
"""Labels of the fields of an entry and of a catalogue."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Recognised by": ("code", "number", "description", "pattern", "status", "endpoint"),
    "Explained by": ("title", "cause", "remedy", "spec"),
    "Known from": ("source", "date", "id", "request_id", "grant"),
}
"""The fields of an entry but its example, in the order of the form."""

LONG = {"cause": 68, "remedy": 100, "description": 68, "pattern": 68}
"""Fields of several lines, with their height in pixels."""


PLACEHOLDERS = {
    "hosts": "api.example.com, *.example.com",
    "source": "as the catalogue's documentation",
    "id": "made of number, code or title",
}
"""What an empty field stands for, or how several values are written."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry, or with ``is_head`` the fields of a catalogue, being written.

    ``catalogue`` is that of ``entry``, which is ``None`` for a new one; ``exchange`` is the one that it is made of.
    ``problems`` are those found by the last try to save; ``filled`` has the values that were read from the example.
    """

    catalogue: Catalogue | None = None
    entry: ProviderError | None = None
    is_head: bool = False
    exchange: Exchange | None = None
    problems: tuple[Problem, ...] = ()
    filled: Mapping[str, str] = field(default_factory=dict)


def form() -> bool:
    """Draw the form of what is being written, and what the last action did; return whether the form is drawn.

    The address may ask for the form of a row's error.
    """
    row = st.query_params.get(DOCUMENT, "")
    if not may(Action.CATALOGUES):
        if row:
            st.info(who_may(Action.CATALOGUES))
        return False
    if row.isascii() and row.isdigit() and DRAFT not in st.session_state:
        _begin_with_row(int(row))
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is None:
        _say()
        return False
    _form(draft)
    return True


def offer(entry: str) -> None:
    """Draw the button that edits an entry, if it is of a catalogue of your own."""
    its = catalogues.find_entry(entry)
    is_own = isinstance(its, ProviderError) and its.catalogue not in catalogues.reserved()
    if isinstance(its, ProviderError) and is_own and may(Action.CATALOGUES):
        st.button(
            "Edit this error",
            key="errors.document.edit",
            icon=":material/edit:",
            on_click=begin,
            args=(catalogues.catalogue(its.catalogue), its),
        )


@needs(Action.CATALOGUES)
def begin(
    catalogue: Catalogue | None = None,
    entry: ProviderError | None = None,
    *,
    values: Mapping[str, Any] | None = None,
    head: Mapping[str, Any] | None = None,
    exchange: Exchange | None = None,
    is_head: bool = False,
) -> None:
    """Open the form: with an entry to change, or with the values of a new one."""
    for key in [key for key in st.session_state if str(key).startswith((f"{FIELD}.", f"{HEAD}."))]:
        del st.session_state[key]
    st.session_state[DRAFT] = Draft(catalogue, entry, is_head, exchange)
    st.session_state[f"{FIELD}.catalogue"] = catalogue.id if catalogue else NEW
    if entry is not None:
        values = editing.fields_of(entry)
    elif values is None:
        values = {"date": now().date()}
    if catalogue is not None and entry is None and "source" not in values:
        values = {**values, "source": catalogue.errors[-1].source}
    if is_head and catalogue is not None:
        head = {name: getattr(catalogue, name) for name in drafting.HEAD}
    for name in drafting.MEANINGS:
        st.session_state[f"{FIELD}.{name}"] = _shown(values.get(name, ""))
    for name in drafting.HEAD:
        st.session_state[f"{HEAD}.{name}"] = _shown((head or {}).get(name, ""), ", ")


def _shown(value: Any, between: str = "\n") -> str:
    return between.join(value) if isinstance(value, list | tuple) else str(value)


def _is_of_row(draft: Draft | None, row: str) -> bool:
    return draft is not None and draft.exchange is not None and str(draft.exchange.id) == row


def _begin_with_row(number: int) -> None:
    """Begin an entry with the response of a row."""
    try:
        row = session.history().get(number)
        if row is None or row.damage:
            st.query_params.pop(DOCUMENT, None)
            st.session_state[ERROR] = f"Row {number} is not in the history, or it is damaged."
            return
        values = _invented(drafting.draft(row.exchange, today=now().date()))
    except HistoryError as error:
        st.query_params.pop(DOCUMENT, None)
        st.session_state[ERROR] = str(error)
        return
    explanation = explain(row.exchange)
    its = catalogues.find_entry(explanation.entry) if explanation else None
    if isinstance(its, ProviderError) and its.catalogue not in catalogues.reserved():
        begin(catalogues.catalogue(its.catalogue), its, exchange=row.exchange)
        return
    catalogue = catalogues.catalogue(drafting.speaker_for(row.exchange))
    begin(catalogue, values=values, head=drafting.draft_head(row.exchange), exchange=row.exchange)


def _invented(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return drafted values with invented ones in place of secrets. Raises ``HistoryError``."""
    vault = current().vault()
    return {
        name: drafting.without_secrets(name, value, vault, session.redacted) if isinstance(value, str) else value
        for name, value in values.items()
    }


def end() -> None:
    """Close the form, discard what was typed, and open the list."""
    st.session_state[LIST] = True
    if _is_of_row(st.session_state.pop(DRAFT, None), st.query_params.get(DOCUMENT, "")):
        st.query_params.pop(DOCUMENT, None)


def _say() -> None:
    """Draw what the last action did, as text: it quotes what was typed."""
    if success := st.session_state.pop(SUCCESS, ""):
        st.success("Saved" if "\n" in success else success)
        if "\n" in success:
            st.text(success)
    notices.pop_error(ERROR, "Nothing was saved.")


def _form(draft: Draft) -> None:
    is_new = draft.entry is None and not draft.is_head
    title = "Edit the catalogue" if draft.is_head else "Document an error" if is_new else "Edit an error"
    st.header(title, anchor=False)
    row = st.query_params.get(DOCUMENT, "")
    if row and not _is_of_row(draft, row):
        st.warning("Another error is being written. Save or cancel it; then the one from the history opens here.")
    if draft.exchange is not None:
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.text(_origin(draft.exchange))
            st.page_link("history.py", label=f"Row {draft.exchange.id}", query_params={"row": str(draft.exchange.id)})
    _say()
    if draft.problems:
        notices.error(
            f"Nothing was saved. Fields to correct: {len(draft.problems)}.",
            *(f"{LABELS[it.field.removeprefix('head.')]} {it.text}" for it in draft.problems),
        )
    head = _choice(draft)
    if not draft.is_head:
        form, checks = st.columns([3, 2], gap="medium")
        problems = drafting.problems(_values(), _ids(draft))
        with form:
            _example(draft, problems)
            for title in ("Recognised by", "Explained by"):
                _group(draft, title, problems)
        with checks:
            with st.container(border=True, key="errors.document.checks"):
                _checks(draft, head)
            _group(draft, "Known from", problems)
    with st.container(horizontal=True, gap="small"):
        st.button("Save", key="errors.document.save", icon=":material/save:", type="primary", on_click=_save)
        if is_new:
            st.button("Save and add another", key="errors.document.more", on_click=_save, kwargs={"more": True})
        st.button("Cancel", key="errors.document.cancel", on_click=end)


def _origin(exchange: Exchange) -> str:
    status = f"HTTP {exchange.response.status} " if exchange.response else ""
    return (
        f"From an exchange in the history: {status}at step {exchange.step.value}, {day_and_time(exchange.started_at)}"
    )


def _choice(draft: Draft) -> Catalogue | None:
    """Draw the catalogue that the entry goes to; return it, ``None`` for a new one."""
    if draft.entry is not None:
        st.text(f"In {draft.catalogue.name if draft.catalogue else ''}")
        return draft.catalogue
    if not draft.is_head:
        own = {file.id: file.catalogue for file in catalogues.own() if file.catalogue is not None}
        if st.session_state.get(f"{FIELD}.catalogue") not in own:
            st.session_state[f"{FIELD}.catalogue"] = NEW  # it was deleted meanwhile
        catalogue_id = st.selectbox(
            "Catalogue",
            [NEW, *own],
            format_func=lambda id: f"{own[id].name} ({id}.toml)" if id else "New catalogue",
            key=f"{FIELD}.catalogue",
            persist_state="session",
            width=480,
        )
        if catalogue_id:
            return own[catalogue_id]
    with st.container(border=True, key="errors.document.group.catalogue"):
        for place, name in in_columns(list(drafting.HEAD), 2):
            with place:
                _text(draft, f"{HEAD}.{name}", name, drafting.HEAD[name], drafting.head_problems(_head_values()))
    return draft.catalogue if draft.is_head else None


def _example(draft: Draft, problems: tuple[Problem, ...]) -> None:
    with st.container(border=True, key="errors.document.group.example"):
        st.text_area(
            LABELS["example"],
            key=f"{FIELD}.example",
            height=150,
            max_chars=LONGEST,
            placeholder='Paste it from the documentation, also with its status and headers: {"error": "…"}',
            persist_state="session",
            on_change=_fill,
        )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button("Fill in from it", key="errors.document.fill", icon=":material/auto_fix_high:", on_click=_fill)
            st.caption("Fills the empty fields below. Secrets are replaced by invented values.")
        _problem(draft, f"{FIELD}.example", "example", problems, is_typed=bool(_values().get("example")))


def _group(draft: Draft, title: str, problems: tuple[Problem, ...]) -> None:
    names = GROUPS[title]
    with st.container(border=True, key=f"errors.document.group.{title.split()[0].lower()}"):
        st.markdown(f"**{title}**")
        for place, name in in_columns([name for name in names if name not in LONG], 2):
            with place:
                _text(draft, f"{FIELD}.{name}", name, drafting.MEANINGS[name], problems)
        for name in names:
            if name in LONG:
                _text(draft, f"{FIELD}.{name}", name, drafting.MEANINGS[name], problems)


def _text(draft: Draft, key: str, name: str, meaning: str, problems: tuple[Problem, ...]) -> None:
    """Draw one field with its meaning, and its problem once something was typed, or at the try to save."""
    if name in ("endpoint", "spec"):
        options = ENDPOINTS if name == "endpoint" else {"": "none"} | {code: code for code in sorted(registered())}
        st.selectbox(LABELS[name], list(options), format_func=options.__getitem__, key=key, persist_state="session")
    elif name in LONG:
        st.text_area(LABELS[name], key=key, height=LONG[name], persist_state="session")
    else:
        st.text_input(LABELS[name], key=key, placeholder=PLACEHOLDERS.get(name), persist_state="session")
    st.caption(meaning)
    if name == "description" and (pattern := drafting.pattern_of(_values().get("description", ""))):
        st.button(
            "Use a pattern",
            key="errors.document.pattern",
            icon=":material/data_object:",
            on_click=_use_pattern,
            args=(pattern,),
            help="These words have values in them that may be others the next time.",
        )
        st.text(pattern)
    _problem(draft, key, name, problems, is_typed=bool(st.session_state.get(key)))


def _problem(draft: Draft, key: str, name: str, problems: tuple[Problem, ...], *, is_typed: bool) -> None:
    field_path = key.removeprefix("errors.document.").removeprefix("field.")
    text = next((it.text for it in problems if it.field == name), "")
    text = text or next((it.text for it in draft.problems if it.field == field_path and "secret" in it.text), "")
    if not text or not (is_typed or draft.problems):
        return
    with st.container(key=f"errors.document.wrong.{field_path}"):
        notices.line(":red[:material/error:]", f"{LABELS[name]} {text}")
    if "secret" in text:
        st.button(
            "Replace by an invented value",
            key=f"errors.document.invent.{field_path}",
            on_click=_invent,
            args=(key, name),
        )


# The values.


def _values() -> dict[str, Any]:
    """Return the fields of the entry as a file has them, without the empty ones."""
    typed = {name: str(st.session_state.get(f"{FIELD}.{name}") or "").strip() for name in drafting.MEANINGS}
    values: dict[str, Any] = {name: text for name, text in typed.items() if text}
    if "remedy" in values:
        values["remedy"] = [line.strip() for line in values["remedy"].splitlines() if line.strip()]
    if typed["status"].isascii() and typed["status"].isdigit():
        values["status"] = int(typed["status"][:9])
    with suppress(ValueError):
        values["date"] = date.fromisoformat(typed["date"])
    catalogue = catalogues.catalogue(st.session_state.get(f"{FIELD}.catalogue") or "")
    if documentation := catalogue.documentation if catalogue else _head_values().get("documentation"):
        values.setdefault("source", documentation)
    if id := drafting.slug(typed["number"] or typed["code"] or typed["title"]):
        values.setdefault("id", id)
    return {name: values[name] for name in drafting.MEANINGS if name in values}


def _head_values() -> dict[str, Any]:
    """Return the fields of the catalogue as a file has them, without the empty ones."""
    typed = {name: str(st.session_state.get(f"{HEAD}.{name}") or "").strip() for name in drafting.HEAD}
    values: dict[str, Any] = {name: text for name, text in typed.items() if text}
    if "hosts" in values:
        values["hosts"] = typed["hosts"].lower().replace(",", " ").split()
    return values


def _chosen(draft: Draft) -> Catalogue | None:
    """Return the catalogue that the entry goes to, ``None`` for a new one."""
    if draft.entry is not None or draft.is_head:
        return draft.catalogue
    return catalogues.catalogue(st.session_state.get(f"{FIELD}.catalogue") or "")


def _use_pattern(pattern: str) -> None:
    st.session_state[f"{FIELD}.pattern"] = pattern
    st.session_state[f"{FIELD}.description"] = ""


def _ids(draft: Draft) -> list[str]:
    """Return the ids that the entry must not have."""
    catalogue = _chosen(draft)
    return [error.id for error in catalogue.errors if error != draft.entry] if catalogue else []


def _fill() -> None:
    """Fill the fields from the example: those that are empty, and those that were filled before."""
    draft: Draft = st.session_state[DRAFT]
    text = str(st.session_state.get(f"{FIELD}.example") or "").strip()
    if not text:
        return
    try:
        read_values = _invented(_read(text))
    except HistoryError as error:
        st.session_state[ERROR] = f"The example was not read. {error}"
        return
    filled = dict(draft.filled)
    for name in (*filled, *read_values):
        key, value = f"{FIELD}.{name}", _shown(read_values.get(name, ""))
        typed = str(st.session_state.get(key) or "").strip()
        if name == "example" or not typed or typed == draft.filled.get(name):
            st.session_state[key] = filled[name] = value
    st.session_state[DRAFT] = replace(draft, filled=filled)


def _read(text: str) -> dict[str, Any]:
    """Return the fields that a pasted text has: those of a response in it, or else the text as the provider's words."""
    vault, today = current().vault(), now().date()
    try:
        items = paste.read(text)
    except paste.ParseError:
        items = []
    for item in items:
        exchange = vault.redact(item.to_exchange(now()))
        if drafting.words_of(exchange) != drafting.NO_WORDS:
            return drafting.draft(exchange, is_step_known=item.step is not None, today=today)
    return drafting.draft_words(text, today=today)


def _invent(key: str, name: str) -> None:
    draft: Draft = st.session_state[DRAFT]
    field_path = key.removeprefix("errors.document.").removeprefix("field.")
    try:
        st.session_state[key] = _invented({name: st.session_state[key]})[name]
    except HistoryError as error:
        st.session_state[ERROR] = str(error)
        return
    others = tuple(it for it in draft.problems if it.field != field_path)
    st.session_state[DRAFT] = replace(draft, problems=others)


# Checks and saving.


def _checks(draft: Draft, catalogue: Catalogue | None) -> None:
    """Say what the entry matches, as far as it is written."""
    st.markdown("**Does it match?**")
    values = _values()
    problems = {it.field for it in drafting.problems(values, _ids(draft))}
    if problems & {"code", "number", "description", "pattern", "status", "example"}:
        st.caption("Paste an example response, and say by which code or words the error is recognised.")
    else:
        head = catalogue or drafting.new_catalogue(_head_values())
        entry = drafting.entry_of(values, head.id)
        trial = drafting.try_out(entry, head, draft.exchange)
        example_error = trial.said or "no error that the console reads"
        _check(
            trial.example,
            "The example is recognised as this error.",
            f"The example says {example_error}, which is not this error.",
        )
        if draft.exchange is not None:
            row = f"Row {draft.exchange.id}"
            _check(trial.answer, f"{row} is recognised as this error.", f"{row} is not this error: its words differ.")
        if trial.silent:
            notices.line(":orange[:material/warning:]", trial.silent)
        if trial.same:
            ids = ", ".join(trial.same[:5])
            notices.line(
                ":red[:material/close:]", f"{ids} of this catalogue cannot be told from it. Add words, or a number."
            )
        if trial.claimed:
            others = ", ".join(trial.claimed[:5]) + (" and more" if len(trial.claimed) > 5 else "")
            notices.line(
                ":orange[:material/warning:]", f"Other providers have the same: {others}. Add words or a number."
            )
        else:
            notices.line(":green[:material/check:]", "No error of another catalogue is taken for it.")
    with st.expander("View TOML", key="errors.document.toml"):
        st.code(editing.new_text({}, values).strip(), language="toml", wrap_lines=True)


def _check(is_right: bool | None, right: str, wrong: str) -> None:
    notices.line(":green[:material/check:]" if is_right else ":red[:material/close:]", right if is_right else wrong)


@needs(Action.CATALOGUES)
def _save(*, more: bool = False) -> None:
    """Write what the form has, or leave it open with what is wrong in it."""
    draft: Draft = st.session_state[DRAFT]
    catalogue, values, head = _chosen(draft), {} if draft.is_head else _values(), _head_values()
    problems = [] if draft.is_head else list(drafting.problems(values, _ids(draft)))
    is_head_typed = draft.is_head or catalogue is None
    if is_head_typed:
        problems += (Problem(f"head.{it.field}", it.text) for it in drafting.head_problems(head))
    vault = current().vault()
    try:
        problems += drafting.secrets_in(values, vault, session.redacted)
        if is_head_typed:
            secret = drafting.secrets_in(head, vault, session.redacted)
            problems += (Problem(f"head.{it.field}", it.text) for it in secret)
        if problems:
            st.session_state[DRAFT] = replace(draft, problems=tuple(problems))
            return
        session.audit(
            Event.CATALOGUE, catalogue.id if catalogue else str(head.get("name", "")), f"saved {values.get('id', '')}"
        )
        if draft.is_head and draft.catalogue is not None:
            saved = editing.put_head(draft.catalogue.id, head, draft.catalogue)
        elif catalogue is not None:
            saved = editing.put_entry(catalogue.id, values, draft.entry)
        else:
            saved = editing.create(editing.new_id(head["name"], editing.used_ids()), editing.new_text(head, values))
    except (CatalogueError, HistoryError) as error:
        st.session_state[DRAFT] = replace(draft, problems=())
        st.session_state[ERROR] = str(error)
        return
    st.session_state[SUCCESS] = _success(draft, saved, str(values.get("id", "")))
    end()
    if more:
        begin(saved, values={name: values[name] for name in ("source", "date")})


def _success(draft: Draft, saved: Catalogue, id: str) -> str:
    if draft.is_head:
        return "The catalogue was saved."
    entry = f"{saved.id}/{id}"
    lines = [f"The error was saved as {entry}."]
    if draft.exchange is not None:
        explanation = explain(draft.exchange)
        is_known = explanation is not None and explanation.entry == entry
        lines.append(f"Row {draft.exchange.id} is {'' if is_known else 'not '}recognised as it.")
        if not is_known:
            lines.append(drafting.try_out(drafting.entry_of({"id": id}, saved.id), saved, draft.exchange).silent)
    lines.append("For what was recorded before: oauth-console history recognise")
    return "\n".join(filter(None, lines))
