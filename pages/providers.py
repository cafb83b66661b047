"""Provider profiles: a list of yours and the built-in ones, beside the one that is open or the form that edits it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from oauth.access import Action
from oauth.access.audit import Event
from oauth.history.store import HistoryError
from oauth.installation import current
from oauth.providers import ProfileError, Provider, addresses, custom, metadata
from oauth.providers.custom import CustomProfile
from pages.parts.common import notices, session, uploads
from pages.parts.common import provider as profile
from pages.parts.common.markdown import escaped
from pages.parts.common.permissions import needs
from pages.parts.providers import discover, profile_form
from pages.parts.providers.profile_form import DRAFT, Draft

SUCCESS = "providers.said"
ERROR = "providers.not_saved"

OPENED = "providers.open"
"""Key of the list: the id of a profile of your own, the family or id of a built-in one, or nothing for a new one."""


def page() -> None:
    """Draw the list of profiles, or the form of the profile being edited."""
    st.title("Providers", anchor=False)
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is not None:
        _form(draft)
        return
    st.caption("A profile holds a provider's endpoints, the format of its requests, and its connection settings.")
    if success := st.session_state.pop(SUCCESS, ""):
        st.success(success)
    notices.pop_error(ERROR, "Nothing was saved.")
    own, built_in = profile.custom_profiles(), profile.by_family(profile.shipped().values())
    list_column, profile_column = st.columns([4, 9], gap="large")
    with list_column:
        profile_id = _choose(own, built_in)
    with profile_column:
        for item in own:
            if item.provider is None:
                _invalid(item)
            elif item.id == profile_id:
                _own(item.provider)
        if profile_id in built_in:
            _built_in(profile_id, built_in[profile_id])
        elif not profile_id:
            _new()


def _choose(own: Sequence[CustomProfile], built_in: Mapping[str, Sequence[Provider]]) -> str:
    """Draw the list, and return the id of the profile that is open, empty for a new one."""
    names = {"": "New profile"} | {
        item.id: f"{escaped(item.provider.name)} · yours" for item in own if item.provider is not None
    }
    names |= {family: escaped(sites[0].name) for family, sites in built_in.items()}
    if st.session_state.get(OPENED) not in names:
        st.session_state[OPENED] = ""  # nothing was opened yet, or the profile was deleted
    with st.container(height=440, border=True, key="providers.list"):
        profile_id: str = st.radio(
            "Profiles",
            list(names),
            format_func=names.__getitem__,
            key=OPENED,
            label_visibility="collapsed",
            persist_state="session",
        )
    return profile_id


def _new() -> None:
    with st.container(key="providers.new"):
        st.header("New profile", anchor=False)
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
        uploads.say_misdirected()
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


def _invalid(item: CustomProfile) -> None:
    with st.container(border=True, key=f"providers.own.{item.id}"):
        st.text(f"{item.id}.toml")
        notices.error(
            "This file is not a valid profile. Correct it in an editor, or delete it.",
            *(f"{problem.field} {problem.text}" for problem in item.problems),
        )
        _delete(item.id)


def _own(provider: Provider) -> None:
    place = f"providers.own.{provider.id}"
    with st.container(key=place):
        _summary(provider)
        with st.container(horizontal=True, gap="small"):
            _use(provider, place)
            st.button(
                "Edit",
                key=f"{place}.edit",
                icon=":material/edit:",
                on_click=profile_form.begin,
                args=(provider, provider.id),
            )
            _duplicate(provider, place)
            st.download_button(
                "Export",
                custom.to_toml(provider),
                f"{provider.id}.toml",
                "application/toml",
                key=f"{place}.export",
                icon=":material/download:",
                on_click="ignore",
            )
            _delete(provider.id)


def _built_in(family: str, sites: Sequence[Provider]) -> None:
    place = f"providers.shipped.{family}"
    with st.container(key=place):
        provider = profile.choose_site(sites, f"providers.site.{family}", width=240)
        _summary(provider)
        with st.container(horizontal=True, gap="small"):
            _use(provider, place)
            _duplicate(provider, place)
        with st.expander("View TOML", key=f"{place}.says", on_change="rerun") as is_shown:
            if is_shown.open:
                content = custom.to_toml(custom.duplicate(provider, provider.id, provider.title))
                st.code(content, language="toml", wrap_lines=True)


def _summary(provider: Provider) -> None:
    """Draw what tells a profile from another: its addresses, its settings and its notes."""
    st.header(escaped(provider.title), anchor=False)
    facts = {profile_form.label(name): getattr(provider, name) for name in (*addresses(), "scope")}
    facts |= {
        "Client authentication": provider.client_authentication.value,
        "PKCE": provider.pkce.value,
        "Token body": provider.token_body.value,
    }
    for name, value in facts.items():
        if value:
            left, right = st.columns([1, 2], gap="small")
            left.caption(name)
            right.text(value)
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


@needs(Action.PROFILES)
def _confirm_delete(identifier: str) -> None:
    try:
        session.audit(Event.PROFILE, identifier, "deleted")
        custom.delete(current().settings.home, identifier)
    except (ProfileError, HistoryError) as error:
        st.session_state[ERROR] = str(error)
    else:
        st.session_state[SUCCESS] = "The profile was deleted."


@needs(Action.PROFILES)
def _import() -> None:
    file = uploads.take("providers.import")
    if file is None:
        return
    name, content = file
    try:
        provider = custom.read("imported", content, name)
        same_name = [
            item for item in profile.custom_profiles() if item.provider and item.provider.name == provider.name
        ]
        equal = next((item.id for item in same_name if replace(provider, id=item.id) == item.provider), "")
        provider = replace(provider, id=equal or custom.new_id(provider.name, profile.used_ids()))
        if not equal:
            session.audit(Event.PROFILE, provider.id, "imported")
            custom.write(current().settings.home, provider)
    except (ProfileError, HistoryError) as error:
        st.session_state[ERROR] = str(error)
        return
    st.session_state[OPENED] = provider.id
    if equal:
        st.session_state[SUCCESS] = "Nothing was imported: this profile is here already, and is open now."
    elif same_name:
        st.session_state[SUCCESS] = f"The profile was imported as {provider.id}, beside another with the same name."
    else:
        st.session_state[SUCCESS] = "The profile was imported."


def _form(draft: Draft) -> None:
    st.write("Changes are saved when you press Save. A profile never holds secrets." if draft.id else "A new profile.")
    profile_form.draw(draft)
    with st.container(horizontal=True, gap="small"):
        st.button("Save", key="providers.save", icon=":material/save:", type="primary", on_click=_save)
        st.button("Cancel", key="providers.cancel", on_click=profile_form.end)


@needs(Action.PROFILES)
def _save() -> None:
    if identifier := profile_form.save(profile.used_ids()):
        st.session_state[OPENED] = identifier
        st.session_state[SUCCESS] = "The profile was saved."


page()
