"""The choice of a provider: one of the profiles, beside it the site where it has several, and what to know of it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from oauth import providers
from oauth.providers import Provider, discovery
from pages.parts import discover, request, session
from pages.parts.card import plain

GENERIC = "generic"
"""The profile whose addresses are filled in by hand or by discovery."""

FILLED_IN = (*(name for name in providers.addresses() if name != "issuer"), "scope")


def known() -> dict[str, Provider]:
    """Every profile by its id."""
    return providers.load(session.origin())


def choose(place: str, label: str, profiles: Iterable[Provider]) -> Provider:
    """Draw the choice and return what was chosen. ``place`` is what the keys begin with."""
    families: dict[str, list[Provider]] = {}
    for profile in profiles:
        families.setdefault(profile.family or profile.id, []).append(profile)
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
            columns = st.columns(2)
            values: dict[str, Any] = {}
            for number, name in enumerate(FILLED_IN):
                key = f"walkthrough.profile.{name}"
                request.keep(key, getattr(base, name))
                with columns[number % 2]:
                    values[name] = (
                        st.text_input(
                            name.replace("_", " ").capitalize(),
                            key=key,
                            help=providers.meaning_of(name),
                            persist_state="session",
                        )
                        or ""
                    ).strip()
    host = urlsplit(values["token_endpoint"] or values["authorization_endpoint"]).netloc.rpartition("@")[2]
    return replace(base, **values, id=f"{template.id}-{host}" if host else template.id)
