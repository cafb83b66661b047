"""One thing done wrong at a server that nobody here has seen, and the answers that servers give to it.

Each scenario is the truth about one cause; to every other cause it is another explanation of the same answer.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, quote_plus, urlencode

from oauth.catalogue.explain import explain
from oauth.diagnosis import Diagnosis, InMemoryPast, diagnose
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Flow
from oauth.providers import Provider
from oauth.redaction import Vault

START = datetime(2026, 11, 28, 12, tzinfo=UTC)
ID, SECRET = "an-app-of-ours", "kXw81mPz0-secret-of-an-app-44"
CALLBACK = "https://app.example/cb"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
TOKEN, AUTHORIZE, API = "https://as.example/token", "https://as.example/authorize", "https://as.example/api/me"
USERINFO, REVOKE, DEVICE = "https://as.example/userinfo", "https://as.example/revoke", "https://as.example/device"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VALUES = {
    "code": "code-0123456789abcdef-{}", "access_token": "access-fedcba9876543210-{}",
    "refresh_token": "refresh-a1b2c3d4e5f60718-{}", "id_token": "id-token-99aa88bb77cc66dd-{}",
    "device_code": "device-1029384756aabbcc-{}",
}  # fmt: skip

SERVER = Provider("other", "Other", authorization_endpoint=AUTHORIZE, token_endpoint=TOKEN)

Answer = tuple[int, str]
Fields = dict[str, str | None]

GENERIC: tuple[Answer, ...] = (
    (400, '{"error": "invalid_request"}'),
    (400, '{"error": "E_REFUSED", "error_description": "Bad Request"}'),
    (400, '{"message": "nope"}'),
    (400, ""),
    (400, "Bad Request"),
    (400, "<html><body><h1>Bad Request</h1></body></html>"),
)
"""Answers of a token endpoint that say nothing about what is wrong."""


def said(error: str, description: str = "", status: int = 400) -> Answer:
    members = {"error": error} | ({"error_description": description} if description else {})
    return status, json.dumps(members)


@dataclass
class World:
    """A client's past at one server: a flow that worked a day ago, and one that has its code and nothing else yet."""

    vault: Vault = field(default_factory=lambda: Vault(b"0123456789abcdef0123456789abcdef"))
    past: InMemoryPast = field(default_factory=InMemoryPast)
    now: datetime = START
    number: int = 0
    pkce: bool = True
    scope: str = "read write"
    flow: Flow | None = None

    def __post_init__(self) -> None:
        for name, value in (("client_secret", SECRET), ("code_verifier", VERIFIER)):
            self.vault.add(name, value)

    def value(self, name: str, flow: str) -> str:
        """The code or token of a flow, which the vault knows."""
        value = VALUES[name].format(flow)
        self.vault.add(name, value)
        return value

    def add(
        self, step: Step, request: Request, status: int, body: str = "", flow: str = "now", **more: str
    ) -> Exchange:
        """Record an exchange that happened."""
        exchange = self.exchange(step, request, (status, body), flow, **more)
        self.past.add(self.vault.redact(exchange))
        return exchange

    def exchange(self, step: Step, request: Request, answer: Answer, flow: str = "now", **more: str) -> Exchange:
        self.now += timedelta(seconds=2)
        self.number += 1
        status, body = answer
        kind = JSON if body[:1] == "{" else "text/html" if body[:1] == "<" else "text/plain"
        response = Response(status, "", (("Content-Type", kind),) if body else (), body.encode())
        client_id = more.get("client_id", ID)
        return Exchange(step, request, self.now, response, None, 10, self.number, flow=flow, client_id=client_id)

    def asked(self, flow: str = "now", **fields: str | None) -> None:
        """An authorization request and its callback."""
        parameters: Fields = {"response_type": "code", "client_id": ID, "redirect_uri": CALLBACK, "scope": self.scope,
                              "state": f"state-of-the-flow-0123456-{flow}"}  # fmt: skip
        if self.pkce:
            parameters |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        self.vault.add("state", f"state-of-the-flow-0123456-{flow}")
        url = f"{AUTHORIZE}?{urlencode(kept(parameters | fields))}"
        client_id = str(fields.get("client_id", ID))
        self.add(Step.AUTHORIZE, Request("GET", url), 302, flow=flow, client_id=client_id)
        back = {"code": self.value("code", flow), "state": f"state-of-the-flow-0123456-{flow}"}
        self.add(Step.CALLBACK, Request("GET", f"{CALLBACK}?{urlencode(back)}"), 200, flow=flow, client_id=client_id)

    def issued(
        self, flow: str = "now", request: Request | None = None, step: Step = Step.TOKEN, **members: object
    ) -> None:
        """A token response."""
        tokens = {name: self.value(name, flow) for name in ("access_token", "refresh_token", "id_token")}
        body = json.dumps({**tokens, "token_type": "Bearer", "expires_in": 3600, "scope": self.scope} | members)
        self.add(step, request or form(self.fields(flow)), 200, body, flow)

    def fields(self, flow: str = "now") -> Fields:
        """The fields of a token request that is right."""
        fields: Fields = {
            "grant_type": "authorization_code", "code": self.value("code", flow), "redirect_uri": CALLBACK,
                          "client_id": ID, "client_secret": SECRET}  # fmt: skip
        return fields | ({"code_verifier": VERIFIER} if self.pkce else {})

    def refresh(self, flow: str = "now") -> Fields:
        """The fields of a refresh that is right."""
        return {"grant_type": "refresh_token", "refresh_token": self.value("refresh_token", flow), "client_id": ID,
                "client_secret": SECRET}  # fmt: skip

    def diagnosed(self, step: Step, request: Request, answer: Answer) -> Diagnosis:
        """Diagnose the next exchange, which fails."""
        exchange = self.exchange(step, request, answer)
        explanation = explain(exchange)
        assert explanation is not None, "the request worked"
        return diagnose(exchange, explanation, flow=self.flow, past=self.past, vault=self.vault)


