"""The state of one walkthrough, in the memory of one browser session.

Nothing here is cached or shared, and only the recorder writes any of it, redacted.
"""

import os
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from oauth import flow as flows
from oauth.access import LOCAL, Person, people
from oauth.access.audit import Event, place
from oauth.access.roles import Rules
from oauth.access.seal import HEADER, Seal
from oauth.access.sign_in import Refused, load
from oauth.addresses import split
from oauth.catalogue.explain import Explanation
from oauth.diagnosis import Cause, Diagnosis, Fix
from oauth.exchange import Exchange, Request, Step
from oauth.exports import links
from oauth.flow import Client, Field, Flow, Registration, pkce
from oauth.handover import Handover, Labels
from oauth.history import typed_text
from oauth.history.database import Database
from oauth.history.neighbours import others
from oauth.history.store import History, HistoryError
from oauth.installation import current, now
from oauth.jose.keys import new_key, read_private_key
from oauth.kept_flows import KeptFlows
from oauth.providers import ClientAuthentication, Pkce, Provider
from oauth.recorder import Record, Recorder
from oauth.redaction import Vault
from oauth.settings import with_files
from pages.parts.common.signing import Signing

SESSION = "console"

_ASKED = "history.asked"
"""Key in the session state of the rows of others that were asked for."""

_PERSON = "person"
"""Key in the session state of the id and the role of the person that the session belongs to."""

OWN_CLIENT = "own client"
OWN_SECRET = "own_client_secret"
"""Key in the session state of the secret of a client that is not ready-made."""

OWN_API_KEY = "own_client_api_key"
"""Key in the session state of the API key of such a client."""

OWN_KEY = "own_client_key"
"""Key in the session state of the client's private key, which outlives a flow."""

REGISTRATIONS = "registrations"
"""Key in the session state of the clients that were registered here, by the id of their provider; see ``Session``."""

AUTHENTICATION = "client authentication"
"""Key in the session state of the client authentication: chosen last, or else the profile's."""

UNFINISHED = ("authorization_pending", "slow_down")
"""Error codes of a poll that did not fail: the user has not finished (RFC 8628 §3.5)."""


class SignedOutError(Exception):
    """The session of the person has ended, so that nothing more may be done in it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange as it is drawn: redacted, and explained and diagnosed where it failed.

    ``times`` counts the same outcome in a row, for polls.
    """

    exchange: Exchange
    explanation: Explanation | None
    diagnosis: Diagnosis | None = None
    times: int = 1

    @property
    def unfinished(self) -> bool:
        """True for an early poll: the error code says that the user has not finished, and nothing failed."""
        explanation = self.explanation
        return explanation is not None and self.exchange.step is Step.TOKEN and explanation.error in UNFINISHED

    @property
    def failed(self) -> Explanation | None:
        """The explanation of a failure, ``None`` for a success and for an early poll."""
        return None if self.unfinished else self.explanation


@dataclass(frozen=True, slots=True)
class Fixing:
    """An applied fix with the exchange that it corrects, for a comparison of before and after."""

    action: str
    fix: Fix
    before: Shown


