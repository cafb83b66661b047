"""What one browser session holds in memory: its flow, the secrets in it, and what was sent.

Nothing here is cached or shared, and nothing of it is written anywhere but through the recorder, redacted.
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import TypedDict
from urllib.parse import urlsplit

import streamlit as st

from oauth import flow as flows
from oauth.catalogue.explain import Explanation, explain
from oauth.client import Recorder, send
from oauth.diagnosis import Cause, Diagnosis, Fix, HistoryPast, NoPast, diagnose, never_came_back, preflight
from oauth.drills import turns
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Flow, FlowError, Grant
from oauth.history.handover import Handover
from oauth.history.store import HistoryError
from oauth.installation import current, now
from oauth.providers import Provider
from oauth.redaction import Vault
from pages.parts import clock

SESSION = "console"
LOCAL = "local"

CHECKED_FOR = timedelta(seconds=5)
"""How long the check of a request before it is sent stands, while the request is the same."""

STATE_LIFETIME = 3600
"""Seconds in which a callback is taken, from the moment the state was made."""

OWN_CLIENT = "own client"
OWN_SECRET = "own_client_secret"
"""Where the session keeps the secret of a client that is not ready-made."""

STEP_OF = {"token": Step.TOKEN, "api": Step.API, "refresh": Step.REFRESH, "application": Step.TOKEN}
GRANT_OF = {
    "token": Grant.AUTHORIZATION_CODE,
    "refresh": Grant.REFRESH_TOKEN,
    "application": Grant.CLIENT_CREDENTIALS,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange as it is drawn: redacted, and explained and diagnosed where it failed."""

    exchange: Exchange
    explanation: Explanation | None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True, slots=True)
class Fixing:
    """A fix that was done, and the exchange it is to mend, so that before and after can be shown."""

    action: str
    fix: Fix
    before: Shown


