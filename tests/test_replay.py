"""What a customer pasted, sent again to a sandbox over real HTTP."""

import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from oauth import paste, providers
from oauth.catalogue.explain import explain
from oauth.drills import Setting
from oauth.exchange import Exchange, Headers, Request, Response, Step, header
from oauth.flow import Client
from oauth.history.filters import Filters
from oauth.history.store import History
from oauth.providers import Provider
from oauth.recorder import Record, Recorder
from oauth.redaction import Vault
from oauth.replay import CASE, Replay, replay
from oauth.replay.rewriting import rewrite
from oauth_sandbox.app import application
from oauth_sandbox.clock import utc_now
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind
from oauth_sandbox.testing import RunningSandbox, running, serving

SITE = "https://www.olx.pl"
TOKEN_URL = f"{SITE}/api/open/oauth/token"
API_URL = f"{SITE}/api/partner"
CALLBACK = "http://localhost:8501/callback"
SHOP = "https://shop.example/olx/back"
FORM = "application/x-www-form-urlencoded"

ID, SECRET = "200417", "9aXr4TqvBe7mKw2LsYd8"
CODE = "3f1b77c05a9e4d28b6c1f0e9d8a7b6c5d4e3f201"
ACCESS = "aa91c7d2e4f60718293a4b5c6d7e8f9001122334"
REFRESH = "bb13579bdf02468ace13579bdf02468ace135790"
PASTED_SECRETS = (SECRET, CODE, ACCESS, REFRESH)

CREDENTIALS = {"client_id": ID, "client_secret": SECRET}
BY_CODE = {"grant_type": "authorization_code", **CREDENTIALS, "code": CODE, "scope": "read write v2"}
BY_REFRESH = {"grant_type": "refresh_token", **CREDENTIALS, "refresh_token": REFRESH}
BY_CLIENT = {"grant_type": "client_credentials", **CREDENTIALS, "scope": "read write v2"}
GOOD_CALL = (("Authorization", f"Bearer {ACCESS}"), ("Version", "2.0"))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningSandbox]:
    with running() as found:
        yield found


@pytest.fixture
def sandbox(server: RunningSandbox) -> RunningSandbox:
    server.sandbox.reset()
    return server


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path))


@pytest.fixture
def history(database: Path) -> History:
    return History(f"sqlite:///{database}", now)


def sandbox_at(url: str) -> Provider:
    return replace(
        providers.load("http://localhost:8501")["sandbox"],
        authorization_endpoint=f"{url}/oauth/authorize/",
        token_endpoint=f"{url}/api/open/oauth/token",
        api=f"{url}/api/partner",
        control=f"{url}/control",
    )


@pytest.fixture
def setting(sandbox: RunningSandbox, history: History) -> Setting:
    def new_recorder() -> Recorder:
        return Recorder(history, Vault(b"the key of a test installation  "))

    return Setting(sandbox_at(sandbox.url), Client("", ""), CALLBACK, new_recorder, now, "local")


def posted(body: bytes, content_type: str = "application/json", more: Headers = (), url: str = TOKEN_URL) -> Request:
    headers = (("Host", "www.olx.pl"), ("Content-Type", content_type), ("Content-Length", str(len(body))), *more)
    return Request("POST", url, headers, body)


def in_json(fields: Mapping[str, str]) -> Request:
    return posted(json.dumps(fields, indent=2).encode())


def in_form(fields: Mapping[str, str]) -> Request:
    return posted(urlencode(fields).encode(), FORM)


def called(headers: Headers = GOOD_CALL, path: str = "/users/me") -> Request:
    return Request("GET", API_URL + path, (("Host", "www.olx.pl"), *headers))


