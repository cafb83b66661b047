"""Provider profiles: the built-in ones, and custom ones to create, edit, import and export."""

from dataclasses import replace

import streamlit as st

from oauth.installation import current
from oauth.providers import ProfileError, Provider, custom, metadata
from pages.parts.common import provider as profile
from pages.parts.common.card import plain
from pages.parts.providers import discover, profile_form
from pages.parts.providers.profile_form import DRAFT, Draft

SUCCESS = "providers.said"
ERROR = "providers.refused"


def page() -> None:
    """Draw the list of profiles, or the form of the profile being edited."""
    st.title("Providers", anchor=False)
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is not None:
        _form(draft)
        return
    st.write("A profile holds a provider's endpoints, the format of its requests, and its connection settings.")
    if success := st.session_state.pop(SUCCESS, ""):
        st.success(success)
    if error := st.session_state.pop(ERROR, ""):
        st.error("Nothing was saved.")
        st.text(error)
    _new()
    _custom()
    _built_in()


def _new() -> None:
    with st.container(border=True, key="providers.new"):
        st.subheader("New profile", anchor=False)
        generic = profile.shipped()[profile.GENERIC]
        result = discover.draw("providers", "Start from an issuer, or any URL of the server", generic.connection)
        if result is not None and result.metadata is not None:
            st.button(
                "Create profile",
                key="providers.new.discovered",
                icon=":material/add:",
                type="primary",
                on_click=profile_form.begin,
                args=(replace(metadata.provider(result.metadata, generic, result.resource), notes=""),),
            )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                "Start from scratch",
                key="providers.new.empty",
                icon=":material/edit:",
                on_click=profile_form.begin,
                args=(Provider("", ""),),
            )
            st.file_uploader(
                "Import a file",
                type=["toml"],
                key="providers.import",
                max_upload_size=1,
                on_change=_import,
                help="An exported profile, or one written by hand. A file that contains a secret is refused.",
            )


def _custom() -> None:
    st.subheader("Your profiles", anchor=False)
    profiles = profile.custom_profiles()
    if not profiles:
        st.caption("None yet. Duplicate a built-in profile, or start from an issuer.")
    for item in profiles:
        place = f"providers.own.{item.id}"
        with st.container(border=True, key=place):
            if item.provider is None:
                st.text(f"{item.id}.toml")
                st.error("This file is not a valid profile. Correct it in an editor, or delete it.")
                st.text("\n".join(f"{problem.field} {problem.text}" for problem in item.problems))
                _delete(item.id)
                continue
            _summary(item.provider)
            with st.container(horizontal=True, gap="small"):
                _use(item.provider, place)
                st.button(
                    "Edit",
                    key=f"{place}.edit",
                    icon=":material/edit:",
                    on_click=profile_form.begin,
                    args=(item.provider, item.id),
                )
                _duplicate(item.provider, place)
                st.download_button(
                    "Export",
                    custom.to_toml(item.provider),
                    f"{item.id}.toml",
                    "application/toml",
                    key=f"{place}.export",
                    icon=":material/download:",
                    on_click="ignore",
                )
                _delete(item.id)


def _built_in() -> None:
    st.subheader("Built in", anchor=False)
    for family, sites in profile.by_family(profile.shipped().values()).items():
        place = f"providers.shipped.{family}"
        with st.container(border=True, key=place):
            provider = profile.choose_site(sites, f"providers.site.{family}", width=240)
            _summary(provider)
            with st.container(horizontal=True, gap="small"):
                _use(provider, place)
                _duplicate(provider, place)
            with st.expander("View TOML", key=f"{place}.says"):
                content = custom.to_toml(custom.duplicate(provider, provider.id, provider.title))
                st.code(content, language="toml", wrap_lines=True)


def _summary(provider: Provider) -> None:
    st.markdown(f"**{plain(provider.title)}**")
    st.code(provider.token_endpoint or "no token endpoint yet", language=None, wrap_lines=True)
    if provider.notes:
        st.text(provider.notes)


def _use(provider: Provider, place: str) -> None:
    if st.button("Use", key=f"{place}.use", icon=":material/footprint:"):
        profile.preselect("walkthrough", provider)
        st.switch_page("walkthrough.py")


def _duplicate(provider: Provider, place: str) -> None:
    st.button(
        "Duplicate",
        key=f"{place}.duplicate",
        icon=":material/content_copy:",
        on_click=profile_form.begin,
        args=(custom.duplicate(provider, "", f"{provider.title}, copy"),),
    )


def _delete(identifier: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"providers.own.{identifier}.delete"):
        st.write("This deletes the file. The history keeps its exchanges.")
        st.button(
            "Delete permanently",
            key=f"providers.own.{identifier}.delete.sure",
            type="primary",
            on_click=_confirm_delete,
            args=(identifier,),
        )


def _confirm_delete(identifier: str) -> None:
    try:
        custom.delete(current().settings.home, identifier)
    except ProfileError as error:
        st.session_state[ERROR] = str(error)
    else:
        st.session_state[SUCCESS] = "The profile was deleted."


def _import() -> None:
    file = st.session_state["providers.import"]
    if file is None:
        return
    try:
        provider = custom.read("imported", file.getvalue(), file.name)
        provider = replace(provider, id=custom.new_id(provider.name, profile.used_ids()))
        custom.write(current().settings.home, provider)
    except ProfileError as error:
        st.session_state[ERROR] = str(error)
    else:
        st.session_state[SUCCESS] = "The profile was imported."


def _form(draft: Draft) -> None:
    st.write("Changes are saved when you press Save. A profile never holds secrets." if draft.id else "A new profile.")
    if draft.problems:
        st.error(f"Nothing was saved. Fields to correct: {len(draft.problems)}.")
        st.text("\n".join(f"{item.field} {item.text}" for item in draft.problems))
    profile_form.draw(draft)
    with st.container(horizontal=True, gap="small"):
        st.button("Save", key="providers.save", icon=":material/save:", type="primary", on_click=_save)
        st.button("Cancel", key="providers.cancel", on_click=profile_form.end)


def _save() -> None:
    if profile_form.save(profile.used_ids()):
        st.session_state[SUCCESS] = "The profile was saved."


page()
