"""What a diagnosis looks at: one exchange, its flow as far as it is known, and the past."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from oauth import parameters
from oauth.catalogue.explain import Explanation
from oauth.diagnosis.past import MOST_TOKENS, Past
from oauth.diagnosis.secrets import SECRET_NAMES, Secrets
from oauth.exchange import Exchange, Step, header
from oauth.flow import Flow, Grant
from oauth.parameters import Basic, Reading, Sent
from oauth.providers import Lifetimes, Provider, RequestLimit
from oauth.redaction import Vault

T = TypeVar("T")

USUAL_LIMIT = RequestLimit(requests=4500, seconds=300, pause=1800)
"""The documented request limit, where no provider profile is known."""

OF_A_USER = (Grant.AUTHORIZATION_CODE.value, Grant.REFRESH_TOKEN.value, Grant.DEVICE_CODE.value)
"""Grants whose tokens stand for a user. What the application itself may have is another matter."""

GRANTS = tuple(grant.value for grant in Grant)

USUAL_LIFETIMES = Lifetimes(code=600, access_token=86_400, refresh_token=2_592_000)
"""The documented lifetimes, where no provider profile says others."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value that the flow or the history knows, where it stands, and since when."""

    value: str = field(repr=False)
    where: str
    row: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """What is known of the authorization request and its callback. ``asked`` is ``None`` when nothing is."""

    asked: dict[str, str] | None = field(default=None, repr=False)
    where: str = ""
    row: int | None = None
    at: datetime | None = None
    code: Known | None = None
    pasted: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The token response that a token came from. ``expires_in`` is in seconds."""

    where: str
    row: int | None
    issued_at: datetime
    expires_in: int | None
    scope: str
    asked_scope: str
    grant: str
    client_id: str
    provider: str
    host: str


@dataclass(frozen=True)
class Subject:
    """One exchange under examination. ``now`` is when the diagnosis is read, for what has expired since.

    ``before_sending`` is true for a request that was not sent yet. ``zone`` is the one in which times are quoted.
    """

    exchange: Exchange
    explanation: Explanation | None
    flow: Flow | None
    past: Past
    vault: Vault | None
    now: datetime
    before_sending: bool = False
    zone: tzinfo = UTC
    _answers: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was asked of the past before: most rules ask the same."""

    # The request.

    @property
    def at(self) -> datetime:
        """When the request was sent."""
        return self.exchange.started_at

    @property
    def step(self) -> Step:
        """Where in the flow the request belongs."""
        return self.exchange.step

    @property
    def request_known(self) -> bool:
        """Whether there is a request to look at; a pasted response has none. A callback answers the authorization's."""
        if self.step is Step.CALLBACK:
            return self.authorization.asked is not None
        request = self.exchange.request
        return bool(request.url or request.body or request.headers)

    @cached_property
    def sent(self) -> Reading:
        """The request's parameters; for a callback those of the authorization request that it answers."""
        if self.step is Step.CALLBACK:
            return parameters.of_query((self.authorization.asked or {}).items())
        return parameters.read(self.exchange.request)

    @cached_property
    def basic(self) -> Basic | None:
        """The request's HTTP Basic credentials."""
        return parameters.basic(self.exchange.request)

    @cached_property
    def bearer(self) -> str:
        """What stands in the place of the access token in the ``Authorization`` header."""
        scheme, credentials = parameters.authorization(self.exchange.request)
        words = [word for word in (scheme, *credentials.split()) if word.lower() not in ("bearer", "dpop")]
        return words[-1] if len(words) == 1 else " ".join(words)

    @property
    def client_id(self) -> str:
        """The client that the request names, or else the flow's."""
        asked = self.sent.value("client_id")
        return asked or parameters.client_of(self.exchange) or (self.flow.client.id if self.flow else "")

    @property
    def grant(self) -> str:
        """The grant that the request asks by, also where it is not sent properly."""
        if self.step in (Step.AUTHORIZE, Step.CALLBACK):
            return Grant.AUTHORIZATION_CODE.value
        meant = next((item.value for item in self.sent.meant if item.name == "grant_type"), "")
        return self.sent.value("grant_type") or meant

    @property
    def provider(self) -> Provider | None:
        """The provider's profile, when there is a flow."""
        return self.flow.provider if self.flow else None

    @property
    def lifetimes(self) -> Lifetimes:
        """How long things live at this provider, in seconds."""
        return self.provider.lifetimes if self.provider else USUAL_LIFETIMES

    @property
    def request_limit(self) -> RequestLimit | None:
        """How many requests this provider takes; ``None`` where its profile does not say."""
        return self.provider.request_limit if self.provider else USUAL_LIMIT

    @property
    def host(self) -> str:
        """Host and port that the request goes to."""
        return host_of(self.exchange)

    def presented(self, kind: str) -> Sent | None:
        """The code, refresh token or access token that the request presents."""
        if kind != "access_token":
            return self.sent.get(kind)
        return Sent("Authorization", self.bearer, "request header") if self.bearer else None

    # Secrets.

    @cached_property
    def secrets(self) -> Secrets:
        """Compares and quotes the secrets of this exchange and its flow."""
        known: list[tuple[str, str]] = []
        if self.flow is not None:
            known += [("state", self.flow.state), ("client_secret", self.flow.client.secret), ("code", self.flow.code)]
            for tokens in (self.flow.tokens, self.flow.application_tokens):
                if tokens is not None:
                    known += [("access_token", tokens.access_token), ("refresh_token", tokens.refresh_token)]
        for item in (*self.sent.parameters, *self.sent.meant, *self.sent.query):
            if item.name in SECRET_NAMES:
                known.append((item.name, item.value))
        if self.basic is not None:
            known.append(("client_secret", self.basic.secret))
        known.append(("access_token", self.bearer if self.step is Step.API else ""))
        ours = {self.flow.client.id, self.flow.redirect_uri, self.flow.provider.scope} if self.flow else set()
        return Secrets(self.vault, tuple(known), frozenset((*ours, *GRANTS, self.exchange.client_id)))

    # The flow.

    @cached_property
    def rows(self) -> Sequence[Exchange]:
        """The earlier exchanges of this flow, oldest first."""
        flow = self.exchange.flow or (self.flow.id if self.flow else "")
        return tuple(self.earlier(self.past.flow(flow))) if flow else ()

    @cached_property
    def authorization(self) -> Authorization:
        """The authorization request and its callback, from the flow in memory, or else from the flow's rows."""
        asked_row = next((row for row in reversed(self.rows) if row.step is Step.AUTHORIZE), None)
        came_row = next((row for row in reversed(self.rows) if row.step is Step.CALLBACK), None)
        row, came = asked_row.id if asked_row else None, came_row.id if came_row else None
        at = asked_row.started_at if asked_row else None
        if self.flow is not None and (self.flow.authorization is not None or self.flow.callback is not None):
            code = None
            if self.flow.callback is not None and self.flow.code:
                received = self.flow.callback.received_at
                code = Known(self.flow.code, f"flow, callback at {self.clock(received)}", came, received)
            return Authorization(
                asked=None if self.flow.authorization is None else dict(self.flow.authorization),
                where="flow, authorization request",
                row=row,
                at=at or self.flow.started_at,
                code=code,
                pasted=bool(self.flow.callback and self.flow.callback.pasted),
            )
        if came_row is None and self.step is Step.TOKEN:
            came_row = self._callback_of_sent_code()
        return Authorization(
            asked=None if asked_row is None else dict(parameters.query_of(asked_row.request.url)),
            where="authorization request",
            row=row,
            at=at,
            code=self._code_of(came_row) if came_row else None,
            pasted=came_row is not None and came_row.response is None,
        )

    @cached_property
    def behind_code(self) -> Authorization:
        """The authorization that gave the code which is sent: this flow's, unless the history knows of another one."""
        known, sent = self.authorization, self.sent.value("code")
        if not sent or known.code is None or self.secrets.same("code", sent, known.code.value) is not False:
            return known
        came = self._callback_of_sent_code()
        if came is None or not came.flow:
            return known
        rows = tuple(self.earlier(self.past.flow(came.flow)))
        asked = next((row for row in reversed(rows) if row.step is Step.AUTHORIZE), None)
        return Authorization(
            asked=None if asked is None else dict(parameters.query_of(asked.request.url)),
            where="authorization request of another flow",
            row=asked.id if asked else None,
            at=asked.started_at if asked else None,
            code=self._code_of(came),
            pasted=came.response is None,
        )

    def candidates(self, kind: str) -> tuple[Known, ...]:
        """The codes or tokens that this flow knows, the one to use first."""
        if kind == "code":
            return (self.authorization.code,) if self.authorization.code else ()
        return self._once(("candidates", kind), lambda: self._tokens(kind))

    def _tokens(self, kind: str) -> tuple[Known, ...]:
        found: list[Known] = []
        if self.flow is not None:
            for tokens in (self.flow.tokens, self.flow.application_tokens):
                value = getattr(tokens, kind) if tokens else ""
                if tokens and value:
                    where = f"flow, token answer at {self.clock(tokens.issued_at)}"
                    found.append(Known(value, where, None, tokens.issued_at))
        for row in reversed(self.rows):
            if row.step in (Step.TOKEN, Step.REFRESH) and (value := parameters.member(row.response, kind)):
                found.append(Known(value, f"token answer at {self.clock(row.started_at)}", row.id, row.started_at))
        return tuple(found)

    def origin(self, kind: str, value: str) -> Origin | None:
        """The token response that gave this token, from the history or else from the flow in memory."""
        return self._once(("origin", kind, value), lambda: self._origin(kind, value))

    def _origin(self, kind: str, value: str) -> Origin | None:
        for row in self.sightings((kind,), value):
            given = parameters.member(row.response, kind)
            if row.step in (Step.TOKEN, Step.REFRESH) and given and self.secrets.same(kind, given, value):
                asked = parameters.read(row.request)
                expires = parameters.answer(row.response).get("expires_in")
                return Origin(
                    where=f"token answer at {self.clock(row.started_at)}",
                    row=row.id,
                    issued_at=row.started_at + timedelta(milliseconds=row.duration_ms or 0),
                    expires_in=expires if isinstance(expires, int) else None,
                    # RFC 6749 §5.1: a scope that is left out is the one that was asked for.
                    scope=parameters.member(row.response, "scope") or asked.value("scope"),
                    asked_scope=asked.value("scope"),
                    grant=asked.value("grant_type"),
                    client_id=parameters.client_of(row),
                    provider=row.provider,
                    host=host_of(row),
                )
        for tokens in (self.flow.tokens, self.flow.application_tokens) if self.flow else ():
            if self.flow and tokens and self.secrets.same(kind, getattr(tokens, kind), value):
                return Origin(
                    where=f"flow, token answer at {self.clock(tokens.issued_at)}",
                    row=None,
                    issued_at=tokens.issued_at,
                    expires_in=tokens.expires_in,
                    scope=tokens.scope,
                    asked_scope=tokens.requested_scope,
                    grant=tokens.grant.value,
                    client_id=self.flow.client.id,
                    provider=self.flow.provider.id,
                    host=urlsplit(self.flow.provider.token_endpoint).netloc,
                )
        return None

    # The past.

    def earlier(self, rows: Iterable[Exchange]) -> Iterator[Exchange]:
        """The rows from before this exchange."""
        for row in rows:
            if self.exchange.id is None or row.id is None:
                if row.started_at <= self.at:
                    yield row
            elif row.id < self.exchange.id:
                yield row

    def sightings(self, kinds: tuple[str, ...], value: str) -> Sequence[Exchange]:
        """The earlier exchanges in which a secret stands as one of these kinds, oldest first."""
        marks = self.secrets.fingerprints(kinds, value)
        found: Sequence[Exchange] = ()
        if marks:
            found = self._once(("sightings", marks), lambda: tuple(self.earlier(self.past.sightings(marks))))
        return found

    @cached_property
    def successes(self) -> Sequence[Exchange]:
        """The earlier token requests of this client that worked, at any provider, oldest first."""
        found = self.earlier(self._token_requests)
        return tuple(row for row in found if parameters.client_of(row) == self.client_id)

    @property
    def as_far_as_looked(self) -> str:
        """How far back the client's successes were looked for, as evidence says it of what is not among them."""
        if len(self._token_requests) >= MOST_TOKENS:
            return f"among its newest {len(self._token_requests):,} tokens"
        return f"in the newest {self.past.reach:,} rows"

    @cached_property
    def _token_requests(self) -> Sequence[Exchange]:
        return self.past.token_requests(self.client_id)

    @cached_property
    def successes_here(self) -> Sequence[Exchange]:
        """Those of ``successes`` that went to the provider, or else the host, of this request."""
        return tuple(row for row in self.successes if self.is_here(row))

    def later_elsewhere(self, origin: Origin) -> Exchange | None:
        """The newest token answer in another flow of the same client here, after ``origin``, that stands for a user."""
        flow = self.exchange.flow or (self.flow.id if self.flow else "")
        found = [
            row
            for row in self.earlier(self.past.token_requests(origin.client_id))
            if row.flow != flow
            and self.is_here(row)
            and row.started_at >= origin.issued_at
            and parameters.client_of(row) == origin.client_id
            and parameters.grant_of(row) in OF_A_USER
        ]
        return found[-1] if found else None

    def is_here(self, row: Exchange) -> bool:
        """Whether a row went to the same provider."""
        if self.exchange.provider and row.provider:
            return row.provider == self.exchange.provider
        return host_of(row) == self.host

    def exchanged(self, code: str) -> Sequence[Exchange]:
        """The earlier token requests that presented this code, oldest first."""
        if not code:
            return ()
        found = [
            row
            for row in self.sightings(("code",), code)
            if row.step is Step.TOKEN and self.secrets.same("code", parameters.read(row.request).value("code"), code)
        ]
        return tuple(found)

    @cached_property
    def flow_spent_its_code(self) -> bool:
        """Whether the flow has tokens already, so that its code is spent."""
        return any(
            row.step is Step.TOKEN
            and parameters.succeeded(row)
            and parameters.grant_of(row) == Grant.AUTHORIZATION_CODE
            for row in self.rows
        )

    def _once(self, question: Hashable, answer: Callable[[], T]) -> T:
        if question not in self._answers:
            self._answers[question] = answer()
        return cast(T, self._answers[question])

    # Words.

    def clock(self, when: datetime) -> str:
        """A time as evidence quotes it, with the date when that is not the request's."""
        when, at = when.astimezone(self.zone), self.at.astimezone(self.zone)
        told = f"{when:%H:%M:%S}" if when.date() == at.date() else f"{when:%Y-%m-%d %H:%M:%S}"
        return f"{told} UTC" if self.zone is UTC else told

    def row_text(self, row: Exchange) -> str:
        """A row as evidence names it."""
        return f"row {row.id}, {self.clock(row.started_at)}" if row.id is not None else self.clock(row.started_at)

    def outcome(self, row: Exchange) -> str:
        """What came back in a row, in a few words."""
        if row.response is None:
            return f"no answer ({row.failure.kind})" if row.failure else "no answer recorded"
        error = parameters.answer(row.response).get("error")
        return f"{row.response.status} {error}" if isinstance(error, str) else str(row.response.status)

    def _callback_of_sent_code(self) -> Exchange | None:
        code = self.sent.value("code")
        return next((row for row in self.sightings(("code",), code) if row.step is Step.CALLBACK), None)

    def _code_of(self, row: Exchange) -> Known | None:
        value = dict(parameters.query_of(row.request.url)).get("code", "")
        return Known(value, f"callback at {self.clock(row.started_at)}", row.id, row.started_at) if value else None


def host_of(exchange: Exchange) -> str:
    """Host and port that a request went to."""
    return urlsplit(exchange.request.url).netloc.rpartition("@")[2] or header(exchange.request.headers, "Host") or ""
