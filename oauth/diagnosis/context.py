"""The exchange under diagnosis with its context: its flow, as far as it is known, and the past."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property

from oauth import parameters
from oauth.addresses import host_of, split
from oauth.catalogue.explain import Explanation
from oauth.diagnosis.before import Before
from oauth.diagnosis.known import Authorization, Known, Origin
from oauth.diagnosis.past import NoPast, Past
from oauth.diagnosis.readings import TOKENS, Readings
from oauth.diagnosis.secrets import SECRET_NAMES, Secrets
from oauth.exchange import Exchange, Part, Step, header
from oauth.flow import Flow, Grant, secrets_of
from oauth.flow.response_body import seconds
from oauth.moments import later
from oauth.parameters import Basic, Reading, Sent
from oauth.providers import Lifetimes, Provider, RequestLimit
from oauth.providers.terms import is_partner, terms_of
from oauth.redaction import Vault

GRANTS = tuple(grant.value for grant in Grant)


@dataclass(frozen=True)
class Context:
    """One exchange under diagnosis. ``now`` is the time of the diagnosis, by which codes and tokens may have expired.

    ``before_sending`` is true for a request that has not been sent yet. Times are quoted in ``zone``.

    ``unknown`` has the parts of the exchange that its source does not show. What is not in one of them may have been
    there: nothing is proven by it. With ``is_everywhere`` every row counts as one of this exchange's site, whose
    terms are unknown, and with ``is_strict`` a body without a ``Content-Type`` cannot be read. ``readings`` may be
    shared by the exchanges of one paste.
    """

    exchange: Exchange
    explanation: Explanation | None
    flow: Flow | None
    past: Past
    vault: Vault | None
    now: datetime
    before_sending: bool = False
    zone: tzinfo = UTC
    unknown: frozenset[Part] = frozenset()
    is_everywhere: bool = False
    is_strict: bool = False
    readings: Readings = field(default_factory=Readings, repr=False, compare=False)
    _resolved: dict[str, tuple[Known, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _origins: dict[tuple[str, str], Origin | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    # The request.

    @property
    def at(self) -> datetime:
        """The time at which the request was sent."""
        return self.exchange.started_at

    @property
    def step(self) -> Step:
        """The step of the request."""
        return self.exchange.step

    @property
    def request_known(self) -> bool:
        """True unless only a response was pasted. For a callback it is the authorization request that counts."""
        if self.step is Step.CALLBACK:
            return self.authorization.parameters is not None
        request = self.exchange.request
        return bool(request.url or request.body or request.headers)

    def is_known(self, *parts: Part) -> bool:
        """Return whether all of these parts of the exchange are known, be they empty or not."""
        return self.unknown.isdisjoint(parts)

    @property
    def is_body_known(self) -> bool:
        """True when the request's body is known, be it empty or not."""
        return self.is_known(Part.REQUEST_BODY) and self.sent.body_known

    @property
    def is_place_known(self) -> bool:
        """True when the provider or the host of the request is known."""
        return bool(self.exchange.provider or self.host)

    def is_left_out(self, name: str) -> bool | None:
        """Return whether a parameter is nowhere in the request; ``None`` when a part that may have it is unknown.

        A parameter where the server does not look, or in a format that it does not read, is not left out.
        """
        if self.sent.anywhere(name) is not None:
            return False
        is_credential = name in ("client_id", "client_secret")
        if is_credential and self.basic is not None:
            return False
        if self.step in (Step.AUTHORIZE, Step.CALLBACK):
            return True if self.step is Step.CALLBACK or self.exchange.request.url else None
        is_whole = self.is_body_known and (self.is_known(Part.REQUEST_HEADERS) or not is_credential)
        return True if is_whole and self.exchange.request.url else None

    def header(self, name: str) -> str | None:
        """Return the first value of a header of the request."""
        return header(self.exchange.request.headers, name)

    def completions(self) -> Iterator["Context"]:
        """Yield other readings of what is unknown: a cause is proven only if it is in each of them."""
        if not self.is_known(Part.TIME):  # a row may be from before or from after it
            yield replace(self, past=NoPast(), flow=None)
        if not self.is_place_known:
            yield replace(self, is_everywhere=True)
        if not self.is_known(Part.REQUEST_HEADERS):
            yield replace(self, is_strict=True)

    @cached_property
    def sent(self) -> Reading:
        """The request's parameters; for a callback those of its authorization request."""
        if self.step is Step.CALLBACK:
            return parameters.of_query((self.authorization.parameters or {}).items())
        request = self.exchange.request
        if not self.is_known(Part.METHOD):
            request = replace(request, method="")
        return parameters.read(request, type_known=self.is_strict or self.is_known(Part.REQUEST_HEADERS))

    @cached_property
    def basic(self) -> Basic | None:
        """The request's HTTP Basic credentials."""
        return parameters.basic(self.exchange.request)

    @property
    def api_key_header(self) -> str:
        """The header in which this provider wants an API key; empty when it wants none, or that is unknown."""
        return self.terms.api_key_header if self.terms else ""

    @property
    def api_key_kind(self) -> str:
        """The kind of secret that this provider's API key is."""
        return self.terms.api_key_kind if self.terms else "api_key"

    @property
    def api_key(self) -> str | None:
        """The API key in the request, ``None`` without one."""
        return self.header(self.api_key_header) if self.api_key_header else None

    @cached_property
    def bearer(self) -> str:
        """The text in place of the access token in the ``Authorization`` header."""
        scheme, credentials = parameters.authorization(self.exchange.request)
        words = [word for word in (scheme, *credentials.split()) if word.lower() not in ("bearer", "dpop")]
        return words[-1] if len(words) == 1 else " ".join(words)

    @property
    def is_about_user(self) -> bool:
        """True for a call of the documented provider about the user who approved, as its path says."""
        return self.is_documented and split(self.exchange.request.url).path.rstrip("/").endswith("/users/me")

    @cached_property
    def client_id(self) -> str:
        """The client id in the request, or else the flow's."""
        return (
            self.sent.value("client_id")
            or parameters.client_of(self.exchange)
            or (self.flow.client.id if self.flow else "")
        )

    @property
    def grant(self) -> str:
        """The grant type of the request, even if it is not sent correctly."""
        if self.step in (Step.AUTHORIZE, Step.CALLBACK):
            return Grant.AUTHORIZATION_CODE.value
        sent = self.sent.anywhere("grant_type")
        return self.sent.value("grant_type") or (sent.value if sent else "")

    @property
    def provider(self) -> Provider | None:
        """The provider's profile, when there is a flow."""
        return self.flow.provider if self.flow else None

    @property
    def lifetimes(self) -> Lifetimes:
        """Lifetimes of codes and tokens at this provider, in seconds."""
        return self.terms.lifetimes if self.terms else Lifetimes()

    @property
    def request_limit(self) -> RequestLimit | None:
        """The provider's request limit; ``None`` when it is unknown."""
        return self.terms.request_limit if self.terms else None

    @cached_property
    def terms(self) -> Provider | None:
        """The profile with the documented terms: the flow's, or else the built-in one of this exchange's provider."""
        reason = self.explanation
        documented = reason is not None and (reason.number is not None or reason.answer == "missing_version")
        if self.provider is not None or self.is_everywhere:
            return self.provider
        return terms_of(self.exchange.request.url, self.exchange.provider, has_documented_text=documented)

    @property
    def description(self) -> str:
        """The server's words; empty without any."""
        return self.explanation.error_description if self.explanation else ""

    @cached_property
    def is_documented(self) -> bool:
        """True when the documented provider is known to have responded, whose behaviour is documented too."""
        if not self.is_place_known or self.is_everywhere:
            return False
        id = self.exchange.provider or (self.provider.id if self.provider else "")
        return is_partner(self.exchange.request.url, id)

    @property
    def host(self) -> str:
        """Host and port of the request."""
        return host_of(self.exchange.request.url)

    def presented(self, kind: str) -> Sent | None:
        """Return the code, refresh token or access token in the request."""
        if kind != "access_token":
            return self.sent.get(kind)
        return Sent("Authorization", self.bearer, "request header") if self.bearer else None

    # Secrets.

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets of this exchange and its flow, for comparing and quoting."""
        known = list(secrets_of(self.flow)) if self.flow else []
        for item in (*self.sent.parameters, *self.sent.meant, *self.sent.query):
            if item.name in SECRET_NAMES:
                known.append((item.name, item.value))
        if self.basic is not None:
            known.append(("client_secret", self.basic.secret))
        known.append(("access_token", self.bearer if self.step is Step.API else ""))
        known.append((self.api_key_kind, self.api_key or ""))
        ours = {self.flow.client.id, self.flow.redirect_uri, self.flow.provider.scope} if self.flow else set()
        return Secrets(self.vault, tuple(known), frozenset((*ours, *GRANTS, self.exchange.client_id)))

    # The flow.

    @cached_property
    def before(self) -> Before:
        """The rows of the flow and of the history from before this exchange."""
        flow = self.exchange.flow or (self.flow.id if self.flow else "")
        return Before(self.exchange, flow, self.past, self.is_everywhere)

    @cached_property
    def authorization(self) -> Authorization:
        """The authorization request and its callback, from the flow in memory or else from the flow's rows."""
        request = next((row for row in reversed(self.before.rows) if row.step is Step.AUTHORIZE), None)
        callback = next((row for row in reversed(self.before.rows) if row.step is Step.CALLBACK), None)
        if self.flow is not None and (self.flow.authorization is not None or self.flow.callback is not None):
            code = None
            if self.flow.callback is not None and self.flow.code:
                received = self.flow.callback.received_at
                code = Known(self.flow.code, "flow, callback", callback.id if callback else None, received)
            return Authorization(
                parameters=None if self.flow.authorization is None else dict(self.flow.authorization),
                where="flow, authorization request",
                row=request.id if request else None,
                at=request.started_at if request else self.flow.started_at,
                code=code,
                pasted=bool(self.flow.callback and self.flow.callback.pasted),
            )
        if callback is None and self.step is Step.TOKEN:
            callback = self._callback_of_sent_code()
        return self._authorization_of(request, callback, "authorization request")

    @cached_property
    def behind_code(self) -> Authorization:
        """The authorization that issued the code in the request: this flow's, unless the history knows another one."""
        known, sent = self.authorization, self.sent.value("code")
        if not sent or known.code is None or self.secrets.same("code", sent, known.code.value) is not False:
            return known
        callback = self._callback_of_sent_code()
        if callback is None or not callback.flow:
            return known
        rows = self.before.of_flow(callback.flow)
        request = next((row for row in reversed(rows) if row.step is Step.AUTHORIZE), None)
        return self._authorization_of(request, callback, "authorization request of another flow")

    def _authorization_of(self, request: Exchange | None, callback: Exchange | None, where: str) -> Authorization:
        return Authorization(
            parameters=None if request is None else dict(parameters.query_of(request.request.url)),
            where=where,
            row=request.id if request else None,
            at=request.started_at if request else None,
            code=self._code_of(callback) if callback else None,
            pasted=callback is not None and callback.response is None,
        )

    def candidates(self, kind: str) -> tuple[Known, ...]:
        """Return the codes or tokens that this flow knows, the preferred one first."""
        if kind == "code":
            return (self.authorization.code,) if self.authorization.code else ()
        return self._tokens[kind]

    def resolved(self, kind: str) -> tuple[Known, ...]:
        """Return the same with the real values of this session's: those are comparable in every character."""
        if kind not in self._resolved:
            known, vault = self.candidates(kind), self.vault
            if vault is not None:
                known = tuple(item.resolved(vault) for item in known)
            self._resolved[kind] = known
        return self._resolved[kind]

    @cached_property
    def _tokens(self) -> dict[str, tuple[Known, ...]]:
        issued = self.readings.tokens(reversed(self.before.rows))
        return {kind: (*self._of_flow(kind), *issued[kind]) for kind in TOKENS}

    def _of_flow(self, kind: str) -> Iterator[Known]:
        for tokens in (self.flow.tokens, self.flow.application_tokens) if self.flow else ():
            if tokens and (value := getattr(tokens, kind)):
                yield Known(value, "flow, token response", None, tokens.issued_at)

    def origin(self, kind: str, value: str) -> Origin | None:
        """Return the token response that issued this token, from the history or else from the flow in memory."""
        key = (kind, value)
        if key not in self._origins:
            self._origins[key] = self._origin(kind, value)
        return self._origins[key]

    def _origin(self, kind: str, value: str) -> Origin | None:
        for row in self.sightings((kind,), value):
            if row.step not in (Step.TOKEN, Step.REFRESH):
                continue
            reading = self.readings.of(row)
            if (issued := reading.text(kind)) and self.secrets.same(kind, issued, value):
                request = reading.sent
                return Origin(
                    where=f"token response at {self.clock(row.started_at)}",
                    row=row.id,
                    issued_at=later(row.started_at, (row.duration_ms or 0) / 1000),
                    expires_in=seconds(reading.received.get("expires_in")),
                    # RFC 6749 §5.1: without a scope, the requested one was granted.
                    scope=reading.text("scope") or request.value("scope"),
                    requested_scope=request.value("scope"),
                    grant=request.value("grant_type"),
                    client_id=reading.client_id,
                    provider=row.provider,
                    host=host_of(row.request.url),
                )
        for tokens in (self.flow.tokens, self.flow.application_tokens) if self.flow else ():
            if self.flow and tokens and self.secrets.same(kind, getattr(tokens, kind), value):
                return Origin(
                    where=f"flow, token response at {self.clock(tokens.issued_at)}",
                    row=None,
                    issued_at=tokens.issued_at,
                    expires_in=tokens.expires_in,
                    scope=tokens.scope,
                    requested_scope=tokens.requested_scope,
                    grant=tokens.grant.value,
                    client_id=self.flow.client.id,
                    provider=self.flow.provider.id,
                    host=host_of(self.flow.provider.token_endpoint),
                )
        return None

    # The past.

    def sightings(self, kinds: tuple[str, ...], value: str) -> Sequence[Exchange]:
        """Return the earlier exchanges in which a secret stands as one of these kinds, oldest first."""
        placeholders = self.secrets.fingerprints(kinds, value)
        return self.before.sightings(placeholders) if placeholders else ()

    @cached_property
    def successes(self) -> Sequence[Exchange]:
        """The earlier token requests of this client that succeeded, at any provider, oldest first."""
        rows = self.before.token_requests(self.client_id)
        return tuple(row for row in rows if self.readings.of(row).client_id == self.client_id)

    @cached_property
    def successes_here(self) -> Sequence[Exchange]:
        """Those of ``successes`` that went to the provider, or else the host, of this request."""
        return tuple(filter(self.before.is_here, self.successes))

    def exchanged(self, code: str) -> Sequence[Exchange]:
        """Return the earlier token requests that presented this code, oldest first."""
        if not code:
            return ()
        rows = [
            row
            for row in self.sightings(("code",), code)
            if row.step is Step.TOKEN and self.secrets.same("code", self.readings.of(row).sent.value("code"), code)
        ]
        return tuple(rows)

    # Words.

    def clock(self, when: datetime) -> str:
        """Format a time for evidence, with the date if it is not the request's."""
        when, at = when.astimezone(self.zone), self.at.astimezone(self.zone)
        text = f"{when:%H:%M:%S}" if when.date() == at.date() else f"{when:%Y-%m-%d %H:%M:%S}"
        return f"{text} UTC" if self.zone is UTC else text

    def place_of(self, known: Known) -> str:
        """Name what a code or token was read from, with its time."""
        return f"{known.source} at {self.clock(known.at)}"

    def row_text(self, row: Exchange) -> str:
        """Name a row for evidence, with its time."""
        return f"row {row.id}, {self.clock(row.started_at)}" if row.id is not None else self.clock(row.started_at)

    def outcome(self, row: Exchange) -> str:
        """Summarise the outcome of a row: status and error, the error of a callback, or the failure."""
        if row.step is Step.CALLBACK and (error := dict(parameters.query_of(row.request.url)).get("error")):
            return error
        if row.response is None:
            return f"no response ({row.failure.kind})" if row.failure else "no response recorded"
        error = parameters.members(row.response).get("error")
        status = str(row.response.status or "an error of unknown status")
        return f"{row.response.status or ''} {error}".strip() if isinstance(error, str) else status

    def _callback_of_sent_code(self) -> Exchange | None:
        code = self.sent.value("code")
        return next((row for row in self.sightings(("code",), code) if row.step is Step.CALLBACK), None)

    def _code_of(self, row: Exchange) -> Known | None:
        value = dict(parameters.query_of(row.request.url)).get("code", "")
        return Known(value, "callback", row.id, row.started_at) if value else None
