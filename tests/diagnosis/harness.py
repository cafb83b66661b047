"""A person's walk through the sandbox over real HTTP, recorded as the console records it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx

from oauth import flow as flows
from oauth.catalogue.explain import explain
from oauth.client import send
from oauth.diagnosis import Cause, Diagnosis, diagnose, never_came_back, preflight
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Field, Flow, Grant
from oauth.history.past import HistoryPast
from oauth.history.store import History
from oauth.providers import BodyFormat, ClientAuthentication, Provider
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth_sandbox.testing import RunningSandbox
from tests.diagnosis.monotony import additions

KEY = b"0123456789abcdef0123456789abcdef"
CALLBACK = "http://localhost:8501/callback"

Edit = Callable[[list[Field]], list[Field]]
Raw = Callable[[Request], Request]


def unchanged(request: Request) -> Request:
    return request


def setting(**values: str | None) -> Edit:
    """An edit of the fields: a value, or ``None`` to leave the field out; a new name is an extra field."""

    def edit(fields: list[Field]) -> list[Field]:
        known = {item.name for item in fields}
        edited = [
            replace(item, value=values[item.name] or "", send=values[item.name] is not None)
            if item.name in values
            else item
            for item in fields
        ]
        return edited + [Field(name, value or "", "", "") for name, value in values.items() if name not in known]

    return edit


def with_body(request: Request, body: bytes, content_type: str | None = None) -> Request:
    """The request with another body, and the headers that go with it."""
    headers = [(name, str(len(body)) if name == "Content-Length" else value) for name, value in request.headers]
    if content_type is not None:
        headers = [(name, content_type if name == "Content-Type" else value) for name, value in headers]
    return replace(request, body=body, headers=tuple(headers))


def with_header(request: Request, name: str, value: str | None) -> Request:
    kept = tuple((key, old) for key, old in request.headers if key.lower() != name.lower())
    return replace(request, headers=kept if value is None else (*kept, (name, value)))


def same_fields(fields: list[Field]) -> list[Field]:
    return fields


VERDICTS = {"proves": "proven", "finds_likely": "likely", "suspects": "possible", "rules_out": "ruled out"}
"""Verdicts that the marks of a test stand for."""


@dataclass(frozen=True)
class Site:
    """A sandbox and its profile."""

    running: RunningSandbox
    provider: Provider


@dataclass
class Walk:
    """One flow of one client, with the console's clock moved along with the sandbox's."""

    running: RunningSandbox
    history: History
    provider: Provider
    client: Client
    vault: Vault
    flow: Flow = field(init=False)
    redirect_uri: str = CALLBACK
    came: Exchange | None = None
    answered: list[Exchange] = field(default_factory=list)
    judged: set[tuple[str | int, str, str]] = field(default_factory=set)
    """Error, cause and verdict of every diagnosis of a real response."""

    def __post_init__(self) -> None:
        self.begin()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self.running.sandbox.clock.offset

    @property
    def past(self) -> HistoryPast:
        return HistoryPast(self.history)

    @property
    def recorder(self) -> Recorder:
        return Recorder(self.history, self.vault)

    def wait(self, seconds: float) -> None:
        """Advance the clocks of the sandbox and the console."""
        self.running.sandbox.clock.move(seconds)

    def begin(self) -> None:
        """Begin a flow with a fresh state."""
        state = secrets.token_urlsafe(32)
        self.vault.add("state", state)
        self.vault.add("client_secret", self.client.secret)
        self.flow = Flow(self.provider, self.client, self.redirect_uri, state, self.now)

    def authorize(self, edit: Edit = same_fields, *, pasted: bool = False, decision: str = "approve") -> Exchange:
        """Send the authorization request and, if the provider redirects, receive its callback."""
        sent = edit(flows.authorization_fields(self.flow))
        request = flows.authorization_request(self.provider.authorization_endpoint, sent)
        self.flow = flows.with_authorization(self.flow, sent)
        begun = self.recorder.begin(self._exchange(Step.AUTHORIZE, request))
        answer = httpx.post(request.url, data={"decision": decision}, trust_env=False, verify=False)
        location = answer.headers.get("Location", "")
        if not location:
            assert answer.status_code == 400, "the provider shows a page of its own"
            self.answered.append(begun.live)
            return begun.live
        parameters = flows.parse_pasted(location)
        self.vault.add("code", dict(parameters).get("code", ""))
        answered = replace(begun.live, response=Response(302, "Found", (("Location", location),)), duration_ms=1)
        self.recorder.complete(begun, answered)
        arrived = self.recorder.begin(self._exchange(Step.CALLBACK, Request("GET", location)))
        came = arrived.live
        if not pasted:
            came = replace(came, response=Response(200, "OK"), duration_ms=1)
            self.recorder.complete(arrived, came)
        self.came = came
        self.answered.append(came)
        self.flow = flows.read_callback(self.flow, parameters, came.started_at, pasted=pasted)
        return answered

    def token(
        self,
        edit: Edit = same_fields,
        *,
        grant: Grant = Grant.AUTHORIZATION_CODE,
        body: BodyFormat = BodyFormat.JSON,
        by: ClientAuthentication = ClientAuthentication.BODY,
        raw: Raw = unchanged,
    ) -> Exchange:
        """Send a token request."""
        fields = edit(flows.token_fields(self.flow, grant))
        request = raw(flows.token_request(self.provider.token_endpoint, fields, body, by))
        step = Step.REFRESH if grant is Grant.REFRESH_TOKEN else Step.TOKEN
        exchange = self._sent(step, request)
        scope = next((item.value for item in fields if item.name == "scope" and item.send), "")
        self.flow = flows.read_tokens(self.flow, exchange, grant, scope)
        for tokens in (self.flow.tokens, self.flow.application_tokens):
            if tokens is not None:
                self.vault.add("access_token", tokens.access_token)
                self.vault.add("refresh_token", tokens.refresh_token)
        return exchange

    def got_tokens(self) -> Exchange:
        """Authorize and exchange the code successfully."""
        self.authorize()
        exchange = self.token()
        assert exchange.response is not None
        assert exchange.response.status == 200, exchange.response.body
        return exchange

    def refresh(self, edit: Edit = same_fields, raw: Raw = unchanged) -> Exchange:
        return self.token(edit, grant=Grant.REFRESH_TOKEN, raw=raw)

    def application(self, edit: Edit = same_fields, raw: Raw = unchanged) -> Exchange:
        return self.token(edit, grant=Grant.CLIENT_CREDENTIALS, raw=raw)

    def call(
        self, edit: Edit = same_fields, *, path: str = "/users/me", application: bool = False, raw: Raw = unchanged
    ) -> Exchange:
        """Call the API with the flow's token."""
        tokens = self.flow.application_tokens if application else self.flow.tokens
        fields = edit(flows.api_fields(self.flow, tokens))
        return self._sent(Step.API, raw(flows.api_request(f"{self.provider.api}{path}", fields)))

    def beside(self, step: Step, request: Request) -> Exchange:
        """Send a request to an endpoint beside the flow."""
        return self._sent(step, request)

    def diagnosed(self, exchange: Exchange) -> Diagnosis:
        """Diagnose a live exchange; the diagnosis of its redacted form must not contradict it."""
        explanation = explain(exchange)
        assert explanation is not None, "the request worked"
        live = diagnose(exchange, explanation, flow=self.flow, past=self.past, vault=self.vault)
        assert list(additions(exchange, flow=self.flow, past=self.past, vault=self.vault)) == []
        self._note(exchange, live, explanation.number or 0, explanation.error, explanation.answer)
        assert exchange.id is not None
        row = self.history.get(exchange.id)
        assert row is not None
        kept = diagnose(row.exchange, explanation, past=self.past)
        for each in (live, kept):
            assert_no_secret(self, repr(each))
        verdicts = {cause.id: cause.verdict.value for cause in live.causes}
        for cause in kept.causes:
            contradiction = {"proven", "ruled out"} == {cause.verdict.value, verdicts[cause.id]}
            assert not contradiction, f"{cause.id} is {verdicts[cause.id]} live and {cause.verdict} from the history"
        return live

    def never_came_back(self, exchange: Exchange) -> Diagnosis:
        """Diagnose an authorization request without a callback."""
        diagnosis = never_came_back(self.flow, exchange, past=self.past, vault=self.vault, now=self.now)
        assert_no_secret(self, repr(diagnosis))
        self._note(exchange, diagnosis, "error_page")
        return diagnosis

    def kept(self, exchange: Exchange) -> Diagnosis:
        """Diagnose the row with the history alone."""
        explanation = explain(exchange)
        assert explanation is not None
        assert exchange.id is not None
        row = self.history.get(exchange.id)
        assert row is not None
        return diagnose(row.exchange, explanation, past=self.past)

    def preflight(
        self, edit: Edit = same_fields, *, grant: Grant = Grant.AUTHORIZATION_CODE, raw: Raw = unchanged
    ) -> dict[str, Cause]:
        """Return the causes for which the token request would fail if it were sent now."""
        fields = edit(flows.token_fields(self.flow, grant))
        request = raw(flows.token_request(self.provider.token_endpoint, fields))
        step = Step.REFRESH if grant is Grant.REFRESH_TOKEN else Step.TOKEN
        causes = preflight(request, step, flow=self.flow, past=self.past, vault=self.vault, now=self.now)
        assert_no_secret(self, repr(causes))
        return {cause.id: cause for cause in causes}

    def _sent(self, step: Step, request: Request) -> Exchange:
        exchange = send(self._exchange(step, request), self.recorder).live
        self.answered.append(exchange)
        return exchange

    def _note(self, exchange: Exchange, diagnosis: Diagnosis, *errors: str | int) -> None:
        """Record the verdicts, unless a test constructed the request and response."""
        real = any(sent.request is exchange.request and sent.response is exchange.response for sent in self.answered)
        if real:
            self.judged |= {(error, cause.id, cause.verdict.value) for error in errors for cause in diagnosis.causes}

    def _exchange(self, step: Step, request: Request) -> Exchange:
        return self.flow.exchange(step, request, self.now, "local")


def assert_no_secret(walk: Walk, text: str) -> None:
    flow = walk.flow
    values = [flow.state, flow.client.secret, flow.code]
    for tokens in (flow.tokens, flow.application_tokens):
        if tokens is not None:
            values += [tokens.access_token, tokens.refresh_token]
    for value in values:
        assert not value or value not in text, f"a secret of {len(value)} characters is in {text}"


def cause(diagnosis: Diagnosis, id: str) -> Cause:
    causes = {item.id: item for item in diagnosis.causes}
    assert id in causes, f"{id} is not one of {sorted(causes)}"
    return causes[id]


def verdict(diagnosis: Diagnosis, id: str) -> str:
    return cause(diagnosis, id).verdict.value


def text(cause: Cause) -> str:
    """Join all facts of a cause."""
    return " | ".join(f"{fact.text} [{fact.where}, {fact.row}]" for fact in cause.evidence)
