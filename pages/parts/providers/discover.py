"""Discovery: the address to start from, each request as an exchange, and the content of the metadata document."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from oauth.access import Action
from oauth.client import send
from oauth.connection_settings import ConnectionSettings
from oauth.diagnosis.contradictions import contradictions
from oauth.exchange import Exchange, Request, Step
from oauth.installation import current, now
from oauth.providers import Provider
from oauth.providers.discovery import Discovery, discover
from oauth.providers.metadata import FLAGS, LISTS, Metadata
from oauth.providers.protected_resource import Resource
from oauth.providers.well_known import DiscoveryError
from oauth.recorder import Record, Recorder
from pages.parts.common import exchange, notices, session
from pages.parts.common.permissions import needs

PLACES = ("walkthrough", "providers")
"""Prefixes of the widget keys of each place that offers discovery."""

MAX_VALUES = 30
"""Values of one list of the document that are drawn."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of the last press: a discovery, or the reason it was refused; and a problem with the history."""

    discovery: Discovery | None
    records: tuple[Record, ...] = ()
    refusal: str = ""
    history_problem: str = ""


@dataclass
class Lookup:
    """A press of the button: what was typed, and its outcome, ``None`` until the discovery is over.

    An edit of another field ends the run that discovers. The outcome is set here, and the next run draws it.
    """

    typed: str
    outcome: Outcome | None = None


def draw(place: str, label: str, connection: ConnectionSettings) -> Discovery | None:
    """Draw the address with its button and the outcome. ``place`` is the prefix of the widget keys."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            label,
            key=f"{place}.issuer",
            placeholder="https://login.example.com",
            help="Reads the metadata at the well-known addresses (OpenID Connect Discovery, RFC 8414), also above the "
            "address, and what an API says about its authorization server (RFC 9728).",
            persist_state="session",
        )
        st.button(
            "Discover",
            key=f"{place}.discover",
            icon=":material/travel_explore:",
            on_click=_press,
            args=(place,),
        )
    lookup = _lookup(place)
    if lookup is None:
        return None
    if lookup.outcome is None:
        recorder, owner = current().recorder(), session.owner()
        with st.spinner("Reading the server's metadata"):
            # Nothing here talks to the page, which would end the run if a field was edited meanwhile.
            lookup.outcome = _discover(lookup.typed, connection, recorder, owner)
    outcome = lookup.outcome
    if outcome.history_problem:
        notices.warning("These requests are not saved in the history.", outcome.history_problem)
    if outcome.discovery is None:
        notices.error("Nothing was sent.", outcome.refusal)
        return None
    _result(place, outcome.discovery, outcome.records)
    return outcome.discovery


@needs(Action.SEND)
def _press(place: str) -> None:
    st.session_state[f"{place}.discovered"] = Lookup(st.session_state[f"{place}.issuer"] or "")


def _lookup(place: str) -> Lookup | None:
    lookup: Lookup | None = st.session_state.get(f"{place}.discovered")
    return lookup


def metadata_of(provider: Provider) -> Metadata | None:
    """Return the metadata of a provider's server, ``None`` if this session has not read it."""
    outcomes = [lookup.outcome for place in PLACES if (lookup := _lookup(place))]
    documents = [item.discovery.metadata for item in outcomes if item and item.discovery]
    return next((item for item in documents if item and item.issuer == provider.issuer), None)


def compare(provider: Provider, exchanges: Sequence[Exchange]) -> None:
    """Draw contradictions between the server's metadata and its behaviour, if this session has read the metadata."""
    metadata = metadata_of(provider)
    if metadata is None or not (differences := contradictions(metadata, exchanges)):
        return
    with st.container(border=True, gap="small", key="walkthrough.contradictions"):
        st.markdown(":orange[:material/rule:] **The server contradicts its metadata**")
        for item in differences:
            row = f"row {item.row}" if item.row is not None else "not in the history"
            st.text(f"{item.member}\npromised: {item.promised}\nobserved: {item.observed} ({row})")


def _discover(typed: str, connection: ConnectionSettings, recorder: Recorder, owner: str) -> Outcome:
    # A document may name any address. None of them leads to a cloud's metadata.
    allowlist = replace(recorder.policy.allowlist, published=True)
    recorder.policy = replace(recorder.policy, allowlist=allowlist)
    records: list[Record] = []

    def ask(request: Request) -> Exchange:
        exchange = Exchange(Step.DISCOVERY, request, now(), owner=owner, provider="generic")
        records.append(send(exchange, recorder, connection=connection))
        return records[-1].live

    try:
        result = discover(typed, ask)
    except DiscoveryError as error:
        return Outcome(None, refusal=str(error))
    return Outcome(result, tuple(records), history_problem=recorder.problem)


def _result(place: str, result: Discovery, records: Sequence[Record]) -> None:
    if result.metadata is not None:
        _metadata(result.metadata)
    elif result.resource is not None and result.resource.servers:
        notices.error(
            "This is an API, but none of its authorization servers has metadata. Enter the endpoints by hand.",
            *result.resource.servers,
        )
    elif records and all(record.live.failure is not None for record in records):
        st.error(
            "No server was reached, so there is nothing to read. Check the address, or enter the endpoints by hand."
        )
        st.text("\n".join(dict.fromkeys(record.explanation.cause for record in records if record.explanation)))
    else:
        st.error("No metadata was found. Enter the endpoints by hand, from the server's documentation.")
    if result.resource is not None:
        _resource(result.resource)
    with st.expander(f"Requests ({len(result.attempts)})", key=f"{place}.looks", icon=":material/http:"):
        for number, (attempt, record) in enumerate(zip(result.attempts, records, strict=True), 1):
            st.caption(f"By {attempt.rule}")
            if attempt.problem:
                st.text(attempt.problem)
            exchange.draw(f"{place}.look.{number}", record.redacted, record.explanation)


def _resource(resource: Resource) -> None:
    st.markdown(":green[:material/check:] The address is an API, which names its authorization server")
    scopes = resource.scope or " ".join(resource.scopes[:MAX_VALUES])
    lines = [f"resource   {resource.identifier}", f"server     {', '.join(resource.servers) or 'not named'}"]
    st.code("\n".join([*lines, f"scope      {scopes or 'not named'}"]), language=None, wrap_lines=True)
    if resource.problems:
        notices.warning("The API's metadata has problems. It is used without the invalid parts.", *resource.problems)


def _metadata(metadata: Metadata) -> None:
    st.markdown(":green[:material/check:] The server's metadata is filled in")
    lines = []
    for name, meaning in LISTS.items():
        values = metadata.listed(name)
        if values:
            default = "" if metadata.says(name) else " (not in the document: default)"
            more = f" and {len(values) - MAX_VALUES} more" if len(values) > MAX_VALUES else ""
            lines.append(f"{name}{default}\n    {', '.join(values[:MAX_VALUES])}{more}\n    {meaning}")
    lines += [f"{name}\n    {meaning}" for name, meaning in FLAGS.items() if metadata.flag(name)]
    with st.expander("Metadata", icon=":material/description:"):
        st.code("\n".join(lines), language=None, wrap_lines=True)
    if metadata.problems:
        notices.warning("The metadata has problems. It is used without the invalid parts.", *metadata.problems)
