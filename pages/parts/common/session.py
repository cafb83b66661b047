"""What one browser session holds in memory: its flow, the secrets in it, and what was sent.

Nothing here is cached or shared, and nothing of it is written anywhere but through the recorder, redacted.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, TypedDict
from urllib.parse import urlsplit

import streamlit as st

from oauth import flow as flows
from oauth.catalogue.explain import Explanation, explain
from oauth.client import send
from oauth.diagnosis import Cause, Diagnosis, Fix, NoPast, diagnose, never_came_back, preflight
from oauth.drills import sandbox_queue
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Flow, IssuerCheck, Signed, pkce
from oauth.handover import Handover
from oauth.history.past import HistoryPast
from oauth.history.store import HistoryError
from oauth.installation import current, now
from oauth.jose import assertion as assertions
from oauth.jose import dpop
from oauth.jose.assertion import Statement
from oauth.jose.keys import new_key, read_private_key
from oauth.providers import ClientAuthentication, Pkce, Provider
from oauth.recorder import Recorder
from oauth.redaction import Vault
from pages.parts.common import clock
from pages.parts.walkthrough.actions import ACTIONS

SESSION = "console"
LOCAL = "local"

CHECKED_FOR = timedelta(seconds=5)
"""How long the check of a request before it is sent stands, while the request is the same."""

STATE_LIFETIME = 3600
"""Seconds in which a callback is taken, from the moment the state was made."""

OWN_CLIENT = "own client"
OWN_SECRET = "own_client_secret"
"""Where the session keeps the secret of a client that is not ready-made."""

OWN_KEY = "own_client_key"
"""Where the session keeps the client's private key, over the flows."""

AUTHENTICATION = "client authentication"
"""Where the session keeps how the client proves itself: what was chosen last, or else what the profile says."""

FRESH = timedelta(seconds=20)
"""How long a proof or an assertion that was made for a request is good enough to be sent."""

UNFINISHED = ("authorization_pending", "slow_down")
"""Answers of a poll that are no failure: the user has not finished (RFC 8628 §3.5)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange as it is drawn: redacted, and explained and diagnosed where it failed.

    ``times`` is how often the same came back in a row, for polls.
    """

    exchange: Exchange
    explanation: Explanation | None
    diagnosis: Diagnosis | None = None
    times: int = 1

    @property
    def unfinished(self) -> bool:
        """Whether it was a poll that came too early: the server says so with an error code, and nothing failed."""
        found = self.explanation
        return found is not None and self.exchange.step is Step.TOKEN and found.error in UNFINISHED

    @property
    def failed(self) -> Explanation | None:
        """Why it failed, or ``None`` when it did not."""
        return None if self.unfinished else self.explanation


@dataclass(frozen=True, slots=True)
class Fixing:
    """A fix that was done, and the exchange it is to mend, so that before and after can be shown."""

    action: str
    fix: Fix
    before: Shown