def kept(fields: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value is not None}


def form(fields: Mapping[str, str | None], *headers: tuple[str, str], url: str = TOKEN) -> Request:
    return Request("POST", url, (("Content-Type", FORM), *headers), urlencode(kept(fields)).encode())


def basic(pair: str) -> tuple[str, str]:
    return "Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"


def call(token: str | None, *headers: tuple[str, str], url: str = API, method: str = "GET") -> Request:
    bearer = () if token is None else (("Authorization", token),)
    return Request(method, url, (*bearer, *headers))


Made = tuple[Step, Request]


@dataclass(frozen=True)
class Scenario:
    """A cause, the world in which it is the truth, and the server's own answers to it.

    ``also`` are causes that are true as well. ``generic`` are answers without words that it may get too.
    """

    cause: str
    make: Callable[[World], Made]
    answers: tuple[Answer, ...]
    also: frozenset[str] = frozenset()
    generic: tuple[Answer, ...] = ()

    def diagnoses(self) -> Iterator[tuple[Answer, Diagnosis]]:
        """Every answer with its diagnosis, each in a world of its own."""
        for answer in (*self.answers, *self.generic):
            world = World()
            step, request = self.make(world)
            yield answer, world.diagnosed(step, request, answer)


def exchanging(**edit: str | None) -> Callable[[World], Made]:
    """A token request with other fields, after a flow that worked."""

    def make(world: World) -> Made:
        past(world)
        world.asked()
        return Step.TOKEN, form(world.fields() | {name: filled(world, value) for name, value in edit.items()})

    return make


def refreshing(**edit: str | None) -> Callable[[World], Made]:
    """A refresh with other fields."""

    def make(world: World) -> Made:
        past(world)
        world.asked()
        world.issued()
        return Step.REFRESH, form(world.refresh() | {name: filled(world, value) for name, value in edit.items()})

    return make


def calling(
    template: str | None, before: Callable[[World], None] | None = None, url: str = API
) -> Callable[[World], Made]:
    """An API call with this ``Authorization``."""

    def make(world: World) -> Made:
        past(world)
        world.asked()
        world.issued()
        if before is not None:
            before(world)
        return Step.USERINFO if url == USERINFO else Step.API, call(filled(world, template), url=url)

    return make


def filled(world: World, value: str | None) -> str | None:
    """A text with the values of the present flow in it."""
    values = {name: world.value(name, "now") for name in VALUES}
    rest = {f"{name}_rest": text[1:] for name, text in values.items()}
    return value and value.format(**values, **rest, secret=SECRET)


def past(world: World) -> None:
    """A flow that worked."""
    world.asked("old")
    world.issued("old")


CODE = (said("invalid_grant"), said("invalid_grant", "Invalid authorization code"))
CLIENT = (said("invalid_client", status=401), said("unauthorized_client", status=401))
REFRESH = (said("invalid_grant"), said("invalid_grant", "refresh token does not exist"))
BEARER = ((401, '{"error": "invalid_token"}'), (401, ""), (403, '{"message": "Forbidden"}'))


