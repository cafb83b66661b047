"""The replay engine: it replaces what cannot exist at the sandbox, and keeps the fault and everything else."""

import secrets
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from oauth import flow as flows
from oauth import parameters
from oauth.addresses import split
from oauth.catalogue.explain import Explanation
from oauth.client import send
from oauth.drills import Setting, requests, sandbox_queue
from oauth.drills.control import Control, ControlError
from oauth.drills.schema import Authorize, ChangeClient
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Step, header
from oauth.flow import Client, Flow, Grant, Tokens
from oauth.recorder import Record
from oauth.redaction import quoted
from oauth.redaction.names import secret_kind
from oauth.replay.rewriting import named_values, rewrite
from oauth.request_builder import checked_url

CASE = "replay"
"""The case of a replay's rows in the history."""

FULL, INACTIVE, MACHINE, WEBSITE = "demo-app", "inactive-app", "machine-app", "website-app"
"""The sandbox's ready-made clients: with every grant, deactivated, with ``client_credentials`` only, without it."""

FAULTS = {
    2: "invalid_grant",
    4: "invalid_scope",
    5: "inactive client",
    6: "invalid_client",
    7: "invalid_token",
    8: "insufficient_scope",
    9: "no user",
    10: "unauthorized_client",
    11: "invalid_grant",
}
"""Faults to reproduce by documented number. Without a number, the code or the kind of answer is the fault."""

NARROW_SCOPE = "read write"
"""The scope that documented error 8 calls too narrow."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of a replay.

    ``exchanges`` are redacted, in the order they were sent; ``explanation`` is of the last one, the pasted request.
    ``same`` is true when it failed as the pasted one did, or worked as that did; without a pasted response it is false.
    ``changes`` has a sentence for each replacement. ``trouble`` says why there was no replay, why it ended early, or
    what the history could not keep; it may be empty.
    """

    exchanges: tuple[Exchange, ...] = ()
    explanation: Explanation | None = None
    same: bool = False
    changes: tuple[str, ...] = ()
    trouble: str = ""


class _EndedError(Exception):
    """The replay cannot go on; the text is a sentence with the reason."""


def replay(exchange: Exchange, explanation: Explanation | None, setting: Setting) -> Replay:
    """Send a pasted request, with its real values, to the sandbox of ``setting``, and compare the responses.

    ``explanation`` is that of the pasted response, ``None`` when it succeeded or was not pasted. Nothing is sent to the
    pasted address. Nothing is raised: ``trouble`` says what went wrong.
    """
    if reason := _unavailable(exchange, explanation, setting):
        return Replay(trouble=reason)
    running = _Run(exchange, explanation, setting)
    vault = running.recorder.vault
    try:
        with sandbox_queue.queue_for(setting.provider.control).exclusive("the replay of a pasted request"):
            running.run()
    except (_EndedError, ControlError, InputError) as error:
        return Replay(running.exchanges, None, False, tuple(running.changes), vault.redact_text(str(error)))
    result = running.records[-1].explanation
    same = exchange.response is not None and _same(explanation, result)
    return Replay(running.exchanges, result, same, tuple(running.changes), running.recorder.problem)


def _unavailable(exchange: Exchange, explanation: Explanation | None, setting: Setting) -> str:
    """Return the reason why there can be no replay; empty when there can."""
    if not setting.provider.control:
        return f"{setting.provider.name} is not a sandbox; pasted requests are sent only to a sandbox."
    if explanation is not None and explanation.kind == "provider":
        return f"This is an error of another API ({explanation.entry}); this sandbox behaves like the partner API."
    if exchange.step is Step.CALLBACK:
        return "A callback URL was pasted: it came from the provider and is not a request to send."
    if exchange.step not in (Step.AUTHORIZE, Step.TOKEN, Step.REFRESH, Step.API):
        return "The sandbox does not have this endpoint, only those of the partner API."
    if not exchange.request.method:
        return "No request was pasted, only a response. Paste both, for example the curl command and its output."
    if not parameters.read(exchange.request).body_known:
        return "The request was pasted without its body. Paste the body too: the server reads it."
    try:
        checked_url(quoted(exchange.request.url), "pasted address")
    except InputError:  # its text quotes the address, which may contain a secret
        return "The pasted address cannot be requested: it must begin with https:// and name a host."
    return ""


def _same(before: Explanation | None, after: Explanation | None) -> bool:
    if before is None or after is None:
        return before is after
    if before.number is not None:
        return after.number == before.number
    if before.kind == "registered":
        return after.error == before.error
    return after.answer == before.answer