@dataclass(frozen=True, slots=True)
class _Made:
    """What was signed for a request that was not sent yet, for what, and when."""

    subject: tuple[object, ...] = field(repr=False)
    at: datetime
    signed: Signed = field(repr=False)


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
    said: Statement = field(default_factory=Statement)
    key_problem: str = ""
    keys: tuple[Mapping[str, Any], ...] | None = None
    _made: dict[str, _Made] = field(default_factory=dict, repr=False)
    _checked: dict[str, tuple[Request, datetime, tuple[Cause, ...]]] = field(default_factory=dict)

    def begin_authorization(self, request: Request, sent: list[flows.Field]) -> None:
        """The browser was sent to the provider: record it, and wait for the callback."""
        self.flow = flows.authorized(self.flow, sent)
        self.authorizing = self.recorder.begin(self._exchange(Step.AUTHORIZE, request, now()))
        self._show("authorize", self.authorizing)
        self.opened |= {"callback"}

    def receive_pasted(self, text: str) -> None:
        """Take a pasted answer. Raises ``InputError`` when it is none, or when its ``state`` is not this flow's."""
        parameters = flows.parse_pasted(text)
        states = [value for name, value in parameters if name == "state"]
        if states and states != [self.flow.state]:
            sent, came = (self.vault.placeholder("state", value) for value in (self.flow.state, states[0]))
            raise InputError(
                f"Its state is {came}, and this flow sent {sent}: it answers another request, perhaps an older tab's. "
                "Open the authorization page again. If you are sure the code is yours, paste the code alone."
            )
        if flows.check_issuer(self.flow, parameters) is IssuerCheck.DIFFERS:
            raise InputError(
                f"Its iss is {dict(parameters)['iss']!r}, and this flow asked {self.flow.provider.issuer!r}: another "
                "server answered than the one that was asked, which is how a mix-up attack looks (RFC 9207 §2.4). The "
                "code is not used."
            )
        self.refused = ""
        address = text.strip() if "?" in text or "#" in text else ""
        self.receive(
            parameters, now(), pasted=address or f"{self.flow.redirect_uri or '/callback'}?{flows.query(parameters)}"
        )
        try:
            self.handover.use(self.flow.state)
        except HistoryError as error:
            self.recorder.problem = str(error)

    def receive(self, parameters: list[tuple[str, str]], at: datetime, *, pasted: str = "") -> None:
        """Take what came back, and complete the authorization's exchange with the answer that brought it.

        ``pasted`` is the address that the browser landed on, when a person brought it.
        """
        self.flow = flows.read_callback(self.flow, parameters, at, pasted=bool(pasted))
        for kind, value in flows.secrets_of(self.flow):
            self.vault.add(kind, value)
        callback = Request("GET", pasted or f"{self.flow.redirect_uri}?{flows.query(parameters)}")
        if not pasted and self.flow.asked_for("response_mode") == "form_post":
            form = (("Content-Type", "application/x-www-form-urlencoded"),)
            callback = Request("POST", self.flow.redirect_uri, form, flows.query(parameters).encode())
        if self.authorizing is not None:
            redirect = Response(302, "Found", (("Location", callback.url),))
            if callback.method == "POST":  # the server answered a page whose form the browser sent here
                redirect = Response(200, "OK")
            elapsed = round((at - self.authorizing.started_at).total_seconds() * 1000)
            answered = replace(self.authorizing, response=redirect, duration_ms=elapsed)
            self.recorder.complete(answered)
            self._show("authorize", answered)
            self.authorizing = None
        arrived = self._exchange(Step.CALLBACK, callback, at)
        if pasted:
            # The console's own route records the arrivals it answers; this one was answered elsewhere.
            arrived = self.recorder.begin(arrived)
        self._show("callback", arrived)
        self.opened |= {"token"}

    def press(self, action: str) -> None:
        """A send button was pressed; the page sends once it has read the fields as they stand now."""
        self.pressed = action
        made = self._made.get(action)
        if made is not None and now() - made.at > FRESH and not self._changed_by_hand(action, made.signed):
            del self._made[action]

    def take_press(self, action: str) -> bool:
        """Whether this action is to be sent. It says so once: a rerun sends nothing again."""
        if self.pressed != action:
            return False
        self.pressed = ""
        return True

    def send(self, action: str, request: Request) -> None:
        """Send a request of the flow and take what its answer gives."""
        if action == "poll" and not (self.flow.device and self.flow.device.may_poll(now())):
            return
        self.sent[action] = request
        # What is signed is for one request: the next one needs another.
        self._made.pop(action, None)
        # A drill that runs at the sandbox meanwhile has moved its clock.
        with sandbox_queue.queue_for(self.flow.provider.control).exclusive("a request of a walkthrough"):
            connection = self.flow.provider.connection
            begun = self._exchange(ACTIONS[action].step, request, now())
            exchange = send(begun, self.recorder, connection=connection)
        self._take(action, exchange)
        self._show(action, exchange)

    def _take(self, action: str, exchange: Exchange) -> None:
        """Take what an answer gives, and remember its secrets before anything of it is drawn."""
        self.flow = flows.read_nonce(self.flow, exchange)
        if (grant := ACTIONS[action].grant) is not None:
            self.flow = flows.read_tokens(self.flow, exchange, grant, flows.sent_field(exchange.request, "scope"))
            if self.flow.tokens or self.flow.application_tokens:
                self.opened |= {"call"}
        elif action == "par":
            self.flow = flows.read_pushed(self.flow, exchange)
        elif action == "device":
            self.flow = flows.read_device(self.flow, exchange)
            self.shown.pop("poll", None)
        elif action == "jwks":
            self.keys = flows.read_keys(exchange)
        for kind, value in flows.secrets_of(self.flow):
            self.vault.add(kind, value)

    @property
    def statement(self) -> Statement:
        """What the client's assertions say: what was typed, or else what the profile and the key say."""
        provider, key = self.flow.provider, self.flow.signing_key
        audience = self.said.audience or provider.issuer or provider.token_endpoint
        return Statement(audience, self.said.lifetime, self.said.kid or (key.kid if key else ""))

    def choose(self, method: Pkce, *, bound: bool, by: ClientAuthentication) -> None:
        """Choose PKCE, whether tokens are bound to a key of this session, and how the client proves itself."""
        key = (self.flow.dpop_key or new_key()) if bound else None
        self.flow = replace(self.flow, pkce=method, dpop_key=key, authentication=by)

    def forget_pushed(self) -> None:
        """Let the browser carry the parameters itself."""
        self.flow = replace(self.flow, pushed=None)

    def take_verifier(self, verifier: str) -> None:
        """Take a verifier in the place of the one that was made."""
        self.vault.add("code_verifier", verifier)
        self.flow = replace(self.flow, verifier=verifier)

    def signed(self, action: str, method: str, url: str, by: ClientAuthentication, access_token: str = "") -> Signed:
        """What this request has to have signed: the client's assertion, and the DPoP proof.

        It stays the same until what it says changes, or it was sent, so that it can be looked at and changed.
        """
        flow = self.flow
        key = flow.signing_key if by is ClientAuthentication.PRIVATE_KEY_JWT else None
        nonce = dpop.nonce_for(flow.dpop_nonces, url)
        subject = (key, self.statement, flow.client.id, flow.dpop_key, method, url, nonce, access_token)
        made = self._made.get(action)
        if made is not None and made.subject == subject:
            return made.signed
        at = now()
        assertion = proof = ""
        if key is not None:
            assertion = assertions.assertion(key, flow.client.id, self.statement, at=at, unique=secrets.token_urlsafe())
        if flow.dpop_key is not None:
            proof = dpop.proof(
                flow.dpop_key,
                method,
                url,
                at=at,
                unique=secrets.token_urlsafe(),
                nonce=nonce,
                access_token=access_token,
            )
        signed = Signed(assertion, proof)
        self.vault.add("client_assertion", assertion)
        self.vault.add("dpop", proof)
        self._made[action] = _Made(subject, at, signed)
        return signed

    def _changed_by_hand(self, action: str, signed: Signed) -> bool:
        shown = {
            "client_assertion": self.vault.placeholder("client_assertion", signed.assertion),
            "DPoP": self.vault.placeholder("dpop", signed.proof),
        }
        drawn = {name: st.session_state.get(f"{action}.field.{name}.value") for name in shown}
        return any(drawn[name] not in (None, shown[name]) for name in shown)

    def take_key(self, pasted: str) -> None:
        """Take the client's private key. Raises ``InputError`` when it cannot sign."""
        self.vault.add("private_key", pasted.strip())
        key = read_private_key(pasted)
        st.session_state[OWN_KEY] = key
        self.flow = replace(self.flow, signing_key=key)
        self.key_problem = ""

    def forget_key(self) -> None:
        """Forget the client's private key."""
        st.session_state.pop(OWN_KEY, None)
        self.flow = replace(self.flow, signing_key=None)

    def state_assertion(self, audience: str, lifetime: str, kid: str) -> None:
        """Change what the client's assertions say; a lifetime that is no number stays as it was."""
        seconds = int(lifetime) if lifetime.lstrip("-").isdecimal() else self.said.lifetime
        self.said = Statement(audience, seconds, kid)

    def was_sent(self, action: str, request: Request) -> bool:
        """Whether this is what was sent last, apart from what is signed anew each time."""
        last = self.sent.get(action)
        return last is not None and flows.unsigned(last) == flows.unsigned(request)

    def wanted_nonce(self, action: str) -> str:
        """The nonce that the server gave when it refused the last proof of this action, or an empty text."""
        last, request = self.shown.get(action), self.sent.get(action)
        if last is None or request is None or last.explanation is None:
            return ""
        if not dpop.wants_nonce(last.explanation.error, last.exchange):
            return ""
        return dpop.nonce_for(self.flow.dpop_nonces, request.url)

    @property
    def options(self) -> bool:
        """Whether the person wants to see what few requests need."""
        return bool(st.session_state.get("walkthrough.options"))

    def usual_authentication(self, action: str) -> set[ClientAuthentication]:
        """The ways to prove itself that are offered without being asked for: a secret's two, and the one in use."""
        used = ClientAuthentication(st.session_state[f"{action}.secret_in"])
        return {ClientAuthentication.BODY, ClientAuthentication.BASIC, used}

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
        elif shown.unfinished and self.sequence and self.sequence[-1].unfinished:
            self.sequence[-1] = replace(shown, times=self.sequence[-1].times + 1)
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
            causes = preflight(request, ACTIONS[action].step, past=self.past, **facts)
        except HistoryError as error:
            self.recorder.problem = str(error)
            causes = preflight(request, ACTIONS[action].step, past=NoPast(), **facts)
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
    session = Session(
        origin=origin(),
        owner=owner(),
        vault=vault,
        recorder=recorder,
        handover=Handover(installation.history.database),
        flow=Flow(
            provider,
            client,
            f"{origin()}/callback",
            state,
            now(),
            verifier=pkce.new_verifier(),
            nonce=secrets.token_urlsafe(32),
            signing_key=st.session_state.get(OWN_KEY),
        ),
        chosen=chosen,
    )
    st.session_state[SESSION] = session
    for kind, value in flows.secrets_of(session.flow):
        vault.add(kind, value)
    session.choose(provider.pkce, bound=provider.dpop, by=provider.client_authentication)
    if before is not None:
        session.flow = replace(session.flow, case=before.flow.case)
    session.expect_callback()
    return session