def missing(name: str) -> tuple[Answer, ...]:
    """The forms in which servers say that a parameter is missing."""
    spoken = name.replace("_", " ")
    return (
        said("invalid_request", f"Missing parameter: `{name}`"),
        said("invalid_request", f"Missing '{name}' in request."),
        said("invalid_request", f"{name} is required"),
        said("invalid_request", f"authorization_code.{name}: Field required"),
        said("invalid_request", f"{name} must be a string"),
        said("invalid_request", f"The {spoken} parameter is missing"),
        said("invalid_request", f'Parameter "{name}" is required'),
        (422, json.dumps({"detail": [{"type": "missing", "loc": ["body", name], "msg": "Field required"}]})),
        (400, f"Missing required parameter: {name}"),
        (400, f"<html><body><pre>TokenError: Missing required parameter: {name}<br>at</pre></body></html>"),
    )


def absent(name: str, make: Callable[..., Callable[[World], Made]], *, generic: bool = True) -> Iterator[Scenario]:
    """A parameter that does not arrive, in four ways."""
    every = GENERIC if generic else ()
    wrong_name = {"code": "auth_code", "refresh_token": "refresh", "grant_type": "grant", "device_code": "devicecode",
                  "token": "tokens"}[name]  # fmt: skip
    right = {
        "grant_type": "refresh_token" if make is refreshing else "authorization_code",
        "token": "{access_token}",
    }.get(name, f"{{{name}}}")
    yield Scenario(f"{name}.left_out", make(**{name: None}), missing(name), generic=every)
    yield Scenario(f"{name}.empty", make(**{name: ""}), missing(name), generic=every)
    yield Scenario(f"{name}.other_name", make(**{name: None, wrong_name: right}), missing(name), generic=every)

    def in_query(world: World) -> Made:
        step, request = make(**{name: None})(world)
        query = urlencode({name: filled(world, right) or ""})
        return step, Request("POST", f"{request.url}?{query}", request.headers, request.body)

    yield Scenario(f"{name}.in_query", in_query, missing(name), generic=every)


def altered(
    kind: str, make: Callable[[str], Callable[[World], Made]], answers: tuple[Answer, ...]
) -> Iterator[Scenario]:
    """A code or token that is not as it was issued."""
    start = VALUES[kind][:1]
    yield Scenario(f"{kind}.cut", make(f"{{{kind}:.20}}"), answers)
    yield Scenario(f"{kind}.padded", make(f"'{{{kind}}}'"), answers)
    yield Scenario(f"{kind}.encoded_twice", make(f"%{ord(start):02X}{{{kind}_rest}}"), answers)
    other = "access_token" if kind == "refresh_token" else "refresh_token"
    yield Scenario(f"{kind}.mistaken", make(f"{{{other}}}" if kind != "code" else "{secret}"), answers)


def after(make: Callable[[World], Made], then: Callable[[World], None]) -> Callable[[World], Made]:
    """The same request after something else happened."""

    def made(world: World) -> Made:
        request = make(world)
        then(world)
        return request

    return made


def sent_raw(edit: Callable[[World], Request], step: Step = Step.TOKEN) -> Callable[[World], Made]:
    """Any other request of a flow that has its code."""

    def make(world: World) -> Made:
        past(world)
        world.asked()
        return step, edit(world)

    return make


def without(fields: Fields, *names: str) -> Fields:
    return {name: value for name, value in fields.items() if name not in names}


def no_secret(world: World) -> Fields:
    return without(world.fields(), "client_id", "client_secret")


def basic_as_it_comes(world: World) -> Made:
    """HTTP Basic with a secret that was typed as it is, and that form-encoding changes."""
    secret = "!kXw81mPz0&secret(of)=an+app"
    world.vault.add("client_secret", secret)
    world.asked()
    world.flow = Flow(SERVER, Client(ID, secret), CALLBACK, "state-of-the-flow-0123456-now", START)
    return Step.TOKEN, form(no_secret(world), basic(f"{ID}:{quote_plus(secret)}"))


def spend(world: World) -> None:
    world.issued()


def replay(world: World) -> None:
    world.add(Step.TOKEN, form(world.fields()), 400, '{"error": "invalid_grant"}')


def rotate(world: World) -> None:
    world.issued("now", form(world.refresh()), Step.REFRESH, access_token=world.value("access_token", "newer"),
                 refresh_token=world.value("refresh_token", "newer"))  # fmt: skip