class _Run:
    """One replay: its recorder, its replacements and its exchanges."""

    def __init__(self, exchange: Exchange, explanation: Explanation | None, setting: Setting) -> None:
        self.pasted = exchange
        self.setting = setting
        self.provider = setting.provider
        self.recorder = setting.new_recorder()
        self.control = Control(self.provider.control.rstrip("/"), setting.now, setting.control_token)
        self.fault = ""
        if explanation is not None:
            self.fault = FAULTS.get(explanation.number or 0) or explanation.error or explanation.answer
        self.records: list[Record] = []
        self.changes: list[str] = []
        self.values: dict[tuple[str, str], str] = {}
        self.named: tuple[tuple[str, str], ...] = ()
        state = secrets.token_urlsafe(32)
        self.flow = Flow(self.provider, Client("", ""), setting.redirect_uri, state, setting.now(), case=CASE)
        self._learn()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Every exchange so far, redacted, in the order sent."""
        return tuple(record.redacted for record in self.records)

    def run(self) -> None:
        """Prepare what the request needs, and send it last.

        Raises ``_EndedError``, ``ControlError`` and ``InputError``.
        """
        self.named = named_values(self.pasted.request)
        for name, value in self.named:
            if kind := secret_kind(name):
                self.recorder.vault.add(kind, value)
        request, url = self._retarget()
        # Refused credentials stay: the sandbox does not know them either.
        if self.fault not in ("invalid_client", "error_page"):
            self._act_as(self._ready_client())
            self._replace_values()
        request = rewrite(request, url, lambda name, value: self.values.get((name, value), value))
        restriction = self._restriction()
        undo = self.control.change_client(restriction) if restriction else None
        try:
            exchange = self._send(self.pasted.step, request).live
        finally:
            if undo is not None:
                undo()
        if exchange.response is None:
            detail = exchange.failure.detail if exchange.failure else ""
            raise _EndedError(f"The sandbox did not respond to the pasted request. {detail}".rstrip())

    def _value(self, name: str) -> str:
        """Return the pasted value of a name, or an empty text."""
        return next((value for known, value in self.named if known == name and value), "")

    def _substitute(self, name: str, value: str) -> bool:
        """Replace a pasted value; return true when there was one to replace."""
        before = self._value(name)
        if not before or before == value:
            return False
        self.values[name, before] = value
        return True

    def _retarget(self) -> tuple[Request, str]:
        """Return the request, and the sandbox's URL in place of its own."""
        request, provider = self.pasted.request, self.provider
        parts = split(quoted(request.url))
        path = parts.path or "/"
        known = {
            Step.AUTHORIZE: [provider.authorization_endpoint],
            Step.API: [provider.api + endpoint.path for endpoint in provider.endpoints],
        }.get(self.pasted.step, [provider.token_endpoint])
        url = next((address for address in known if urlsplit(address).path.endswith(path)), "")
        if not url and self.fault == "not_found":
            url = provider.api + path
        self.changes.append(
            f"The address: {urlsplit(url or known[0]).netloc} replaces {parts.hostname}, so that nothing is sent there."
        )
        if url:
            return request, url
        if self.pasted.step is Step.API:
            self.changes.append(
                f"The call: GET {provider.endpoints[0].path} replaces {request.method} "
                f"{self.recorder.vault.redact_url(path)}, whose data the sandbox does not have."
            )
            if request.method != "GET":
                headers = [pair for pair in request.headers if pair[0].lower() != "content-type"]
                request = replace(request, method="GET", headers=tuple(headers), body=b"")
        return request, known[0]

    def _ready_client(self) -> str:
        """Return the ready-made client with the pasted one's fault, or the one that can best be given it."""
        machine = self._value("grant_type") == Grant.CLIENT_CREDENTIALS
        if self.fault == "inactive client":
            return INACTIVE
        if self.fault == "unauthorized_client":
            return MACHINE if self.pasted.step is Step.AUTHORIZE else WEBSITE
        if self.fault == "invalid_scope" and self._refused_scope():
            return MACHINE if machine else WEBSITE
        return FULL

    def _act_as(self, id: str) -> None:
        self.flow = replace(self.flow, client=requests.client_of(id, self.flow))
        self._learn()
        if self.pasted.step is Step.API:
            return
        replaced = [self._substitute("client_id", id), self._substitute("client_secret", self.flow.client.secret)]
        if any(replaced):
            title = next(ready.title for ready in self.provider.clients if ready.id == id)
            self.changes.append(
                f"The client: the sandbox's ready-made {id} ({title}) replaces the pasted one, which is unknown there."
            )

    def _replace_values(self) -> None:
        """Replace whatever another server issued, unless it is what was refused."""
        if self.pasted.step is Step.API:
            if self._value("access_token") and self.fault not in ("invalid_token", "no_token"):
                self._replace_access_token()
        elif self.pasted.step is Step.AUTHORIZE:
            self._replace_redirect_uri()
        elif self.fault not in ("invalid_grant", "inactive client"):
            if self._value("code"):
                self._replace_code()
            if self._value("refresh_token"):
                self._substitute(
                    "refresh_token", self._tokens(Grant.AUTHORIZATION_CODE, self.provider.scope).refresh_token
                )
                self.changes.append(
                    "The refresh token: a fresh one from the sandbox, which does not know the pasted one."
                )

    def _replace_redirect_uri(self) -> None:
        if self._substitute("redirect_uri", self.setting.redirect_uri):
            self.changes.append("The redirect URI: this console's own, because the pasted one is not registered there.")

    def _replace_code(self) -> None:
        redirect_uri = self._value("redirect_uri")
        requested = self.setting.redirect_uri if redirect_uri else ""
        if self.fault == "redirect_uri_mismatch":
            # One that differs from the token request's, or that it does not repeat.
            requested = self.setting.redirect_uri + ("/" if redirect_uri == self.setting.redirect_uri else "")
        elif redirect_uri:
            self._replace_redirect_uri()
        self._authorize(self.provider.scope, requested)
        self._substitute("code", self.flow.code)
        self.changes.append("The code: a fresh one from the sandbox, which does not know the pasted one.")

    def _replace_access_token(self) -> None:
        grant, scope, what = Grant.AUTHORIZATION_CODE, self.provider.scope, "a valid one"
        if self.fault == "no user":
            grant, what = Grant.CLIENT_CREDENTIALS, "one of an application, without a user,"
        elif self.fault == "insufficient_scope":
            scope, what = NARROW_SCOPE, f"one with the scope {NARROW_SCOPE} only"
        self._substitute("access_token", self._tokens(grant, scope).access_token)
        self.changes.append(f"The access token: {what} from the sandbox, which does not know the pasted one.")

    def _refused_scope(self) -> str:
        """Return the scope to withhold from the client; empty where the sandbox refuses the request anyway."""
        known = self.provider.scope.split()
        scopes = self._value("scope").split() or known
        return scopes[-1] if set(scopes) <= set(known) else ""

    def _restriction(self) -> ChangeClient | None:
        """Return what the client must not do while the request is sent."""
        id, grant = self.flow.client.id, self._value("grant_type")
        of_users = (Grant.AUTHORIZATION_CODE, Grant.REFRESH_TOKEN)
        if self.fault == "invalid_scope" and (refused := self._refused_scope()):
            self.changes.append(f"The sandbox: {id} may not have the scope {refused} while the request is sent.")
            return ChangeClient(id=id, scopes=tuple(name for name in self.provider.scope.split() if name != refused))
        if self.fault == "unauthorized_client" and grant in of_users:
            self.changes.append(f"The sandbox: {id} may not use {grant} while the request is sent.")
            return ChangeClient(id=id, grants=tuple(other.value for other in of_users if other != grant))
        return None

    def _authorize(self, scope: str, redirect_uri: str) -> None:
        """Get a code by posting the consent form; without a redirect URI the registered one is used."""
        step = Authorize(set={"scope": scope}, leave_out=() if redirect_uri else ("redirect_uri",))
        self.flow = replace(self.flow, redirect_uri=redirect_uri or self.flow.redirect_uri)
        fields = requests.fields_of(step, self.flow, {})
        self.flow = flows.with_authorization(self.flow, fields)
        page = requests.request_of(step, self.flow, fields, {})
        record = self._send(Step.AUTHORIZE, requests.decision_request(page, "approve"))
        if location := header(record.live.response.headers, "Location") if record.live.response else None:
            callback = flows.parse_pasted(location)
            self.flow = flows.read_callback(self.flow, callback, self.setting.now(), pasted=False)
        if not self.flow.code:
            raise _EndedError(f"The replay needs a code from the sandbox, and got none.{_reason(record)}")
        self._learn()

    def _tokens(self, grant: Grant, scope: str) -> Tokens:
        """Get a user's tokens, or the application's own."""
        if grant is Grant.AUTHORIZATION_CODE:
            self._authorize(scope, self.setting.redirect_uri)
        request = flows.token_request(self.provider.token_endpoint, flows.token_fields(self.flow, grant))
        record = self._send(Step.TOKEN, request)
        self.flow = flows.read_tokens(self.flow, record.live, grant, scope)
        tokens = self.flow.application_tokens if grant is Grant.CLIENT_CREDENTIALS else self.flow.tokens
        if tokens is None:
            raise _EndedError(f"The replay needs a token of the sandbox, and got none.{_reason(record)}")
        self._learn()
        return tokens

    def _learn(self) -> None:
        """Add the flow's secrets to the vault before any of them is written."""
        for kind, value in flows.secrets_of(self.flow):
            self.recorder.vault.add(kind, value)

    def _send(self, step: Step, request: Request) -> Record:
        exchange = self.flow.exchange(step, request, self.setting.now(), self.setting.owner)
        exchange = replace(exchange, client_id=exchange.client_id or self._value("client_id"))
        record = send(exchange, self.recorder, connection=self.provider.connection)
        self.records.append(record)
        return record


def _reason(record: Record) -> str:
    return f" {record.explanation.title}." if record.explanation else ""