def without(fields: Mapping[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if key != name}


def basic(id: str = ID, secret: str = SECRET) -> tuple[str, str]:
    return ("Authorization", "Basic " + base64.b64encode(f"{id}:{secret}".encode()).decode())


def refused(error: str, description: str, status: int = 400) -> Response:
    body = json.dumps({"error": error, "error_description": description}).encode()
    return Response(status, headers=(("Content-Type", "application/json"),), body=body)


def refused_call(status: int, detail: str) -> Response:
    return Response(status, body=json.dumps({"error": {"status": status, "title": "No", "detail": detail}}).encode())


ANSWERS = {
    1: refused("invalid_request", 'Missing parameter: "code" is required'),
    2: refused("invalid_grant", "Authorization code doesn't exist or is invalid for the client"),
    3: refused("invalid_request", "The grant type was not specified in the request"),
    4: refused("invalid_scope", "The scope requested is invalid for this client"),
    5: refused("invalid_client", "Client is not active", 401),
    6: refused("invalid_client", "The client credentials are invalid"),
    7: refused("invalid_token", "The access token provided is invalid", 401),
    8: refused("insufficient_scope", "The request requires higher privileges than provided by the access token", 401),
    9: refused_call(400, "Invalid owner in token"),
    10: refused("unauthorized_client", "The grant type is unauthorized for this client_id"),
    11: refused("invalid_grant", "Invalid refresh token"),
}


@dataclass(frozen=True)
class Pasted:
    """A request, its answer, and the beginnings of the sentences on what is replaced beside the address."""

    request: Request
    response: Response
    changed: tuple[str, ...]
    step: Step = Step.TOKEN

    @property
    def exchange(self) -> Exchange:
        return Exchange(self.step, self.request, now(), self.response)


def call(request: Request, response: Response, *changed: str) -> Pasted:
    return Pasted(request, response, changed, Step.API)


def redirected(parameters: Mapping[str, str]) -> Response:
    return Response(302, headers=(("Location", f"{SHOP}?{urlencode(parameters)}"),))


ASKED = {"client_id": ID, "response_type": "code", "redirect_uri": SHOP, "scope": "read write v2", "state": "xyzzy-1"}
ADDRESS = f"{SITE}/oauth/authorize/?"

CASES = {
    "1 left out": Pasted(in_json(without(BY_CODE, "code")), ANSWERS[1], ("The client: the sandbox's ready-made demo",)),
    "1 empty": Pasted(in_form(BY_CODE | {"code": ""}), ANSWERS[1], ("The client",)),
    "1 other name": Pasted(
        in_form(without(BY_CODE, "code") | {"authorization_code": CODE}), ANSWERS[1], ("The client",)
    ),
    "1 in the query": Pasted(
        replace(in_json(without(BY_CODE, "code")), url=f"{TOKEN_URL}?code={CODE}"),
        ANSWERS[1],
        ("The client", "The code"),
    ),
    "2": Pasted(in_json(BY_CODE | {"redirect_uri": SHOP}), ANSWERS[2], ("The client",)),
    "2 padded": Pasted(in_form(BY_CODE | {"code": f" {CODE}\n"}), ANSWERS[2], ("The client",)),
    "3 left out": Pasted(in_json(without(BY_CODE, "grant_type")), ANSWERS[3], ("The client", "The code")),
    "3 misspelt": Pasted(
        in_form(without(BY_CLIENT, "grant_type") | {"grantType": "client_credentials"}), ANSWERS[3], ("The client",)
    ),
    "3 unreadable": Pasted(
        posted(json.dumps(BY_CLIENT).encode(), FORM), ANSWERS[3], ("The client: the sandbox's ready-made demo-app",)
    ),
    "4 unknown": Pasted(in_json(BY_CLIENT | {"scope": "read admin"}), ANSWERS[4], ("The client",)),
    "4 commas": Pasted(in_form(BY_CODE | {"scope": "read,write,v2"}), ANSWERS[4], ("The client", "The code")),
    "4 not for this client": Pasted(
        in_json(BY_CLIENT), ANSWERS[4], ("The client", "The sandbox: machine-app may not have the scope v2")
    ),
    "4 not for this client's code": Pasted(
        in_json(BY_CODE), ANSWERS[4], ("The client", "The code", "The sandbox: website-app may not have the scope v2")
    ),
    "4 refresh": Pasted(
        in_json(BY_REFRESH | {"scope": "read write"}),
        ANSWERS[4],
        ("The client", "The refresh token", "The sandbox: website-app may not have the scope write"),
    ),
    "5": Pasted(in_json(BY_CODE), ANSWERS[5], ("The client: the sandbox's ready-made inactive-app",)),
    "5 by Basic": Pasted(
        posted(b"grant_type=client_credentials", FORM, (basic(),)),
        ANSWERS[5],
        ("The client: the sandbox's ready-made inactive-app",),
    ),
    "6": Pasted(in_json(BY_CODE), ANSWERS[6], ()),
    "6 left out": Pasted(in_form(without(BY_CLIENT, "client_secret")), ANSWERS[6], ()),
    "6 quotes": Pasted(in_json(BY_CLIENT | {"client_secret": f'"{SECRET}"'}), ANSWERS[6], ()),
    "6 Basic": Pasted(posted(b"grant_type=client_credentials", FORM, (basic(),)), ANSWERS[6], ()),
    "7": call(called(), ANSWERS[7]),
    "7 without Bearer": call(called((("Authorization", ACCESS), ("Version", "2.0"))), ANSWERS[7]),
    "8": call(called(), ANSWERS[8], "The access token: one with the scope read write only"),
    "9": call(called(), ANSWERS[9], "The access token: one of an application"),
    "9 elsewhere": call(
        replace(
            posted(b'{"title": "Bike"}', more=GOOD_CALL), url=f"{API_URL}/adverts"
        ),
        ANSWERS[9],
        "The call: GET /users/me replaces POST /api/partner/adverts",
        "The access token",
    ),
    "10 client_credentials": Pasted(
        in_json(BY_CLIENT), ANSWERS[10], ("The client: the sandbox's ready-made website-app",)
    ),
    "10 code": Pasted(
        in_json(BY_CODE | {"redirect_uri": SHOP}),
        ANSWERS[10],
        ("The client", "The redirect URI", "The code", "The sandbox: website-app may not use authorization_code"),
    ),
    "10 refresh": Pasted(
        in_form(BY_REFRESH),
        ANSWERS[10],
        ("The client", "The refresh token", "The sandbox: website-app may not use refresh_token"),
    ),
    "11": Pasted(in_json(BY_REFRESH), ANSWERS[11], ("The client",), Step.REFRESH),
    "redirect URI differs": Pasted(
        in_json(BY_CODE | {"redirect_uri": SHOP}),
        refused("redirect_uri_mismatch", "The redirect URI is missing or do not match"),
        ("The client", "The code"),
    ),
    "redirect URI is the console's own": Pasted(
        in_json(BY_CODE | {"redirect_uri": CALLBACK}),
        refused("redirect_uri_mismatch", "The redirect URI is missing or do not match"),
        ("The client", "The code"),
    ),
    "redirect URI left out": Pasted(
        in_form(BY_CODE),
        refused("redirect_uri_mismatch", "The redirect URI is missing or do not match"),
        ("The client", "The code"),
    ),
    "grant type unsupported": Pasted(
        in_json(BY_CLIENT | {"grant_type": "password"}),
        refused("unsupported_grant_type", 'Grant type "password" not supported'),
        ("The client",),
    ),
    "refresh token left out": Pasted(
        in_json(without(BY_REFRESH, "refresh_token")),
        refused("invalid_request", 'Missing parameter: "refresh_token" is required'),
        ("The client",),
        Step.REFRESH,
    ),
    "credentials twice": Pasted(
        posted(
            urlencode({"grant_type": "client_credentials", "client_secret": "another-secret-of-mine"}).encode(),
            FORM,
            (basic(),),
        ),
        refused("invalid_request", "Only one method may be used to authenticate at a time"),
        ("The client",),
    ),
    "parameter twice": Pasted(
        posted(urlencode([*BY_CLIENT.items(), ("scope", "read")]).encode(), FORM),
        refused("invalid_request", "Repeated parameter"),
        ("The client",),
    ),
    "a comma too many": Pasted(
        posted(f'{{"grant_type": "client_credentials", "client_id": {ID}, "client_secret": "{SECRET}",}}'.encode()),
        refused("invalid_request", "Malformed body"),
        ("The client",),
    ),
    "no token": call(called((("Version", "2.0"),)), Response(401, headers=(("WWW-Authenticate", "Bearer"),))),
    "no Version": call(
        called((("Authorization", f"Bearer {ACCESS}"),), "/cities"),
        refused_call(400, "Missing required 'Version' header!"),
        "The access token: a valid one",
    ),
    "Content-Type on a GET": call(
        called((*GOOD_CALL, ("Content-Type", "application/json"))),
        refused_call(400, "Bad"),
        "The access token: a valid",
    ),
    "no such path": call(
        called(path="/adverds"), refused_call(404, "Not found"), "The access token"
    ),
    "authorize: scope": Pasted(
        Request("GET", ADDRESS + urlencode(ASKED | {"scope": "read,v2"})),
        redirected({"error": "invalid_scope", "error_description": "The scope requested is invalid for this client"}),
        ("The client", "The redirect URI"),
        Step.AUTHORIZE,
    ),
    "authorize: grant": Pasted(
        Request("GET", ADDRESS + urlencode(ASKED)),
        redirected({"error": "unauthorized_client", "error_description": "No"}),
        ("The client: the sandbox's ready-made machine-app", "The redirect URI"),
        Step.AUTHORIZE,
    ),
    "authorize: error page": Pasted(
        Request("GET", ADDRESS + urlencode(ASKED)),
        Response(400, headers=(("Content-Type", "text/html"),), body=b"<html>No such application</html>"),
        (),
        Step.AUTHORIZE,
    ),
    "worked: code": Pasted(
        in_form(BY_CODE | {"redirect_uri": SHOP}),
        Response(200, body=json.dumps({"access_token": ACCESS, "token_type": "bearer"}).encode()),
        ("The client", "The redirect URI", "The code"),
    ),
    "worked: Basic": Pasted(
        posted(urlencode({"grant_type": "refresh_token", "refresh_token": REFRESH}).encode(), FORM, (basic(),)),
        Response(200, body=json.dumps({"access_token": ACCESS, "token_type": "bearer"}).encode()),
        ("The client", "The refresh token"),
    ),
    "worked: call": call(
        called(), Response(200, body=b'{"data": {"id": 1}}'), "The access token: a valid one"
    ),
    "worked: authorize": Pasted(
        Request("GET", ADDRESS + urlencode(ASKED)),
        redirected({"code": CODE, "state": "xyzzy-1"}),
        ("The client", "The redirect URI"),
        Step.AUTHORIZE,
    ),
}  # fmt: skip


def replayed(pasted: Pasted, setting: Setting) -> Replay:
    return replay(pasted.exchange, explain(pasted.exchange), setting)


def rows(history: History) -> list[Exchange]:
    return [row.exchange for row in reversed(history.page(Filters(), None, 1000))]


@pytest.mark.parametrize("name", CASES)
def test_the_same_fault_gives_the_same_error(
    name: str, setting: Setting, sandbox: RunningSandbox, history: History, database: Path
) -> None:
    clients = sandbox.sandbox.clients()
    pasted = CASES[name]
    found = replayed(pasted, setting)
    assert found.trouble == ""
    assert found.same, found.explanation
    number = name.partition(" ")[0]
    if number.isdigit():
        assert found.explanation is not None
        assert found.explanation.number == int(number)
    # What was replaced is named, and nothing else is.
    assert found.changes[0].startswith("The address: 127.0.0.1:")
    assert len(found.changes) == 1 + len(pasted.changed)
    for sentence, beginning in zip(found.changes[1:], pasted.changed, strict=True):
        assert sentence.startswith(beginning)
    # Nothing was sent to another host.
    here = urlsplit(sandbox.url).netloc
    for exchange in found.exchanges:
        assert urlsplit(exchange.request.url).netloc == here
        assert header(exchange.request.headers, "Host") == here
        assert exchange.response is not None
    # Kept under the case, in the order sent, without a secret.
    assert [row.id for row in rows(history)] == [exchange.id for exchange in found.exchanges]
    assert {(row.case, row.owner) for row in rows(history)} == {(CASE, "local")}
    stored = "".join(path.read_bytes().decode("utf-8", "replace") for path in database.parent.glob("history.db*"))
    issued = [secret for kind in Kind for secret, _ in sandbox.sandbox.stored(kind)[1]]
    for secret in (*PASTED_SECRETS, *issued, *(client.secret for client in clients)):
        assert secret not in stored + repr(found)
    # The sandbox is as it was.
    assert sandbox.sandbox.clients() == clients


def sent_last(setting: Setting, pasted: Pasted, monkeypatch: pytest.MonkeyPatch) -> Request:
    """The request of a replay as it went out, not redacted."""
    found: list[Request] = []
    begin = Recorder.begin

    def noted(recorder: Recorder, exchange: Exchange) -> Record:
        found.append(exchange.request)
        return begin(recorder, exchange)

    monkeypatch.setattr(Recorder, "begin", noted)
    replayed(pasted, setting)
    return found[-1]


def test_only_values_change(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"scope=read%20admin&client_secret={SECRET}&x=%7E&client_id={ID}&grant_type=client_credentials".encode()
    more = (("X-Version", "2"), ("Cookie", "session=1"), ("accept", "*/*"))
    request = sent_last(setting, Pasted(posted(body, f"{FORM}; charset=utf-8", more), ANSWERS[4], ()), monkeypatch)
    assert (
        request.body
        == b"scope=read%20admin&client_secret=demo-secret&x=%7E&client_id=demo-app&grant_type=client_credentials"
    )
    assert request.method == "POST"
    assert request.url == setting.provider.token_endpoint
    assert request.headers == (
        ("Host", urlsplit(request.url).netloc),
        ("Accept-Encoding", "identity"),
        ("Content-Type", f"{FORM}; charset=utf-8"),
        ("X-Version", "2"),
        ("accept", "*/*"),
        ("Content-Length", str(len(request.body))),
    )


def test_json_keeps_order_spaces_and_mistakes(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f'{{ "client_secret" : "{SECRET}",\n\t"scope":"caf\\u00e9", "client_id": {ID},, }}'.encode()
    request = sent_last(setting, Pasted(posted(body), ANSWERS[3], ()), monkeypatch)
    assert request.body == b'{ "client_secret" : "demo-secret",\n\t"scope":"caf\\u00e9", "client_id": "demo-app",, }'


def test_basic_stays_basic(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    pasted = Pasted(posted(b"grant_type=client_credentials&scope=admin", FORM, (basic(),)), ANSWERS[4], ())
    request = sent_last(setting, pasted, monkeypatch)
    assert header(request.headers, "Authorization") == basic("demo-app", "demo-secret")[1]
    assert request.body == b"grant_type=client_credentials&scope=admin"


def test_refused_credentials_go_to_the_sandbox_as_they_are(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    pasted = CASES["6 quotes"]
    assert sent_last(setting, pasted, monkeypatch).body == pasted.request.body


def test_different_error_is_not_the_same(setting: Setting) -> None:
    found = replayed(Pasted(in_json(BY_CLIENT), Response(503), ()), setting)
    assert found.trouble == ""
    assert found.explanation is None
    assert not found.same


def test_a_curl_command_without_its_answer_is_sent_and_compared_with_nothing(setting: Setting) -> None:
    command = f"curl {TOKEN_URL} -u {ID}:{SECRET} -d grant_type=client_credentials"
    exchange = paste.read(command)[0].to_exchange(now())
    found = replay(exchange, None, setting)
    assert found.trouble == ""
    assert found.exchanges[-1].response is not None
    assert found.exchanges[-1].response.status == 200
    assert not found.same


@given(st.binary() | st.text('{}[]":, \\&=%+ab1\n').map(str.encode))
def test_a_body_in_which_nothing_is_replaced_is_the_same_to_the_byte(body: bytes) -> None:
    again = rewrite(posted(body), f"{SITE}/elsewhere", lambda _, value: value)
    assert again.body == body


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (Exchange(Step.CALLBACK, Request("GET", f"{SHOP}?code={CODE}&state=xyzzy-1"), now()), "callback URL"),
        (Exchange(Step.REVOKE, Request("POST", "https://as.example/revoke"), now()), "does not have this endpoint"),
        (Exchange(Step.TOKEN, Request("", ""), now(), ANSWERS[2]), "No request was pasted"),
        (Exchange(Step.TOKEN, Request("POST", TOKEN_URL, (("Content-Length", "9"),)), now()), "without its body"),
        (
            Exchange(Step.TOKEN, replace(in_json(BY_CODE), url=f"//[{CODE}"), now(), ANSWERS[2]),
            "must begin with https://",
        ),
    ],
)
def test_unreplayable_paste_has_a_reason(exchange: Exchange, words: str, setting: Setting, history: History) -> None:
    found = replay(exchange, None, setting)
    assert words in found.trouble
    assert CODE not in found.trouble
    assert (found.exchanges, found.same, found.changes) == ((), False, ())
    assert rows(history) == []


def test_a_provider_with_users_gets_nothing(setting: Setting, history: History) -> None:
    setting = replace(setting, provider=replace(setting.provider, name="OLX Poland", control=""))
    found = replayed(CASES["2"], setting)
    assert found.trouble == "OLX Poland is not a sandbox; pasted requests are sent only to a sandbox."
    assert rows(history) == []


def test_error_of_another_api_is_not_replayed(setting: Setting, history: History) -> None:
    request = Request("GET", "https://api.olxgroup.com/advert/v1/7/meta", (("Authorization", f"Bearer {ACCESS}"),))
    body = b'{"transaction_id": "5b1f6a30", "message": "The access token provided has expired"}'
    exchange = Exchange(Step.API, request, now(), Response(403, body=body))
    found = replay(exchange, explain(exchange), setting)
    assert found.trouble.startswith("This is an error of another API (olxgroup/access_token_expired)")
    assert rows(history) == []


@pytest.mark.parametrize("name", ["2", "worked: code", "8", "10 code"])
def test_unreachable_sandbox_is_reported_as_trouble(name: str, setting: Setting) -> None:
    with running() as gone:
        pass
    found = replayed(CASES[name], replace(setting, provider=sandbox_at(gone.url)))
    assert "sandbox" in found.trouble
    assert not found.same
    assert found.explanation is None


@pytest.mark.parametrize("name", ["2", "4 not for this client's code", "7", "9 elsewhere", "no such path"])
def test_the_sandbox_may_stand_under_a_path_of_the_console(name: str, setting: Setting) -> None:
    with serving(Starlette(routes=[Mount("/sandbox", application(Sandbox(utc_now)))])) as url:
        found = replayed(CASES[name], replace(setting, provider=sandbox_at(f"{url}/sandbox")))
    assert found.trouble == ""
    assert found.same, found.explanation
    assert all(exchange.request.url.startswith(f"{url}/sandbox/") for exchange in found.exchanges)


def test_removed_client_is_named(setting: Setting, sandbox: RunningSandbox) -> None:
    sandbox.sandbox.remove_client("website-app")
    found = replayed(CASES["10 code"], setting)
    assert "needs a code from the sandbox" in found.trouble
    assert not found.same
