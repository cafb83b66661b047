"""The choice of a provider profile: the list, the site if it has several, its notes, and a profile typed by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

import streamlit as st

from oauth import providers
from oauth.access import MINIMUM, Action, Role
from oauth.addresses import split
from oauth.installation import current
from oauth.providers import Provider, ReadyClient, custom, metadata, operator_settings
from pages.parts.common import notices, session, widget_defaults
from pages.parts.common.markdown import escaped
from pages.parts.common.permissions import needs
from pages.parts.providers import discover, profile_form

GENERIC = "generic"
"""The profile whose addresses are filled in by hand or by discovery."""

SAVING = "walkthrough.keeping"

EDITABLE = (*(name for name in providers.addresses() if name != "issuer"), "scope", "resource")
"""Fields of the generic profile that the walkthrough asks for."""


def shipped() -> dict[str, Provider]:
    """Return the built-in profiles by id."""
    settings, origin = current().settings, session.origin()
    profiles = providers.load(origin, sandbox=settings.sandbox_at(origin))
    if not settings.sandbox_url:
        return profiles
    return {id: _shared(profile) if profile.control else profile for id, profile in profiles.items()}


def _shared(profile: Provider) -> Provider:
    """Return the profile of a sandbox that is a server of its own."""
    notes = profile.notes.replace("No request leaves this machine.", "Every console of this installation uses it.")
    return replace(profile, name=profile.name.replace("embedded", "shared"), notes=notes)


def custom_profiles() -> list[custom.CustomProfile]:
    """Return the custom profiles, including invalid files."""
    return custom.load(current().settings.home, reserved_ids())


FIRST = 50
"""Order of the first built-in profile that comes behind your own."""


def known() -> dict[str, Provider]:
    """Return every valid profile by id, with the proxies from the environment: your own before those of others."""
    own = {item.id: item.provider for item in custom_profiles() if item.provider is not None}
    built_in, environ = shipped(), current().settings.providers
    profiles = {id: profile for id, profile in built_in.items() if profile.order < FIRST} | own | built_in
    return {id: operator_settings.with_proxy(profile, environ) for id, profile in profiles.items()}


def reserved_ids() -> set[str]:
    """Return the ids that no custom profile may have."""
    return {name for item in shipped().values() for name in (item.id, item.family) if name}


def used_ids() -> list[str]:
    """Return the ids that a new profile must not have."""
    return [*reserved_ids(), *(item.id for item in custom_profiles())]


def by_family(profiles: Iterable[Provider]) -> dict[str, list[Provider]]:
    """Group the sites of each provider, by family or id."""
    families: dict[str, list[Provider]] = {}
    for profile in profiles:
        families.setdefault(profile.family or profile.id, []).append(profile)
    return families


def operators_clients(provider: Provider) -> dict[str, ReadyClient]:
    """Return the provider's clients of the environment and of Streamlit's secrets that this person may use, by id."""
    secrets = st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
    clients = operator_settings.clients(provider, current().settings.providers, secrets)
    return {item.id: item for item in clients if _is_offered(item)}


def _is_offered(client: ReadyClient) -> bool:
    """Return whether this person's role is one that a client is offered to. Say so when its roles are invalid."""
    labels = {label.strip().lower() for label in client.roles.split(",") if label.strip()}
    roles = [role for role in Role if role and role.label in labels]
    if len(roles) == len(labels):
        return session.person().role >= min(roles, default=MINIMUM[Action.SEND])
    names = ", ".join(role.label for role in Role if role)
    notices.error(
        "A client of this console is not offered",
        f"The roles of the client {client.id} are {client.roles!r}. Separate roles by commas; they are {names}.",
    )
    return False


def choose(place: str, label: str, profiles: Iterable[Provider]) -> Provider:
    """Draw the choice and return the chosen profile. ``place`` is the prefix of the widget keys."""
    families = by_family(profiles)
    if st.session_state.get(f"{place}.provider") not in families:
        st.session_state.pop(f"{place}.provider", None)  # the profile was deleted
    selection = st.selectbox(
        label,
        list(families),
        format_func=lambda family: families[family][0].name,
        key=f"{place}.provider",
        persist_state="session",
    )
    return choose_site(families[selection], f"{place}.site.{selection}")


def choose_site(sites: Sequence[Provider], key: str, width: int | Literal["stretch"] = "stretch") -> Provider:
    """Draw the choice of a site if there are several, and return the chosen profile."""
    profiles = {profile.id: profile for profile in sites}
    if len(profiles) == 1:
        return sites[0]
    site = st.selectbox(
        "Country",
        list(profiles),
        format_func=lambda identifier: profiles[identifier].site,
        key=key,
        width=width,
        persist_state="session",
    )
    return profiles[site]


def preselect(place: str, provider: Provider) -> None:
    """Preselect this provider on the next run."""
    st.session_state[f"{place}.provider"] = provider.family or provider.id
    if provider.family:
        st.session_state[f"{place}.site.{provider.family}"] = provider.id


def draw_notes(provider: Provider) -> None:
    """Draw the provider's notes and links."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="walkthrough.about"):
        if provider.notes:
            st.text(provider.notes)
        for number, link in enumerate(provider.links, 1):
            st.link_button(
                escaped(link.title),
                link.url,
                key=f"walkthrough.link.{number}",
                icon=":material/open_in_new:",
                type="tertiary",
            )


def fill_in(template: Provider) -> Provider:
    """Draw discovery and the addresses of a server without a profile, and return the profile typed so far."""
    with st.container(border=True, key="walkthrough.server"):
        result = discover.draw("walkthrough", "Issuer, or any URL of the server", template.connection)
        base = template
        if result is not None and result.metadata is not None:
            base = metadata.provider(result.metadata, template, result.resource)
        with st.expander("Endpoints and scope", key="walkthrough.addresses", icon=":material/edit:"):
            values: dict[str, Any] = {}
            for place, name in profile_form.in_columns(EDITABLE, 2):
                key = f"walkthrough.profile.{name}"
                widget_defaults.keep(key, getattr(base, name))
                with place:
                    values[name] = (
                        st.text_input(
                            profile_form.label(name),
                            key=key,
                            help=providers.meaning_of(name),
                            persist_state="session",
                        )
                        or ""
                    ).strip()
        st.button(
            "Save as a profile",
            key="walkthrough.keep",
            icon=":material/save:",
            type="tertiary",
            disabled=not values["token_endpoint"],
            on_click=_save,
            args=(replace(base, **values, notes=""),),
        )
        if st.session_state.pop(SAVING, False):
            st.switch_page("providers.py")
    host = split(values["token_endpoint"] or values["authorization_endpoint"]).netloc.rpartition("@")[2]
    return replace(base, **values, id=f"{template.id}-{host}" if host else template.id)


@needs(Action.PROFILES)
def _save(profile: Provider) -> None:
    profile_form.begin(replace(profile, name=profile.name if profile.issuer else ""))
    st.session_state[SAVING] = True
