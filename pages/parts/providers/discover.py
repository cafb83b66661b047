"""Discovery, drawn: an address, every place that was asked as an exchange, and what the server's document says."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from oauth.client import send
from oauth.connection_settings import ConnectionSettings
from oauth.diagnosis.contradictions import contradictions
from oauth.exchange import Exchange, Request, Step
from oauth.installation import current, now
from oauth.providers import Provider
from oauth.providers.discovery import FLAGS, LISTS, Discovery, DiscoveryError, Metadata, discover
from oauth.recorder import Record
from pages.parts.common import exchange, session

PLACES = ("walkthrough", "providers")
"""Where an address can be asked for its document."""

MOST_SHOWN = 30
"""Values of one list of the document that are drawn."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of the last press: a result, or why nothing was asked; and what the history could not keep."""

    discovery: Discovery | None
    records: tuple[Record, ...] = ()
    refused: str = ""
    not_kept: str = ""


def ask(place: str, label: str, connection: ConnectionSettings) -> Discovery | None:
    """Draw the address and its button, and what was found. ``place`` is what the keys begin with."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        typed = st.text_input(
            label,
            key=f"{place}.issuer",
            placeholder="https://login.example.com",
            help="Its document is looked for at the well-known addresses (OpenID Connect Discovery, RFC 8414).",
            persist_state="session",
        )
        pressed = st.button("Discover", key=f"{place}.discover", icon=":material/travel_explore:")
    if pressed:
        with st.spinner("Asking the server for its document"):
            st.session_state[f"{place}.discovered"] = _ask(typed or "", connection)
    asked: Asked | None = st.session_state.get(f"{place}.discovered")
    if asked is None:
        return None
    if asked.not_kept:
        st.warning("The history is not keeping these requests.")
        st.text(asked.not_kept)
    if asked.discovery is None:
        st.error("Nothing was asked.")
        st.text(asked.refused)
        return None
    _found(place, asked.discovery, asked.records)
    return asked.discovery


def compare(provider: Provider, exchanges: Sequence[Exchange]) -> None:
    """Draw what the server's document says against what was observed, if this session has read that document."""
    asked: list[Asked | None] = [st.session_state.get(f"{place}.discovered") for place in PLACES]
    documents = [item.discovery.metadata for item in asked if item and item.discovery and item.discovery.metadata]
    metadata = next((item for item in documents if item.issuer == provider.issuer), None)
    if metadata is None or not (found := contradictions(metadata, exchanges)):
        return
    with st.container(border=True, gap="small", key="walkthrough.contradictions"):
        st.markdown(":orange[:material/rule:] **The server does not do what its document says**")
        for item in found:
            row = f"row {item.row}" if item.row is not None else "not in the history"
            st.text(f"{item.member}\nsays: {item.promised}\nseen: {item.observed} ({row})")


def _ask(typed: str, connection: ConnectionSettings) -> Asked:
    recorder = current().recorder()
    records: list[Record] = []

    def sent(request: Request) -> Exchange:
        exchange = Exchange(Step.DISCOVERY, request, now(), owner=session.owner(), provider="generic")
        records.append(send(exchange, recorder, connection=connection))
        return records[-1].live

    try:
        found = discover(typed, sent)
    except DiscoveryError as error:
        return Asked(None, refused=str(error))
    return Asked(found, tuple(records), not_kept=recorder.problem)


def _found(place: str, found: Discovery, records: Sequence[Record]) -> None:
    if found.metadata is None:
        st.error("No document was found. Fill in the addresses by hand, from the server's documentation.")
    else:
        _document(found.metadata)
    with st.expander(f"What was asked ({len(found.attempts)})", key=f"{place}.looks", icon=":material/http:"):
        for number, (look, record) in enumerate(zip(found.attempts, records, strict=True), 1):
            st.caption(f"By {look.candidate.rule}")
            if look.problem:
                st.text(look.problem)
            exchange.draw(f"{place}.look.{number}", record.redacted, record.explanation)


def _document(metadata: Metadata) -> None:
    st.markdown(":green[:material/check:] The server's document is in the form")
    lines = []
    for name, meaning in LISTS.items():
        values = metadata.listed(name)
        if values:
            told = "" if metadata.says(name) else " (left out, so this holds)"
            more = f" and {len(values) - MOST_SHOWN} more" if len(values) > MOST_SHOWN else ""
            lines.append(f"{name}{told}\n    {', '.join(values[:MOST_SHOWN])}{more}\n    {meaning}")
    lines += [f"{name}\n    {meaning}" for name, meaning in FLAGS.items() if metadata.flag(name)]
    with st.expander("What the document says", icon=":material/description:"):
        st.code("\n".join(lines), language=None, wrap_lines=True)
    if metadata.problems:
        st.warning("The document has something wrong, which can be lived with.")
        st.text("\n".join(metadata.problems))
