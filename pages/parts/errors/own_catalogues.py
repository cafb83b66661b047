"""The list of your own catalogues on the Errors page: made, imported, exported and deleted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from oauth.access import Action
from oauth.access.audit import Event
from oauth.catalogue import CatalogueError, catalogues, drafting, editing
from oauth.catalogue.catalogues import CatalogueFile
from oauth.catalogue.provider_errors import MAX_BYTES, Catalogue, read
from oauth.history.store import HistoryError
from oauth.installation import current
from pages.parts.common import notices, session, uploads
from pages.parts.common.permissions import needs
from pages.parts.errors.editor import ERROR, LIST, SUCCESS, begin

CLASH = "errors.document.clashing"


def draw() -> None:
    """Draw the list of your own catalogues, once it is opened: the reference above it is what most people want."""
    files = catalogues.own()
    with st.expander(
        f"Your catalogues ({len(files)})", key=LIST, icon=":material/edit_note:", on_change="rerun"
    ) as is_shown:
        if is_shown.open:
            _list(files)


def _list(files: Sequence[CatalogueFile]) -> None:
    st.caption("Errors of APIs that the console does not know. What is documented here is recognised from then on.")
    uploads.say_misdirected()
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("New catalogue", key="errors.document.new", icon=":material/add:", on_click=begin)
        st.file_uploader(
            "Import a file",
            type=["toml"],
            key="errors.document.import",
            max_upload_size=MAX_BYTES >> 20,
            on_change=_import,
            help="A catalogue that a console exported, or one written by hand. Its name becomes the catalogue's id.",
        )
    _clash()
    if not files:
        st.caption("None yet. Open a failed exchange in the history and choose Document this error, or start here.")
    for file in files:
        with st.container(border=True, key=f"errors.own.{file.id}"):
            _catalogue(file)


def _catalogue(file: CatalogueFile) -> None:
    place = f"errors.own.{file.id}"
    catalogue = file.catalogue
    if catalogue is None:
        st.text(f"{file.id}.toml")
        notices.error("This file is not used. Correct it in a text editor, or delete it.", file.problem)
        _delete(place, file.id, "This deletes the file with everything in it.")
        return
    count = len(catalogue.errors)
    errors = "1 error" if count == 1 else f"{count:,} errors"
    st.text(f"{catalogue.name} · {errors} · {catalogue.id}.toml")
    if catalogue.hosts:
        st.caption(f"Speaks for `{'`, `'.join(catalogue.hosts)}`")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        entries = {error.id: error for error in catalogue.errors}
        if st.session_state.get(f"{place}.entry") not in entries:
            st.session_state.pop(f"{place}.entry", None)  # it was deleted
        entry_id = st.selectbox(
            "Error",
            list(entries),
            format_func=lambda id: f"{id} · {entries[id].title}",
            key=f"{place}.entry",
            width=360,
            filter_mode="contains",
            persist_state="session",
        )
        entry = entries.get(entry_id or "", catalogue.errors[0])
        st.button("Edit", key=f"{place}.entry.edit", icon=":material/edit:", on_click=begin, args=(catalogue, entry))
        with st.popover("Delete", icon=":material/delete:", key=f"{place}.entry.delete", disabled=count == 1):
            st.text(f"This deletes {entry.id}. Exchanges that are kept keep its name until they are recognised again.")
            st.button(
                "Delete permanently",
                key=f"{place}.entry.delete.sure",
                type="primary",
                on_click=_report,
                args=(lambda: editing.delete_entry(catalogue.id, entry), "The error was deleted.", catalogue.id),
            )
    with st.container(horizontal=True, gap="small"):
        st.button("Add an error", key=f"{place}.add", icon=":material/add:", on_click=begin, args=(catalogue,))
        st.button(
            "Edit the catalogue",
            key=f"{place}.edit",
            icon=":material/tune:",
            on_click=begin,
            args=(catalogue,),
            kwargs={"is_head": True},
        )
        _export(place, catalogue.id)
        _delete(place, catalogue.id, f"This deletes the file with {errors}. The history keeps its exchanges.")


def _export(place: str, id: str) -> None:
    try:
        content = editing.content(id)
    except CatalogueError:  # deleted since it was listed
        return
    st.download_button(
        "Export",
        content,
        f"{id}.toml",
        "application/toml",
        key=f"{place}.export",
        icon=":material/download:",
        on_click="ignore",
    )


def _delete(place: str, id: str, warning: str) -> None:
    with st.popover("Delete the catalogue", icon=":material/delete:", key=f"{place}.delete"):
        st.write(warning)
        st.button(
            "Delete permanently",
            key=f"{place}.delete.sure",
            type="primary",
            on_click=_report,
            args=(lambda: editing.delete(id), "The catalogue was deleted.", id),
        )


@needs(Action.CATALOGUES)
def _report(act: Callable[[], object], success: str, id: str) -> None:
    try:
        session.audit(Event.CATALOGUE, id, success)
        act()
    except (CatalogueError, HistoryError) as error:
        st.session_state[ERROR] = str(error)
    else:
        st.session_state[SUCCESS] = success


@needs(Action.CATALOGUES)
def _import() -> None:
    file = uploads.take("errors.document.import")
    if file is None:
        return
    name, content = Path(file[0]).name, file[1]
    id = editing.new_id(Path(name).stem, ())
    try:
        text = content.decode("utf-8-sig")
        _refuse_secrets(read(text, id, name), name)
    except UnicodeDecodeError:
        st.session_state[ERROR] = f"{name} is not UTF-8 text."
    except (CatalogueError, HistoryError) as error:
        st.session_state[ERROR] = str(error)
    else:
        if id in editing.used_ids():
            st.session_state[CLASH] = (id, text)
        else:
            _report(lambda: editing.create(id, text), f"{id}.toml was imported.", id)


def _refuse_secrets(catalogue: Catalogue, file: str) -> None:
    """Raise ``CatalogueError`` for an entry with a secret in it, and ``HistoryError``."""
    vault = current().vault()
    for error in catalogue.errors:
        for problem in drafting.secrets_in(editing.fields_of(error), vault, session.redacted):
            raise CatalogueError(f"{file}, error {error.id}: {problem.field} {problem.text}.")


def _clash() -> None:
    """Ask what to do with an imported file whose name is taken."""
    if CLASH not in st.session_state:
        return
    id, text = st.session_state[CLASH]
    own = next((file for file in catalogues.own() if file.id == id), None)
    is_replaceable = own is not None and id not in catalogues.reserved()
    other = editing.new_id(id, editing.used_ids())
    with st.container(border=True, key="errors.document.clash"):
        st.warning("A catalogue of this name exists already.")
        if own is not None and own.catalogue is not None:
            st.text(f"{id}.toml has {len(own.catalogue.errors):,} errors; the imported file has its own.")
        with st.container(horizontal=True, gap="small"):
            st.button(
                f"Import as {other}",
                key="errors.document.clash.rename",
                type="primary",
                on_click=_settle,
                args=(lambda: editing.create(other, text), f"The file was imported as {other}.", other),
            )
            if is_replaceable:
                st.button(
                    f"Replace {id}",
                    key="errors.document.clash.replace",
                    on_click=_settle,
                    args=(lambda: editing.create(id, text, replaces=True), f"{id} was replaced.", id),
                )
            st.button("Cancel", key="errors.document.clash.cancel", on_click=_settle)


@needs(Action.CATALOGUES)
def _settle(act: Callable[[], object] | None = None, success: str = "", id: str = "") -> None:
    st.session_state.pop(CLASH, None)
    if act is not None:
        _report(act, success, id)