@dataclass
class Session:
    """One person's walkthrough. The vault holds the secrets of the flow, and goes with it."""

    origin: str
    owner: str
    vault: Vault
    recorder: Recorder
    handover: Handover
    flow: Flow
    shown: dict[str, Shown] = field(default_factory=dict)
    sequence: list[Shown] = field(default_factory=list)
    sent: dict[str, Request] = field(default_factory=dict, repr=False)
    chosen: str = ""
    opened: set[str] = field(default_factory=lambda: {"authorize"})
    refused: str = ""
    pressed: str = ""
    authorizing: Exchange | None = None
    revealed: str = ""
    fixing: Fixing | None = None
    _checked: dict[str, tuple[Request, datetime, tuple[Cause, ...]]] = field(default_factory=dict)

    def begin_authorization(self, request: Request, sent: list[flows.Field]) -> None:
        """The browser was sent to the provider: record it, and wait for the callback."""
        self.flow = flows.authorized(self.flow, sent)
        self.authorizing = self.recorder.begin(self._exchange(Step.AUTHORIZE, request, now()))
        self._show("authorize", self.authorizing)
        self.opened |= {"callback"}

    def receive_pasted(self, text: str) -> None:
        """Take a pasted answer. Raises ``FlowError`` when it is none, or when its ``state`` is not this flow's."""
        parameters = flows.parse_pasted(text)
        states = [value for name, value in parameters if name == "state"]
        if states and states != [self.flow.state]:
            sent, came = (self.vault.placeholder("state", value) for value in (self.flow.state, states[0]))
            raise FlowError(
                f"Its state is {came}, and this flow sent {sent}: it answers another request, perhaps an older tab's. "
                "Open the authorization page again. If you are sure the code is yours, paste the code alone."
            )
        self.refused = ""
        address = text.strip() if "?" in text else f"{self.flow.redirect_uri}?{flows.query(parameters)}"
        self.receive(parameters, now(), address, pasted=True)
        try:
            self.handover.use(self.flow.state)
        except HistoryError as error:
            self.recorder.problem = str(error)

    def receive(self, parameters: list[tuple[str, str]], at: datetime, address: str, *, pasted: bool) -> None:
        """Take what came back, and complete the authorization's exchange with the redirect that brought it."""
        self.flow = flows.read_callback(self.flow, parameters, at, pasted=pasted)
        self.vault.add("code", self.flow.code)
        if self.authorizing is not None:
            redirect = Response(302, "Found", (("Location", address),))
            elapsed = round((at - self.authorizing.started_at).total_seconds() * 1000)
            answered = replace(self.authorizing, response=redirect, duration_ms=elapsed)
            self.recorder.complete(answered)
            self._show("authorize", answered)
            self.authorizing = None
        arrived = self._exchange(Step.CALLBACK, Request("GET", address), at)
        if pasted:
            # The console's own route records the arrivals it answers; this one was answered elsewhere.
            arrived = self.recorder.begin(arrived)
        self._show("callback", arrived)
        self.opened |= {"token"}

    def press(self, action: str) -> None:
        """A send button was pressed; the page sends once it has read the fields as they stand now."""
        self.pressed = action

    def take_press(self, action: str) -> bool:
        """Whether this action is to be sent. It says so once: a rerun sends nothing again."""
        if self.pressed != action:
            return False
        self.pressed = ""
        return True

    def send(self, action: str, request: Request) -> None:
        """Send a request of the flow and take what its answer gives."""
        self.sent[action] = request
        # A drill that runs at the sandbox meanwhile has moved its clock.
        with turns.queue_at(self.flow.provider.control).taken("a request of a walkthrough"):
            connection = self.flow.provider.connection
            exchange = send(self._exchange(STEP_OF[action], request, now()), self.recorder, connection=connection)
        if (grant := GRANT_OF.get(action)) is not None:
            self.flow = flows.read_tokens(self.flow, exchange, grant, flows.sent_field(request, "scope"))
            for tokens in (self.flow.tokens, self.flow.application_tokens):
                if tokens is not None:
                    self.vault.add("access_token", tokens.access_token)
                    self.vault.add("refresh_token", tokens.refresh_token)
            if self.flow.tokens or self.flow.application_tokens:
                self.opened |= {"call"}
        self._show(action, exchange)

    def preview(self, request: Request) -> Request:
        """A request as it may be drawn: with placeholders."""
        return self.vault.redact(self._exchange(Step.TOKEN, request, now())).request

    def set_case(self, case: str) -> None:
        """Label the flow's rows, those already kept and those to come."""
        self.flow = replace(self.flow, case=case)
        try:
            self.recorder.history.set_case(self.flow.id, case)
        except HistoryError as error:
            self.recorder.problem = str(error)

    def expect_callback(self) -> None:
        """Tell the callback route which ``state`` it may take an answer for."""
        try:
            self.handover.expect(
                self.flow.state,
                flow=self.flow.id,
                owner=self.owner,
                case=self.flow.case,
                provider=self.flow.provider.id,
                client_id=self.flow.client.id,
                lifetime_seconds=STATE_LIFETIME,
            )
        except HistoryError as error:
            self.recorder.problem = str(error)

    def _exchange(self, step: Step, request: Request, at: datetime) -> Exchange:
        return Exchange(
            step,
            request,
            at,
            flow=self.flow.id,
            owner=self.owner,
            case=self.flow.case,
            provider=self.flow.provider.id,
            client_id=self.flow.client.id,
        )

    def _show(self, action: str, exchange: Exchange) -> None:
        redacted = self.vault.redact(exchange)
        explanation = explain(redacted)
        shown = Shown(redacted, explanation, self._diagnosis(exchange, explanation))
        if action == "authorize" and exchange.response is not None:
            self.sequence = [shown if kept.exchange.id == exchange.id else kept for kept in self.sequence]
        else:
            self.sequence.append(shown)
        self.shown[action] = shown

    def _diagnosis(self, exchange: Exchange, explanation: Explanation | None) -> Diagnosis | None:
        if explanation is None:
            return None
        facts: Facts = {"flow": self.flow, "vault": self.vault, "now": now(), "zone": clock.tz()}
        try:
            return diagnose(exchange, explanation, past=self.past, **facts)
        except HistoryError as error:
            self.recorder.problem = str(error)
            return diagnose(exchange, explanation, past=NoPast(), **facts)

    def preflight(self, action: str, request: Request) -> tuple[Cause, ...]:
        """What would fail if this request were sent now; asked again when it changes, and every few seconds."""
        at = now()
        checked = self._checked.get(action)
        if checked is not None and checked[0] == request and at - checked[1] < CHECKED_FOR:
            return checked[2]
        facts: Facts = {"flow": self.flow, "vault": self.vault, "now": at, "zone": clock.tz()}
        try:
            causes = preflight(request, STEP_OF[action], past=self.past, **facts)
        except HistoryError as error:
            self.recorder.problem = str(error)
            causes = preflight(request, STEP_OF[action], past=NoPast(), **facts)
        self._checked[action] = request, at, causes
        return causes

    def never_came_back(self) -> Diagnosis | None:
        """Why nothing may have come back, while an authorization is waited for."""
        if self.authorizing is None:
            return None
        try:
            facts: Facts = {"flow": self.flow, "vault": self.vault, "now": now(), "zone": clock.tz()}
            return never_came_back(authorize=self.authorizing, past=self.past, **facts)
        except HistoryError as error:
            self.recorder.problem = str(error)
            return None

    @property
    def past(self) -> HistoryPast:
        """What the history knows, as far as this person may see it."""
        return HistoryPast(self.recorder.history)


class Facts(TypedDict):
    """What a diagnosis is told besides the exchange and the past."""

    flow: Flow
    vault: Vault
    now: datetime
    zone: tzinfo


def origin() -> str:
    """The console's own address: the one it is published at, or else scheme, host and port as the browser sees it."""
    if published := current().settings.public_url:
        return published
    parts = urlsplit(st.context.url or "")
    if parts.scheme and parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"http://localhost:{st.get_option('server.port')}"


def owner() -> str:
    """Who is signed in, or ``local`` on a console without sign-in."""
    return str(st.user.get("email") or LOCAL)


def get() -> Session | None:
    """This browser session's flow, if one was started."""
    return st.session_state.get(SESSION)


def start(provider: Provider, client: Client, chosen: str) -> Session:
    """Begin a flow with a fresh ``state``, forgetting the secrets of the one before.

    ``chosen`` is what the client was picked as, so that another pick is noticed.
    """
    installation = current()
    before = get()
    state = secrets.token_urlsafe(32)
    recorder = installation.recorder()
    vault = recorder.vault
    vault.add("state", state)
    vault.add("client_secret", client.secret)
    session = Session(
        origin=origin(),
        owner=owner(),
        vault=vault,
        recorder=recorder,
        handover=installation.history.handover,
        flow=Flow(provider, client, f"{origin()}/callback", state, now()),
        chosen=chosen,
    )
    st.session_state[SESSION] = session
    if before is not None:
        session.flow = replace(session.flow, case=before.flow.case)
    session.expect_callback()
    return session