def revoke(kind: str) -> Callable[[World], None]:
    def happened(world: World) -> None:
        fields = {"token": world.value(kind, "now"), "client_id": ID, "client_secret": SECRET}
        world.add(Step.REVOKE, form(fields, url=REVOKE), 200)

    return happened


def of_another_client(world: World) -> Made:
    past(world)
    world.asked(client_id="another-app-of-ours")
    return Step.TOKEN, form(world.fields())


def refresh_of_another_client(world: World) -> Made:
    past(world)
    world.asked()
    world.issued("now", form(world.fields() | {"client_id": "another-app-of-ours"}))
    return Step.REFRESH, form(world.refresh())


def refresh_elsewhere(world: World) -> Made:
    past(world)
    world.asked()
    world.issued("now", form(world.fields(), url="https://other.example/token"))
    return Step.REFRESH, form(world.refresh())


def call_elsewhere(world: World) -> Made:
    return Step.API, call(f"Bearer {world.value('access_token', 'now')}", url=refresh_elsewhere(world)[1].url and API)


def expired(world: World) -> Made:
    step, request = calling("Bearer {access_token}")(world)
    world.now += timedelta(hours=2)
    return step, request


def unasked(world: World) -> Made:
    past(world)
    world.asked(code_challenge=None, code_challenge_method=None)
    return Step.TOKEN, form(world.fields())


def unchallenged(world: World) -> Made:
    past(world)
    world.asked(code_challenge=None, code_challenge_method=None)
    return Step.TOKEN, form(without(world.fields(), "code_verifier"))


def polling(code: str | None, then: Callable[[World], None] | None = None) -> Callable[[World], Made]:
    """A device's poll with this device code."""

    def make(world: World) -> Made:
        past(world)
        issued = world.value("device_code", "now")
        body = {
            "device_code": issued,
            "user_code": "ABCD-EFGH",
            "verification_uri": "https://as.example/d",
            "expires_in": 600,
        }
        world.add(Step.DEVICE, form({"client_id": ID}, url=DEVICE), 200, json.dumps(body))
        if then is not None:
            then(world)
        fields = {
            "grant_type": DEVICE_GRANT,
            "client_id": ID,
            "client_secret": SECRET,
            "device_code": filled(world, code),
        }
        return Step.TOKEN, form(fields)

    return make


def poll_again(world: World) -> None:
    fields = {
        "grant_type": DEVICE_GRANT,
        "client_id": ID,
        "client_secret": SECRET,
        "device_code": world.value("device_code", "now"),
    }
    world.issued("now", form(fields))


def late(world: World) -> None:
    world.now += timedelta(hours=1)


def polled(**edit: str | None) -> Callable[[World], Made]:
    """A poll with other fields."""

    def make(world: World) -> Made:
        step, _ = polling("{device_code}")(world)
        fields = {
            "grant_type": DEVICE_GRANT,
            "client_id": ID,
            "client_secret": SECRET,
            "device_code": "{device_code}",
        } | edit
        return step, form({name: filled(world, value) for name, value in fields.items()})

    return make


def revoking(**edit: str | None) -> Callable[[World], Made]:
    """A revocation with other fields."""

    def make(world: World) -> Made:
        past(world)
        world.asked()
        world.issued()
        fields = {"token": "{access_token}", "client_id": ID, "client_secret": SECRET} | edit
        return Step.REVOKE, form({name: filled(world, value) for name, value in fields.items()}, url=REVOKE)

    return make


def revoking_of_another_client(world: World) -> Made:
    world.asked()
    world.issued("now", form(world.fields() | {"client_id": "another-app-of-ours"}))
    fields = {"token": world.value("access_token", "now"), "client_id": ID, "client_secret": SECRET}
    return Step.REVOKE, form(fields, url=REVOKE)


def refused(query: str, **fields: str | None) -> Callable[[World], Made]:
    """A callback with an error, after an authorization request with other fields."""

    def make(world: World) -> Made:
        past(world)
        asked: Fields = {"response_type": "code", "client_id": ID, "redirect_uri": CALLBACK, "scope": world.scope,
                         "code_challenge": CHALLENGE, "code_challenge_method": "S256"}  # fmt: skip
        world.add(Step.AUTHORIZE, Request("GET", f"{AUTHORIZE}?{urlencode(kept(asked | fields))}"), 302)
        return Step.CALLBACK, Request("GET", f"{CALLBACK}?{query}")

    return make


