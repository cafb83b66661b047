"""The choice of a provider: one of the profiles, beside it the site where it has several, and what to know of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from oauth import providers
from oauth.installation import current
from oauth.providers import Provider, ReadyClient, custom, discovery, operator_settings
from pages.parts.common import session, widget_defaults
from pages.parts.common.card import plain
from pages.parts.providers import discover, profile_form

GENERIC = "generic"
"""The profile whose addresses are filled in by hand or by discovery."""

KEEPING = "walkthrough.keeping"

FILLED_IN = (*(name for name in providers.addresses() if name != "issuer"), "scope")


def shipped() -> dict[str, Provider]:
    """The profiles that come with the console, by their id."""
    return providers.load(session.origin())


def custom_profiles() -> list[custom.CustomProfile]:
    """The files with profiles of one's own, also those that cannot be used."""
    return custom.load(current().settings.home, taken_by_others())


def known() -> dict[str, Provider]:
    """Every profile that can be used, by its id, reached as the environment says."""
    mine = {item.id: item.provider for item in custom_profiles() if item.provider is not None}
    environ = current().settings.providers
    return {name: operator_settings.connected(found, environ) for name, found in (shipped() | mine).items()}


def taken_by_others() -> set[str]:
    """Ids that no profile of one's own may have."""
    return {name for item in shipped().values() for name in (item.id, item.family) if name}


def taken() -> list[str]:
    """Every id that a new profile must not have."""
    return [*taken_by_others(), *(item.id for item in custom_profiles())]


def operators_clients(provider: Provider) -> dict[str, ReadyClient]:
    """The clients that the environment or Streamlit's secrets have for a provider, by their id."""
    secrets = st.secrets.to_dict() if st.secrets.load_if_toml_exists() else {}
    return {item.id: item for item in operator_settings.clients(provider, current().settings.providers, secrets)}


def choose(place: str, label: str, profiles: Iterable[Provider]) -> Provider:
    """Draw the choice and return what was chosen. ``place`` is what the keys begin with."""
    families: dict[str, list[Provider]] = {}
    for profile in profiles:
        families.setdefault(profile.family or profile.id, []).append(profile)
    if st.session_state.get(f"{place}.provider") not in families:
        st.session_state.pop(f"{place}.provider", None)  # the profile was deleted
    chosen = st.selectbox(
        label,
        list(families),
        format_func=lambda family: families[family][0].name,
        key=f"{place}.provider",
        persist_state="session",
    )
    sites = {profile.id: profile for profile in families[chosen]}
    if len(sites) == 1:
        return families[chosen][0]
    site = st.selectbox(
        "Country",
        list(sites),
        format_func=lambda identifier: sites[identifier].site,
        key=f"{place}.site.{chosen}",
        persist_state="session",
    )
    return sites[site]


def pick(place: str, provider: Provider) -> None:
    """Have a choice stand at this provider when it is drawn next."""
    st.session_state[f"{place}.provider"] = provider.family or provider.id
    if provider.family:
        st.session_state[f"{place}.site.{provider.family}"] = provider.id


def about(provider: Provider) -> None:
    """What to know before beginning, and pages of the provider that help."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="walkthrough.about"):
        if provider.notes:
            st.text(provider.notes)
        for number, link in enumerate(provider.links, 1):
            st.link_button(
                plain(link.title),
                link.url,
                key=f"walkthrough.link.{number}",
                icon=":material/open_in_new:",
                type="tertiary",
            )


def fill_in(template: Provider) -> Provider:
    """Draw what is needed to know a server that has no profile, and return the profile as far as it is known."""
    with st.container(border=True, key="walkthrough.server"):
        found = discover.ask("walkthrough", "Issuer, or any address of the server", template.connection)
        metadata = found.metadata if found else None
        base = discovery.provider(metadata, template) if metadata else template
        with st.expander("Addresses and scope", key="walkthrough.addresses", icon=":material/edit:"):
            values: dict[str, Any] = {}
            for place, name in profile_form.in_columns(FILLED_IN, 2):
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
            "Keep it as a profile of your own",
            key="walkthrough.keep",
            icon=":material/save:",
            type="tertiary",
            disabled=not values["token_endpoint"],
            on_click=_keep,
            args=(replace(base, **values, notes=""),),
        )
        if st.session_state.pop(KEEPING, False):
            st.switch_page("providers.py")
    host = urlsplit(values["token_endpoint"] or values["authorization_endpoint"]).netloc.rpartition("@")[2]
    return replace(base, **values, id=f"{template.id}-{host}" if host else template.id)


def _keep(found: Provider) -> None:
    profile_form.begin(replace(found, name=found.name if found.issuer else ""))
    st.session_state[KEEPING] = True