@dataclass
class Session:
    """One user's walkthrough. The recorder's vault holds the secrets of the flow, and is discarded with it.

    By action, ``shown`` has the last outcome and ``sent`` the last request; ``sequence`` has every outcome in order.
    ``replaced`` says why this flow took the place of one that had begun. ``authorization`` is the authorization request
    that the link opens, ``authorizing`` the one that waits for its callback. ``step`` is the card that is open; the
    others that were ``opened`` are folded to a line. ``moves`` counts how often another one was opened,
    ``latest`` is the action that was sent since, whose result gets the focus. ``revealed`` is the key of a button
    and the secret that it revealed. ``slots`` has the places above the editors of the current run.
    """

    recorder: Recorder
    signing: Signing
    flow: Flow
    chosen: str = ""
    opened: set[str] = field(default_factory=lambda: {"authorize"})
    step: str = "authorize"
    moves: int = 0
    latest: str = ""
    shown: dict[str, Shown] = field(default_factory=dict)
    sequence: list[Shown] = field(default_factory=list)
    sent: dict[str, Request] = field(default_factory=dict, repr=False)
    checked: dict[str, tuple[Request, datetime, tuple[Cause, ...]]] = field(default_factory=dict, repr=False)
    authorization: tuple[Request, list[Field]] | None = field(default=None, repr=False)
    authorizing: Record | None = None
    refused: str = ""
    replaced: str = ""
    pressed: str = ""
    revealed: str = field(default="", repr=False)
    slots: dict[str, tuple[DeltaGenerator, DeltaGenerator]] = field(default_factory=dict, repr=False)
    fixing: Fixing | None = None
    keys: tuple[Mapping[str, Any], ...] | None = None

    @property
    def registered(self) -> Registration | None:
        """The client that this browser session registered at the provider, if it is not deleted."""
        return registrations().get(self.flow.provider.id)

    @property
    def vault(self) -> Vault:
        """The secrets of the flow."""
        return self.recorder.vault

    @property
    def handover(self) -> Handover:
        """The store through which the callback route hands parameters over."""
        return Handover(self.recorder.history.database, current().settings.flow_lifetime)

    @property
    def options(self) -> bool:
        """True if rarely used options are shown."""
        return bool(st.session_state.get("walkthrough.options"))

    def advance(self, flow: Flow) -> None:
        """Set the flow's next state, and add its secrets to the vault before any of it is stored or drawn."""
        self.flow = flow
        for kind, value in flows.secrets_of(flow):
            self.vault.add(kind, value)

    def choose(self, method: Pkce, *, bound: bool, by: ClientAuthentication) -> None:
        """Set PKCE, whether tokens are bound to a key of this session, and the client authentication."""
        key = (self.flow.dpop_key or new_key()) if bound else None
        self.flow = replace(self.flow, pkce=method, dpop_key=key, authentication=by)

    def forget_pushed(self) -> None:
        """Discard the reference, so that step 1 sends the parameters in the URL again."""
        self.flow = replace(self.flow, pushed=None)

    def take_key(self, pasted: str) -> None:
        """Set the client's private key. Raises ``InputError`` if it cannot sign."""
        self.vault.add("private_key", pasted.strip())
        key = read_private_key(pasted)
        st.session_state[OWN_KEY] = key
        self.flow = replace(self.flow, signing_key=key)
        self.signing.key_problem = ""

    def forget_key(self) -> None:
        """Forget the client's private key."""
        st.session_state.pop(OWN_KEY, None)
        self.flow = replace(self.flow, signing_key=None)

    def exchange(self, step: Step, request: Request, at: datetime) -> Exchange:
        """Return an exchange of this flow that was not sent yet."""
        return self.flow.exchange(step, request, at, owner())

    def go(self, card: str) -> None:
        """Open a step, and fold the one that is open."""
        self.opened |= {card}
        self.moves += card != self.step
        self.step, self.latest = card, ""

    def expect_callback(self) -> None:
        """Have the callback route accept the response of this flow, from now on for the lifetime of a flow."""
        flow = self.flow
        labels = Labels(flow.id, owner(), flow.case, flow.provider.id, flow.client.id)
        try:
            self.handover.expect(flow.state, labels)
        except HistoryError as error:
            self.recorder.problem = str(error)

    def show(self, action: str, shown: Shown) -> None:
        """Make this the last outcome of an action; repeated early polls count as one of the sequence."""
        if action == "authorize" and shown.exchange.response is not None:
            self.sequence = [shown if item.exchange.id == shown.exchange.id else item for item in self.sequence]
        elif shown.unfinished and self.sequence and self.sequence[-1].unfinished:
            self.sequence[-1] = replace(shown, times=self.sequence[-1].times + 1)
        else:
            self.sequence.append(shown)
        self.shown[action] = shown


def origin() -> str:
    """Return the console's own address: the published one, or else scheme, host and port as the browser sees it."""
    if published := current().settings.public_url:
        return published
    parts = split(st.context.url or "")
    if parts.scheme and parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"http://localhost:{st.get_option('server.port')}"


def callback_address() -> str:
    """Return the address of the callback route, which is the console's own redirect URI."""
    return f"{origin()}/callback"


def person() -> Person:
    """Return who uses this browser session: ``LOCAL`` on a console without sign-in.

    The gate passes only people, and puts who it is into a header of each connection. When another person, or the same
    one in another role, goes on in the same tab, what was left in the session is removed. Raises ``SignedOutError``
    when the session has ended.
    """
    settings = current().settings
    if settings.sign_in == "off":
        return LOCAL
    sealed = st.context.headers.get(HEADER) or ""
    try:
        user = _seal().person(sealed, now())
    except Refused as error:
        raise SignedOutError(str(error)) from error
    if user is None:
        raise SignedOutError("Your sign-in has ended.")
    identity = user.id, user.role
    if st.session_state.setdefault(_PERSON, identity) != identity:
        st.session_state.clear()
        st.session_state[_PERSON] = identity
    return user