def registered(make: Callable[[World], Made], scope: str) -> Callable[[World], Made]:
    """The same after the client was registered with a scope (RFC 7591 §3.2.1)."""

    def made(world: World) -> Made:
        body = json.dumps({"client_id": ID, "scope": scope})
        world.add(Step.REGISTER, Request("POST", "https://as.example/register"), 201, body)
        return make(world)

    return made


DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
DEVICE_ANSWERS = (said("invalid_grant"), said("access_denied"), said("invalid_grant", "Invalid device_code"))


def scenarios() -> Iterator[Scenario]:
    """Every scenario."""
    yield from absent("code", exchanging)
    yield from absent("refresh_token", refreshing)
    yield from absent("grant_type", exchanging)
    yield from absent("device_code", polled)
    yield from altered("code", lambda value: exchanging(code=value), CODE)
    yield from altered("refresh_token", lambda value: refreshing(refresh_token=value), REFRESH)
    yield from altered("access_token", lambda value: calling(f"Bearer {value}"), BEARER)
    yield Scenario("code.used", after(exchanging(), spend), CODE, generic=GENERIC)
    yield Scenario("code.other_client", of_another_client, CODE, generic=GENERIC)
    yield Scenario("redirect_uri.differs", exchanging(redirect_uri=f"{CALLBACK}/"), (
        said("invalid_grant"), said("invalid_grant", "Incorrect redirect_uri"),
        said("invalid_request", "Invalid request: `redirect_uri` is invalid"),
        said("invalid_request", "Mismatching redirect URI."),
        said("invalid_request", "redirect_uri did not match the one used when creating auth code"),
    ), generic=GENERIC)  # fmt: skip
    yield Scenario(
        "redirect_uri.left_out",
        exchanging(redirect_uri=None),
        (said("invalid_grant"), *missing("redirect_uri")),
        generic=GENERIC,
    )
    yield Scenario("pkce.verifier_missing", exchanging(code_verifier=None), (
        said("invalid_grant"),
        said("invalid_request", "Code verifier required."),
        said("invalid_grant", "PKCE code verifier not specified"),
        *missing("code_verifier"),
    ), generic=GENERIC)  # fmt: skip
    yield Scenario("pkce.verifier_differs", exchanging(code_verifier=VERIFIER[::-1]), (
        said("invalid_grant"),
        said("invalid_grant", "code verification failed"),
        said("invalid_request", "Code challenge failed."),
    ), generic=GENERIC)  # fmt: skip
    yield Scenario(
        "pkce.not_asked", unasked, (said("invalid_grant"), said("invalid_request", "code_verifier is not expected"))
    )
    yield Scenario("pkce.challenge_missing", unchallenged, (said("invalid_request", "Missing 'code_verifier'"),))
    yield Scenario("client.white_space", exchanging(client_secret=f"{SECRET} "), CLIENT, generic=GENERIC)
    yield Scenario("client.quotes", exchanging(client_secret=f'"{SECRET}"'), CLIENT, generic=GENERIC)
    yield Scenario(
        "client.swapped",
        exchanging(client_id=SECRET, client_secret=ID),
        CLIENT[:1],
        also=frozenset({"code.other_client"}),
    )
    yield Scenario("client.secret_differs", exchanging(client_secret="another-secret-of-nobody-at-all"), (
        *CLIENT,
        said("invalid_client", "Invalid client_secret", 401),
        said("invalid_client", "Invalid client or Invalid client credentials", 401),
    ), generic=GENERIC)  # fmt: skip
    yield Scenario("client.credentials_missing", exchanging(client_secret=None), (
        *CLIENT,
        said("invalid_client", "Client secret is required", 401),
        said("invalid_request", "Missing parameter: client_secret"),
    ), generic=GENERIC)  # fmt: skip
    yield Scenario(
        "client.both",
        sent_raw(lambda world: form(world.fields(), basic(f"{ID}:another-secret-of-nobody"))),
        (*CLIENT[:1], said("invalid_request", "More than one method")),
        generic=GENERIC[:1],
    )
    yield Scenario(
        "client.basic_encoding",
        sent_raw(lambda world: form(no_secret(world), ("Authorization", f"Basic {ID}:{SECRET}"))),
        CLIENT,
        generic=GENERIC[:1],
    )
    yield Scenario(
        "client.other_method",
        sent_raw(lambda world: form(no_secret(world), basic(f"{ID}:{quote(SECRET)}"))),
        CLIENT[:1],
    )
    yield Scenario(
        "client.basic_not_decoded",
        basic_as_it_comes,
        CLIENT[:1],
    )
    yield Scenario(
        "client.id_in_body",
        sent_raw(lambda world: form(no_secret(world), basic(f"{ID}:{quote(SECRET)}"))),
        (said("invalid_request", "client_id is required"),),
        also=frozenset({"client.other_method"}),
    )
    yield Scenario(
        "grant.misspelt",
        exchanging(grant_type="authorisation_code"),
        (said("unsupported_grant_type"), said("invalid_request", "Unsupported grant type")),
        generic=GENERIC,
    )
    yield Scenario("grant.unsupported", exchanging(grant_type="urn:example:magic"), (said("unsupported_grant_type"),))
    yield Scenario(
        "body.unreadable",
        sent_raw(lambda world: Request("POST", TOKEN, (("Content-Type", "text/plain"),), form(world.fields()).body)),
        (
            said("invalid_request", "Content-Type must be application/x-www-form-urlencoded"),
            said("unsupported_grant_type"),
        ),
        generic=GENERIC,
    )
    yield Scenario("refresh_token.replaced", after(refreshing(), rotate), REFRESH, generic=GENERIC)
    yield Scenario("refresh_token.revoked", after(refreshing(), revoke("refresh_token")), REFRESH, generic=GENERIC)
    yield Scenario("refresh_token.code_replayed", after(refreshing(), replay), REFRESH)
    yield Scenario("refresh_token.other_client", refresh_of_another_client, REFRESH, generic=GENERIC)
    yield Scenario("refresh_token.other_host", refresh_elsewhere, REFRESH, generic=GENERIC)
    yield Scenario("device_code.another", polling("device-code-of-nobody-0123456789"), DEVICE_ANSWERS)
    yield Scenario("device_code.expired", polling("{device_code}", late), (said("expired_token"), *DEVICE_ANSWERS[:1]))
    yield Scenario("device_code.used", polling("{device_code}", poll_again), DEVICE_ANSWERS)
    yield Scenario("device_code.denied", polling("{device_code}"), (said("access_denied"),))
    yield from absent("token", revoking, generic=False)
    hint = (said("unsupported_token_type"), said("invalid_request", "Unsupported token_type_hint"))
    yield Scenario("token_type_hint.unknown", revoking(token_type_hint="bearer"), hint)
    yield Scenario("token.other_client", revoking_of_another_client, GENERIC[:3])
    yield Scenario("authorization.login_required", refused("error=login_required", prompt="none"), ((200, ""),))
    yield Scenario("authorization.consent_required", refused("error=consent_required", prompt="none"), ((200, ""),))
    method = "error=invalid_request&error_description=Unsupported+code_challenge_method"
    yield Scenario("pkce.method_unknown", refused(method, code_challenge_method="S384"), ((200, ""),))
    yield Scenario("scope.missing", refused("error=invalid_scope", scope=""), ((200, ""),))
    yield Scenario("scope.missing", refused("error=invalid_scope", scope=None), ((200, ""),))
    wider = refused("error=invalid_scope", scope="read write admin")
    yield Scenario("scope.beyond_registration", registered(wider, "read write"), ((200, ""),))
    yield Scenario(
        "request.accept", calling("Bearer {access_token}"), ((406, ""), (406, '{"message": "Not Acceptable"}'))
    )
    yield Scenario("access_token.left_out", calling(None), BEARER)
    yield Scenario("access_token.scheme", calling("{access_token}"), BEARER)
    yield Scenario("access_token.expired", expired, BEARER)
    yield Scenario("access_token.other_host", call_elsewhere, BEARER)
    yield Scenario("access_token.revoked", calling("Bearer {access_token}", revoke("access_token")), BEARER)
    yield Scenario("access_token.code_replayed", calling("Bearer {access_token}", replay), BEARER[:1])
    yield Scenario("access_token.replaced", calling("Bearer {access_token}", rotate), BEARER[:1])


def counterexamples() -> Iterator[Diagnosis]:
    """Refusals of requests that are right in the part that the server speaks of."""
    method = "error=invalid_request&error_description=Unsupported+code_challenge_method"
    right = registered(refused("error=invalid_scope"), "read write")

    def accepting(world: World) -> Made:
        step, request = calling("Bearer {access_token}")(world)
        return step, call(dict(request.headers)["Authorization"], ("Accept", "application/json"))

    refusals = ((refused(method), (200, "")), (right, (200, "")), (accepting, (406, "")), (revoking(), GENERIC[2]))
    for make, answer in refusals:
        world = World()
        step, request = make(world)
        yield world.diagnosed(step, request, answer)
