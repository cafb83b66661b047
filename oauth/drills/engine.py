"""Runs a drill: through the same client as the walkthrough, with a flow of its own, and what it changed put back."""

import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from oauth import flow as flows
from oauth.client import send
from oauth.diagnosis import Diagnosis, InMemoryPast, diagnose
from oauth.drills import requests, sandbox_queue
from oauth.drills.control import Control, ControlError, Undo
from oauth.drills.outcome import Outcome, judged
from oauth.drills.schema import (
    Authorize,
    ChangeClient,
    ChangeSettings,
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
from oauth.providers import Provider
from oauth.recorder import Record, Recorder

CASE = "drill"
"""The label that a drill's rows have in the history."""

PATIENCE = 0.5
"""Seconds between two words about what a drill waits for."""

SENT = {
    Step.AUTHORIZE: "The authorization request",
    Step.TOKEN: "The token request",
    Step.REFRESH: "The refresh",
    Step.API: "The API call",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a drill runs.

    ``client`` and ``flow`` are those of the walkthrough, for a provider that is no sandbox: there nobody can give
    consent in the user's place, so a drill uses the code or the tokens that the walkthrough got. ``new_recorder``
    makes a recorder with an empty vault; every drill has its own.
    """

    provider: Provider
    client: Client
    redirect_uri: str
    new_recorder: Callable[[], Recorder]
    now: Callable[[], datetime]
    owner: str = ""
    flow: Flow | None = None

    @property
    def walked(self) -> Flow | None:
        """The walkthrough's flow, where a drill has to build on it."""
        ours = self.flow is not None and self.flow.provider.id == self.provider.id and not self.provider.control
        return self.flow if ours else None


@dataclass(frozen=True, slots=True)
class Progress:
    """A step was done, or the drill is over: then ``outcome`` is there. ``done`` steps of ``total`` are behind it."""

    drill: Drill
    done: int
    total: int
    text: str
    outcome: Outcome | None = None

    @property
    def waiting(self) -> bool:
        """Whether the drill has not begun, because another one has the sandbox; ``text`` says which."""
        return self.done == 0 and self.outcome is None


class _EndedError(Exception):
    """The drill cannot go on; the text is a sentence that says why."""


def run(drill: Drill, setting: Setting) -> Generator[Progress, None, None]:
    """Run a drill. It says what it did after every step; the last one has the outcome.

    At a sandbox it waits for its turn, and says once in ``PATIENCE`` what for. What it changed there is put back, also
    when it fails or is abandoned. Nothing is raised: an outcome's ``trouble`` says what went wrong.
    """
    if reason := unavailable(drill, setting):
        yield Progress(drill, 0, len(drill.steps), reason, judged(drill, (), None, None, reason))
        return
    with sandbox_queue.queue_at(setting.provider.control).turn(drill.title) as turn:
        while before := turn.wait(PATIENCE):
            yield Progress(drill, 0, len(drill.steps), f"Waiting for its turn. The sandbox is taken by: {before}")
        yield from _run(drill, setting)


def _run(drill: Drill, setting: Setting) -> Generator[Progress, None, None]:
    total = len(drill.steps)
    running = _Running(drill, setting)
    trouble, done = "", 0
    try:
        for done, step in enumerate(drill.steps, 1):
            try:
                text = running.do(step, last=done == total)
            except (_EndedError, ControlError, InputError) as error:
                trouble = str(error)
                break
            yield Progress(drill, done, total, text)
    finally:
        problems = running.restore()
    outcome = running.outcome(" ".join([*([trouble] if trouble else []), *problems]))
    yield Progress(drill, done, total, outcome.trouble or outcome.actual, outcome)


def preview(drill: Drill, setting: Setting) -> tuple[Request, ...]:
    """What a drill will send, redacted. A placeholder stands in the place of what is only known by then.

    Raises ``InputError`` when an address of the provider cannot be requested.
    """
    return _Running(drill, setting).preview()


def needs_confirmation(drill: Drill, setting: Setting) -> str:
    """Why a person should be asked before this drill is run; empty at the sandbox, where nothing is at stake."""
    if setting.provider.control:
        return ""
    reasons = []
    if drill.spends_code and _Running(drill, setting).spends_something():
        reasons.append("It spends this flow's code or refresh token, which cannot be used again after it.")
    if drill.could_lock_account:
        reasons.append("It sends wrong credentials: the provider may take it for an attack and lock the account.")
    return " ".join(reasons)


def unavailable(drill: Drill, setting: Setting) -> str:
    """Why this drill cannot be run there; empty when it can."""
    name = setting.provider.name
    steps = drill.steps
    wanted = {drill.client, *(step.client for step in steps if isinstance(step, Sent))} - {""}
    if missing := sorted(wanted - {ready.id for ready in setting.provider.clients}):
        return f"It asks as the sandbox's ready-made client {missing[0]}, which {name} has not got."
    if setting.provider.control:
        return ""
    if any(not isinstance(step, Sent) for step in steps):
        return f"It moves a clock, changes something or provokes a fault: only the sandbox lets it, and not {name}."
    asked = [step for step in steps if isinstance(step, Authorize)]
    if any(step != Authorize() for step in asked) or isinstance(steps[-1], Authorize):
        return f"It needs a user who decides at once: only the sandbox can be told to, and not {name}."
    flow = setting.walked
    if asked and (flow is None or not (flow.code or flow.tokens)):
        return f"It needs a code of {name}: do steps 1 and 2 of the walkthrough first."
    return ""


class _Running:
    """One run: its flow, its clock, what it sent and what is to be undone."""

    def __init__(self, drill: Drill, setting: Setting) -> None:
        self.drill = drill
        self.setting = setting
        self.recorder = setting.new_recorder()
        self.control = Control(setting.provider.control.rstrip("/"), setting.now)
        moves = sum(step.seconds for step in drill.steps if isinstance(step, MoveClock))
        # It begins that long ago and ends at the present, so that no row of the history lies in the future.
        self.offset = timedelta(seconds=-moves)
        self.flow = self._begin()
        self.first_tokens: Tokens | None = None
        self.undo: list[Undo] = []
        self.records: list[Record] = []
        self._learn()

    def now(self) -> datetime:
        """The drill's time: as much passes between two of its steps as at the sandbox, and the last one is now."""
        return self.setting.now() + self.offset

    def do(self, step: ScriptStep, *, last: bool) -> str:
        """Do one step, and say what was done. Raises ``_EndedError``, ``ControlError`` and ``InputError``."""
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
                return f"The next request meets the fault {step.name}"
        if not last and self._has(step):
            return "The walkthrough did this already"
        record = self._ask(step)
        if not last and record.explanation is not None:
            raise _EndedError(f"A request that the drill builds on did not work: {record.explanation.title}.")
        if not last and isinstance(step, Authorize) and not self.flow.code:
            raise _EndedError("The drill builds on an authorization, and no code came back.")
        return _done(record.redacted)

    def restore(self) -> list[str]:
        """Undo what was changed, the newest first, and say what could not be."""
        problems = []
        while self.undo:
            try:
                self.undo.pop()()
            except ControlError as error:
                problems.append(f"{error} Put it right on the Sandbox page.")
        return problems

    def outcome(self, trouble: str) -> Outcome:
        """What the drill came to."""
        exchanges = tuple(record.redacted for record in self.records)
        last = self.records[-1] if self.records else None
        explanation = last.explanation if last else None
        diagnosis: Diagnosis | None = None
        if last is not None and explanation is not None:
            # Its own rows are all that it needs, so that what else is in the history changes no verdict.
            past = InMemoryPast().add_all(exchanges[:-1])
            diagnosis = diagnose(last.live, explanation, flow=self.flow, past=past, vault=self.recorder.vault)
        outcome = judged(self.drill, exchanges, explanation, diagnosis, trouble)
        return replace(outcome, not_kept=self.recorder.problem)

    def preview(self) -> tuple[Request, ...]:
        """The requests of the script, with stand-ins for what is not known yet."""
        left = self._left()
        self.flow = _with_stand_ins(self.flow, self.now())
        self.first_tokens = self.flow.tokens
        found: list[Request] = []
        for step in left:
            request = self._request(step)
            found.append(request)
            if isinstance(step, Authorize):
                found.append(requests.decision_request(request, step.decision))
        return tuple(self.recorder.vault.redact(self._exchange(Step.TOKEN, request)).request for request in found)

    def spends_something(self) -> bool:
        """Whether a code or refresh token that is still good goes into a request."""
        unspent = self.flow.tokens is None
        grants = {step.grant for step in self._left() if isinstance(step, TokenRequest)}
        return unspent or bool(grants - {Grant.CLIENT_CREDENTIALS})

    def _left(self) -> list[Sent]:
        """The requests of the script that the walkthrough has not made already."""
        steps = self.drill.steps
        return [step for step in steps if isinstance(step, Sent) and (step is steps[-1] or not self._has(step))]

    def _begin(self) -> Flow:
        setting = self.setting
        if setting.walked is not None:
            return replace(setting.walked, case=CASE)
        state = secrets.token_urlsafe(32)
        flow = Flow(setting.provider, setting.client, setting.redirect_uri, state, self.now(), case=CASE)
        ready = self.drill.client or next((known.id for known in setting.provider.clients), "")
        return replace(flow, client=requests.client_of(ready, flow)) if ready else flow

    def _has(self, step: Sent) -> bool:
        """Whether the walkthrough did this, where the drill cannot give consent itself."""
        if self.setting.provider.control:
            return False
        exchanged = step == TokenRequest(grant=Grant.AUTHORIZATION_CODE) and self.flow.tokens is not None
        return exchanged or isinstance(step, Authorize)

    def _request(self, step: Sent) -> Request:
        """The step's request; an authorization is from then on what the token request has to repeat."""
        values = requests.values_of(self.flow, self.first_tokens)
        fields = requests.fields_of(step, self.flow, values)
        if isinstance(step, Authorize):
            self.flow = flows.with_authorization(self.flow, fields)
        return requests.request_of(step, self.flow, fields, values)

    def _ask(self, step: Sent) -> Record:
        request = self._request(step)
        if isinstance(step, Authorize):
            return self._authorize(request, step.decision)

        def take_tokens(exchange: Exchange) -> None:
            if isinstance(step, TokenRequest):
                self.flow = flows.read_tokens(self.flow, exchange, step.grant, flows.body_field(request, "scope"))
                self._learn()

        return self._send(requests.step_of(step), request, take_tokens)

    def _authorize(self, request: Request, decision: str) -> Record:
        """What a browser does: open the page, post the decision, and bring the answer to the redirect URI."""
        answered = self._send(Step.AUTHORIZE, request)
        if answered.live.response is not None and answered.live.response.status == 200:
            answered = self._send(Step.AUTHORIZE, requests.decision_request(request, decision))
        location = header(answered.live.response.headers, "Location") if answered.live.response else None
        if location is None:
            return answered
        self.flow = flows.read_callback(self.flow, flows.parse_pasted(location), self.now(), pasted=False)
        self._learn()
        # The drill takes it in the place of the console's route, which knows nothing of this state.
        begun = self.recorder.begin(self._exchange(Step.CALLBACK, Request("GET", location)))
        arrived = replace(begun.live, response=Response(200, "OK"), duration_ms=0)
        return self._keep(self.recorder.complete(begun, arrived))

    def _send(self, step: Step, request: Request, take: Callable[[Exchange], object] = lambda _: None) -> Record:
        connection = self.setting.provider.connection
        return self._keep(send(self._exchange(step, request), self.recorder, connection=connection, on_response=take))

    def _keep(self, record: Record) -> Record:
        self.records.append(record)
        return record

    def _exchange(self, step: Step, request: Request) -> Exchange:
        return Exchange(
            step,
            request,
            self.now(),
            flow=self.flow.id,
            owner=self.setting.owner,
            case=CASE,
            provider=self.setting.provider.id,
            client_id=self.flow.client.id,
        )

    def _learn(self) -> None:
        """The vault is told the flow's secrets before anything of them is written."""
        vault, flow = self.recorder.vault, self.flow
        vault.add("state", flow.state)
        vault.add("client_secret", flow.client.secret)
        vault.add("code", flow.code)
        for tokens in (flow.tokens, flow.application_tokens):
            if tokens is not None:
                vault.add("access_token", tokens.access_token)
                vault.add("refresh_token", tokens.refresh_token)
        if flow.tokens is not None:
            self.first_tokens = self.first_tokens or flow.tokens


def _with_stand_ins(flow: Flow, now: datetime) -> Flow:
    """The flow with something in the place of what it has not got yet."""
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


def _done(exchange: Exchange) -> str:
    if exchange.step is Step.CALLBACK:
        return "The callback came"
    if exchange.response is None:
        return f"{SENT[exchange.step]} got no answer ({exchange.failure.kind if exchange.failure else 'none recorded'})"
    return f"{SENT[exchange.step]} was answered {exchange.response.status} {exchange.response.reason}".rstrip()