@cache
def _seal() -> Seal:
    settings = current().settings
    sign_in = load(with_files(os.environ), settings.sign_in)
    return Seal(settings, sign_in.rules if sign_in else Rules())


def owner() -> str:
    """Return the owner of the exchanges that this session records."""
    return person().id


def address() -> str:
    """Return where the browser says that it is, for the audit; nothing is believed for it."""
    peer = st.context.ip_address
    peer = peer if isinstance(peer, str) else "this machine"  # which Streamlit does not name, nor has AppTest any
    return place(peer, st.context.headers.get_all("X-Forwarded-For"))


def audit(event: Event, object: str = "", detail: str = "", *, allowed: bool = True) -> None:
    """Record in the audit what this person is about to do. Raises ``HistoryError``: it must not be done then."""
    current().audit().record(person(), event, object, detail=detail, address=address(), allowed=allowed)


def history() -> History:
    """Return the history as this person sees it. Pages have no other."""
    return current().history.seen_by(person().sees)


def note_missing_row(number: int) -> None:
    """Record in the audit, once in a session, that a person asked for the row of another. Raises ``HistoryError``."""
    numbers: set[int] = st.session_state.setdefault(_ASKED, set())
    if person().sees is None or number in numbers:
        return
    numbers.add(number)
    if current().history.get(number) is not None:
        audit(Event.REFUSAL, f"row {number}", "the row is another's", allowed=False)


def names(ids: Collection[str]) -> dict[str, str]:
    """Return the names of people by their ids, none on a console without sign-in. Raises ``HistoryError``."""
    return {} if person() is LOCAL else people.names(database(), ids)


def neighbours() -> int:
    """Return the number of other consoles on the same database, 0 where that cannot be read."""
    try:
        return others(current().history, now())
    except HistoryError:
        return 0


def database() -> Database:
    """Return the database, for what is not an exchange of somebody: the people, and the tokens of programs."""
    return current().history.database


def kept_flows() -> KeptFlows:
    """Return the flows that are kept for browsers."""
    return KeptFlows(database(), current().settings.flow_lifetime)


def console() -> str:
    """Return the name of this process among the consoles."""
    return current().history.console


def browser() -> str:
    """Return the cookie that tells browsers apart, empty where the browser sent none."""
    value = st.context.cookies.get(links.cookie_name(current().settings))
    return value if isinstance(value, str) else ""  # without a browser, in AppTest, it is no text


def get() -> Session | None:
    """Return this browser session's walkthrough, if one was started. Raises ``SignedOutError``."""
    person()  # a fragment runs alone: what another person left in the session is removed here
    return st.session_state.get(SESSION)


def redacted(text: str, *vaults: Vault) -> str:
    """Redact a typed text before it is kept or put into an address. Raises ``HistoryError``.

    ``vaults`` are those with further secrets than this session's.
    """
    current_session, installed = get(), current()
    own = current_session.vault if current_session is not None else installed.vault()
    return typed_text.redacted(text, installed.history, own, *vaults)


def registrations() -> dict[str, Registration]:
    """Return the clients that this browser session registered, by the id of their provider."""
    by_provider: dict[str, Registration] = st.session_state.setdefault(REGISTRATIONS, {})
    return by_provider


def start(provider: Provider, client: Client, chosen: str) -> Session:
    """Begin a flow with a fresh ``state`` and a vault of its own.

    The flow before is gone with its secrets, unless its caller keeps it for *Undo*.
    ``chosen`` is the option that the client was selected by, so that another selection is noticed.
    """
    before = get()
    recorder = current().recorder()
    flow = Flow(
        provider,
        client,
        callback_address(),
        secrets.token_urlsafe(32),
        now(),
        case=before.flow.case if before is not None else "",
        verifier=pkce.new_verifier(),
        nonce=secrets.token_urlsafe(32),
        signing_key=st.session_state.get(OWN_KEY),
    )
    session = Session(recorder, Signing(recorder.vault), flow, chosen)
    session.advance(flow)
    for registration in registrations().values():
        session.vault.add("registration_access_token", registration.token)
        session.vault.add("client_secret", registration.client.secret)
    st.session_state[SESSION] = session
    session.choose(provider.pkce, bound=provider.dpop, by=provider.client_authentication)
    if provider.registration_endpoint and not client.id:
        session.go("register")
    session.expect_callback()
    return session
