"""The drill engine. It sends as the walkthrough does, with a flow of its own, and undoes its changes afterwards."""

import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from oauth import flow as flows
from oauth.catalogue.catalogues import PARTNER, name_of
from oauth.client import send
from oauth.diagnosis import Diagnosis, InMemoryPast, diagnose
from oauth.drills import requests, sandbox_queue
from oauth.drills.control import Control, ControlError, Undo
from oauth.drills.outcome import Outcome, judge
from oauth.drills.schema import (
    Authorize,
    ChangeClient,
    ChangeSettings,
    CodeExchange,
    Drill,
    Fault,
    MoveClock,
    Revoke,
    ScriptStep,
    Sent,
    TokenRequest,
)
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Response, Step, header
from oauth.flow import Callback, Client, Flow, Grant, StateCheck, Tokens
from oauth.history.schema import DRILL_CASE
from oauth.providers import Provider
from oauth.recorder import Record, Recorder

CASE = DRILL_CASE
"""The case of a drill's rows in the history."""

REPORT_INTERVAL = 0.5
"""Seconds between reports of what a drill waits for."""

REQUEST_NAMES = {
    Step.AUTHORIZE: "The authorization request",
    Step.TOKEN: "The token request",
    Step.REFRESH: "The refresh",
    Step.API: "The API call",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """The place where a drill runs.

    ``client`` and ``flow`` are those of the walkthrough. At a provider other than the sandbox nobody can consent for
    the user, so a drill uses the code or the tokens of the walkthrough. ``new_recorder`` makes a recorder with an
    empty vault; every drill has its own. ``control_token`` is the sandbox control's, empty when it needs none.
    """

    provider: Provider
    client: Client
    redirect_uri: str
    new_recorder: Callable[[], Recorder]
    now: Callable[[], datetime]
    owner: str = ""
    flow: Flow | None = None
    control_token: str = field(default="", repr=False)

    @property
    def walkthrough(self) -> Flow | None:
        """The walkthrough's flow, where a drill has to build on it."""
        matches = self.flow is not None and self.flow.provider.id == self.provider.id and not self.provider.control
        return self.flow if matches else None


@dataclass(frozen=True, slots=True)
class Progress:
    """The state after a step, with ``done`` of ``total`` steps; at the end ``outcome`` is set."""

    drill: Drill
    done: int
    total: int
    text: str
    outcome: Outcome | None = None

    @property
    def is_waiting(self) -> bool:
        """True before the first step, while another user has the sandbox; ``text`` names it."""
        return self.done == 0 and self.outcome is None


class _EndedError(Exception):
    """The drill cannot go on; the text is a sentence with the reason."""


def run(drill: Drill, setting: Setting) -> Generator[Progress, None, None]:
    """Run a drill and yield its progress after every step; the last one has the outcome.

    At the sandbox it first waits for its turn and reports every ``REPORT_INTERVAL`` what it waits for. Its changes
    there are undone, even when it fails or is abandoned. Nothing is raised: an outcome's ``trouble`` says what went
    wrong.
    """
    if reason := unavailable(drill, setting):
        yield Progress(drill, 0, len(drill.steps), reason, judge(drill, (), None, None, reason))
        return
    with sandbox_queue.queue_for(setting.provider.control).turn(drill.title) as turn:
        while before := turn.wait(REPORT_INTERVAL):
            yield Progress(drill, 0, len(drill.steps), f"Waiting for the sandbox, which is used by: {before}")
        yield from _run(drill, setting)


def _run(drill: Drill, setting: Setting) -> Generator[Progress, None, None]:
    total = len(drill.steps)
    running = _Run(drill, setting)
    trouble, count = "", 0
    try:
        running.begin()
        for count, step in enumerate(drill.steps, 1):
            text = running.do(step, last=count == total)
            yield Progress(drill, count, total, text)
    except (_EndedError, ControlError, InputError) as error:
        trouble = str(error)
    finally:
        problems = running.restore()
    outcome = running.outcome(" ".join([*([trouble] if trouble else []), *problems]))
    yield Progress(drill, count, total, outcome.trouble or outcome.actual, outcome)


def preview(drill: Drill, setting: Setting) -> tuple[Request, ...]:
    """Return the requests that a drill will send, redacted, with placeholders for values not known yet.

    Raises ``InputError`` when an address of the provider cannot be requested.
    """
    return _Run(drill, setting).preview()


def needs_confirmation(drill: Drill, setting: Setting) -> str:
    """Return the reason to ask a person first; empty at the sandbox, where nothing is at stake."""
    if setting.provider.control:
        return ""
    reasons = []
    if drill.spends_code and _Run(drill, setting).spends_something():
        reasons.append("It spends this flow's code or refresh token, which cannot be used afterwards.")
    if drill.could_lock_account:
        reasons.append("It sends wrong credentials: the provider may treat that as an attack and lock the account.")
    return " ".join(reasons)


def unavailable(drill: Drill, setting: Setting) -> str:
    """Return the reason why a drill cannot run there; empty when it can."""
    name = setting.provider.name
    steps = drill.steps
    if drill.catalogue != (setting.provider.catalogue or PARTNER):
        api = "the partner API" if drill.catalogue == PARTNER else name_of(drill.catalogue)
        return f"It produces an error of {api}, and {name} is another API."
    clients = {drill.client, *(step.client for step in steps if isinstance(step, Sent))} - {""}
    if missing := sorted(clients - {ready.id for ready in setting.provider.clients}):
        return f"It needs the sandbox's ready-made client {missing[0]}, which {name} does not have."
    if setting.provider.control:
        return ""
    if any(not isinstance(step, Sent) for step in steps):
        return f"It moves a clock, changes settings or provokes a fault, which only the sandbox allows, not {name}."
    authorizations = [step for step in steps if isinstance(step, Authorize)]
    if any(step != Authorize() for step in authorizations) or isinstance(steps[-1], Authorize):
        return f"It needs an immediate decision of the user, which only the sandbox can give, not {name}."
    flow = setting.walkthrough
    if authorizations and (flow is None or not (flow.code or flow.tokens)):
        return f"It needs a code from {name}: complete steps 1 and 2 of the walkthrough first."
    return ""


class _Run:
    """One run: its flow, its clock, its exchanges and what to undo."""

    def __init__(self, drill: Drill, setting: Setting) -> None:
        self.drill = drill
        self.setting = setting
        self.recorder = setting.new_recorder()
        self.control = Control(setting.provider.control.rstrip("/"), setting.now, setting.control_token)
        moves = sum(step.seconds for step in drill.steps if isinstance(step, MoveClock))
        # It begins in the past and ends now, so that no row of the history is in the future.
        self.offset = timedelta(seconds=-moves)
        self.flow = self._begin()
        self.first_tokens: Tokens | None = None
        self.undo: list[Undo] = []
        self.records: list[Record] = []
        self._learn()

    def now(self) -> datetime:
        """Return the drill's time: it moves with the sandbox's clock, and the last step is at the present."""
        return self.setting.now() + self.offset

    def begin(self) -> None:
        """Tell the sandbox that a drill is running. Raises ``ControlError``."""
        if self.setting.provider.control:
            self.undo.append(self.control.begin())

    def do(self, step: ScriptStep, *, last: bool) -> str:
        """Do one step and return a sentence about it. Raises ``_EndedError``, ``ControlError`` and ``InputError``."""
        match step:
            case MoveClock():
                self.undo.append(self.control.move_clock(step.seconds))
                self.offset += timedelta(seconds=step.seconds)
                return f"The clock was moved by {step.seconds:,} s"
            case ChangeClient():
                self.undo.append(self.control.change_client(step))
                return f"The client {step.id} was changed"
            case ChangeSettings():
                self.undo.append(self.control.change_settings(step))
                return "The sandbox's settings were changed"
            case Revoke():
                self.control.revoke(step, self.flow.client.id)
                return f"The {step.what.replace('_', ' ')} was revoked"
            case Fault():
                self.undo.append(self.control.add_fault(step, self.flow.client.id))
                return f"The next request will hit the fault {step.name}"
        if not last and self._has(step):
            return "Already done in the walkthrough"
        record = self._make(step)
        if not last and record.explanation is not None:
            raise _EndedError(f"A preparatory request failed: {record.explanation.title}.")
        if not last and isinstance(step, Authorize) and not self.flow.code:
            raise _EndedError("The drill needs a code, and the authorization returned none.")
        return _summary(record.redacted)

    def restore(self) -> list[str]:
        """Undo the changes, the newest first, and return what could not be undone."""
        problems = []
        while self.undo:
            try:
                self.undo.pop()()
            except ControlError as error:
                problems.append(f"{error} Correct it on the Sandbox page.")
        return problems

    def outcome(self, trouble: str) -> Outcome:
        """Return the outcome of the run."""
        exchanges = tuple(record.redacted for record in self.records)
        last = self.records[-1] if self.records else None
        explanation = last.explanation if last else None
        diagnosis: Diagnosis | None = None
        if last is not None and explanation is not None:
            # Only its own rows, so that the rest of the history changes no verdict.
            past = InMemoryPast()
            for exchange in exchanges[:-1]:
                past.add(exchange)
            diagnosis = diagnose(last.live, explanation, flow=self.flow, past=past, vault=self.recorder.vault)
            self.recorder.diagnosed(last, diagnosis)
        outcome = judge(self.drill, exchanges, explanation, diagnosis, trouble)
        return replace(outcome, not_kept=self.recorder.problem)

    def preview(self) -> tuple[Request, ...]:
        """Return the requests of the script, redacted, with placeholders."""
        remaining = self._remaining()
        self.flow = _with_placeholders(self.flow, self.now())
        self.first_tokens = self.flow.tokens
        previews: list[Request] = []
        for step in remaining:
            request = self._request(step)
            previews.append(request)
            if isinstance(step, Authorize):
                previews.append(requests.decision_request(request, step.decision))
        return tuple(self.recorder.vault.redact(self._exchange(Step.TOKEN, request)).request for request in previews)

    def spends_something(self) -> bool:
        """Return true when a request would contain an unspent code or refresh token."""
        unspent = self.flow.tokens is None
        grants = {step.grant for step in self._remaining() if isinstance(step, TokenRequest)}
        return unspent or bool(grants - {Grant.CLIENT_CREDENTIALS})

    def _remaining(self) -> list[Sent]:
        """Return the requests of the script that the walkthrough has not made."""
        steps = self.drill.steps
        return [step for step in steps if isinstance(step, Sent) and (step is steps[-1] or not self._has(step))]

    def _begin(self) -> Flow:
        setting = self.setting
        if setting.walkthrough is not None:
            return replace(setting.walkthrough, case=CASE)
        state = secrets.token_urlsafe(32)
        flow = Flow(setting.provider, setting.client, setting.redirect_uri, state, self.now(), case=CASE)
        ready = self.drill.client or next((known.id for known in setting.provider.clients), "")
        return replace(flow, client=requests.client_of(ready, flow)) if ready else flow

    def _has(self, step: Sent) -> bool:
        """Return true when the walkthrough did this, where the drill cannot give consent itself."""
        if self.setting.provider.control:
            return False
        exchanged = step == CodeExchange() and self.flow.tokens is not None
        return exchanged or isinstance(step, Authorize)

    def _request(self, step: Sent) -> Request:
        """Build the step's request; the flow remembers an authorization, which the token request has to repeat."""
        values = requests.values_of(self.flow, self.first_tokens)
        fields = requests.fields_of(step, self.flow, values)
        if isinstance(step, Authorize):
            self.flow = flows.with_authorization(self.flow, fields)
        return requests.request_of(step, self.flow, fields, values)

    def _make(self, step: Sent) -> Record:
        request = self._request(step)
        if isinstance(step, Authorize):
            return self._authorize(request, step.decision)

        def take_tokens(exchange: Exchange) -> None:
            if isinstance(step, TokenRequest):
                self.flow = flows.read_tokens(self.flow, exchange, step.grant, flows.body_field(request, "scope"))
                self._learn()

        return self._send(requests.step_of(step), request, take_tokens)

    def _authorize(self, request: Request, decision: str) -> Record:
        """Act as a browser: open the page, post the decision, and bring the response to the redirect URI."""
        record = self._send(Step.AUTHORIZE, request)
        if record.live.response is not None and record.live.response.status == 200:
            record = self._send(Step.AUTHORIZE, requests.decision_request(request, decision))
        location = header(record.live.response.headers, "Location") if record.live.response else None
        if location is None:
            return record
        self.flow = flows.read_callback(self.flow, flows.parse_pasted(location), self.now(), pasted=False)
        self._learn()
        # The console's callback route does not know this state, so the drill records the callback itself.
        begun = self.recorder.begin(self._exchange(Step.CALLBACK, Request("GET", location)))
        callback = replace(begun.live, response=Response(200, "OK"), duration_ms=0)
        return self._keep(self.recorder.complete(begun, callback))

    def _send(self, step: Step, request: Request, take: Callable[[Exchange], object] = lambda _: None) -> Record:
        connection = self.setting.provider.connection
        return self._keep(send(self._exchange(step, request), self.recorder, connection=connection, on_response=take))

    def _keep(self, record: Record) -> Record:
        self.records.append(record)
        return record

    def _exchange(self, step: Step, request: Request) -> Exchange:
        return self.flow.exchange(step, request, self.now(), self.setting.owner)

    def _learn(self) -> None:
        """Add the flow's secrets to the vault before any of them is written."""
        for kind, value in flows.secrets_of(self.flow):
            self.recorder.vault.add(kind, value)
        self.first_tokens = self.first_tokens or self.flow.tokens


def _with_placeholders(flow: Flow, now: datetime) -> Flow:
    """Return the flow with placeholders for what it does not have yet."""
    callback = Callback((("code", "the code to come"),), now, StateCheck.NOT_POSSIBLE, pasted=False)
    tokens = Tokens(
        "the access token to come", "the refresh token to come", "", "", None, "", Grant.AUTHORIZATION_CODE, now
    )
    return replace(
        flow,
        callback=flow.callback or callback,
        tokens=flow.tokens or tokens,
        application_tokens=flow.application_tokens or tokens,
    )


def _summary(exchange: Exchange) -> str:
    if exchange.step is Step.CALLBACK:
        return "The callback arrived"
    name = REQUEST_NAMES[exchange.step]
    if exchange.response is None:
        return f"{name} got no response ({exchange.failure.kind if exchange.failure else 'none recorded'})"
    return f"{name} returned {exchange.response.status} {exchange.response.reason}".rstrip()
