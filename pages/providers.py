"""Provider profiles: those that come with the console, and your own, made, edited, checked and shared as a file."""

from dataclasses import replace

import streamlit as st

from oauth.installation import current
from oauth.providers import ProfileError, Provider, custom, discovery
from pages.parts.common import provider as profile
from pages.parts.common.card import plain
from pages.parts.providers import discover, profile_form
from pages.parts.providers.profile_form import DRAFT, Draft

SAID = "providers.said"
REFUSED = "providers.refused"


def page() -> None:
    """Draw the profiles, or the form of the one that is being edited."""
    st.title("Providers", anchor=False)
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is not None:
        _form(draft)
        return
    st.write("Where a provider's endpoints are, what its requests look like, and how it is connected to.")
    if said := st.session_state.pop(SAID, ""):
        st.success(said)
    if refused := st.session_state.pop(REFUSED, ""):
        st.error("Nothing was kept.")
        st.text(refused)
    _new()
    _own()
    _shipped()


def _new() -> None:
    with st.container(border=True, key="providers.new"):
        st.subheader("A new profile", anchor=False)
        generic = profile.shipped()[profile.GENERIC]
        found = discover.ask("providers", "From an issuer, or any address of the server", generic.connection)
        if found is not None and found.metadata is not None:
            st.button(
                "Make a profile of it",
                key="providers.new.discovered",
                icon=":material/add:",
                type="primary",
                on_click=profile_form.begin,
                args=(replace(discovery.provider(found.metadata, generic), notes=""),),
            )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                "Fill in an empty one",
                key="providers.new.empty",
                icon=":material/edit:",
                on_click=profile_form.begin,
                args=(Provider("", ""),),
            )
            st.file_uploader(
                "Or take one from a file",
                type=["toml"],
                key="providers.import",
                max_upload_size=1,
                on_change=_import,
                help="A file that Export made, or one written by hand. A file with a secret in it is refused.",
            )


def _own() -> None:
    st.subheader("Your own", anchor=False)
    found = profile.custom_profiles()
    if not found:
        st.caption("None yet. Duplicate one of those below, or begin with an issuer.")
    for item in found:
        with st.container(border=True, key=f"providers.own.{item.id}"):
            if item.provider is None:
                st.text(f"{item.id}.toml")
                st.error("This file cannot be used. Correct it by hand, or delete it.")
                st.text("\n".join(f"{problem.field} {problem.text}" for problem in item.problems))
                _delete(item.id)
                continue
            _summary(item.provider)
            with st.container(horizontal=True, gap="small"):
                _use(item.provider, f"providers.own.{item.id}")
                st.button(
                    "Edit",
                    key=f"providers.own.{item.id}.edit",
                    icon=":material/edit:",
                    on_click=profile_form.begin,
                    args=(item.provider, item.id),
                )
                _duplicate(item.provider, f"providers.own.{item.id}")
                st.download_button(
                    "Export",
                    custom.toml(item.provider),
                    f"{item.id}.toml",
                    "application/toml",
                    key=f"providers.own.{item.id}.export",
                    icon=":material/download:",
                    on_click="ignore",
                )
                _delete(item.id)


def _shipped() -> None:
    st.subheader("With the console", anchor=False)
    families: dict[str, list[Provider]] = {}
    for item in profile.shipped().values():
        families.setdefault(item.family or item.id, []).append(item)
    for family, sites in families.items():
        with st.container(border=True, key=f"providers.shipped.{family}"):
            found = sites[0]
            if len(sites) > 1:
                found = {item.id: item for item in sites}[
                    st.selectbox(
                        "Country",
                        [item.id for item in sites],
                        format_func={item.id: item.site for item in sites}.__getitem__,
                        key=f"providers.site.{family}",
                        width=240,
                    )
                ]
            _summary(found)
            with st.container(horizontal=True, gap="small"):
                _use(found, f"providers.shipped.{family}")
                _duplicate(found, f"providers.shipped.{family}")
            with st.expander("What it says", key=f"providers.shipped.{family}.says"):
                st.code(custom.toml(custom.duplicate(found, found.id, found.title)), language="toml", wrap_lines=True)


def _summary(found: Provider) -> None:
    st.markdown(f"**{plain(found.title)}**")
    st.code(found.token_endpoint or "no token endpoint yet", language=None, wrap_lines=True)
    if found.notes:
        st.text(found.notes)


def _use(found: Provider, place: str) -> None:
    if st.button("Use it", key=f"{place}.use", icon=":material/footprint:"):
        profile.pick("walkthrough", found)
        st.switch_page("walkthrough.py")


def _duplicate(found: Provider, place: str) -> None:
    st.button(
        "Duplicate",
        key=f"{place}.duplicate",
        icon=":material/content_copy:",
        on_click=profile_form.begin,
        args=(custom.duplicate(found, "", f"{found.title}, mine"),),
    )


def _delete(identifier: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"providers.own.{identifier}.delete"):
        st.write("The file is removed. What is in the history stays there.")
        st.button(
            "Delete it for good",
            key=f"providers.own.{identifier}.delete.sure",
            type="primary",
            on_click=_deleted,
            args=(identifier,),
        )


def _deleted(identifier: str) -> None:
    try:
        custom.delete(current().settings.home, identifier)
    except ProfileError as error:
        st.session_state[REFUSED] = str(error)
    else:
        st.session_state[SAID] = "The profile is deleted."


def _import() -> None:
    file = st.session_state["providers.import"]
    if file is None:
        return
    try:
        found = custom.read("imported", file.getvalue(), file.name)
        kept = replace(found, id=custom.new_id(found.name, profile.taken()))
        custom.write(current().settings.home, kept)
    except ProfileError as error:
        st.session_state[REFUSED] = str(error)
    else:
        st.session_state[SAID] = "The profile of the file is among your own."


def _form(draft: Draft) -> None:
    st.write("A change is kept when you press Save. A secret has no place here." if draft.id else "A new profile.")
    if draft.problems:
        st.error(f"Nothing was saved: {len(draft.problems)} to correct.")
        st.text("\n".join(f"{item.field} {item.text}" for item in draft.problems))
    profile_form.draw(draft)
    with st.container(horizontal=True, gap="small"):
        st.button("Save", key="providers.save", icon=":material/save:", type="primary", on_click=_save)
        st.button("Leave it as it was", key="providers.cancel", on_click=profile_form.end)


def _save() -> None:
    if profile_form.keep(profile.taken()):
        st.session_state[SAID] = "The profile is kept."


page()
