"""Hostile numbers, hosts and characters in everything that an address, an answer, a profile or a paste can carry.

No page fails for one, and no exchange ends without a named failure.
"""

import base64
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tomli_w
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse

from oauth import flow as flows
from oauth import providers
from oauth.client import send
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Response, Step
from oauth.flow import Client, Flow, Grant, parse_pasted
from oauth.formatting import span
from oauth.history.filters import FilterError, Filters
from oauth.history.terms import TERMS
from oauth.installation import Installation
from oauth.jose import jwt
from oauth.providers import custom
from oauth.providers.discovery import candidates
from oauth.providers.profile import Lifetimes, RequestLimit
from oauth.providers.validation import ProfileError
from oauth.providers.well_known import DiscoveryError
from oauth.wire.sockets import WireError
from oauth.wire.tls import TlsStream
from oauth_sandbox.testing import serving
from tests.exchanges import token_exchange
from tests.pages.conftest import Page, components, page, server

__all__ = ["components", "page", "server"]

NOW = datetime(2026, 11, 23, 10, 16, 19, tzinfo=UTC)
ZONES = [UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")]

NUMBERS = [
    "-1e30", "1e30", "1e308", "-1e308", "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "-1", "0", "-0.0", "0.5",
    str(2**31), str(2**63), str(-(2**63) - 1), str(2**64), "1" + "0" * 30, "9" * 4000, "9" * 5000, "-" + "9" * 5000,
    "253402300799", "253402300800", "-62135596800", "-62135596801", "3153600000", "3153600001",
]  # fmt: skip
"""Numbers as Python's JSON reads them: beyond 64 bits, beyond the calendar, beyond ``int``, and no numbers at all."""

TEXTS = [
    "", " ", "\0", "\u202e", "\ufffd", "\ufeff", "a" * 10_000, "١٢", "²", "１２", "0" * 5000 + "1", "0x1f", "1_0",
    "true", "*", "-", '"', "'", "{{}}", "{0}%s", "<b>", "../../etc", "null", "a:b", "step:", "(", "[", "9999-12-31",
    "0001-01-01", "9999w", "9999-12-31T23:59:59Z",
]  # fmt: skip

HOSTS = [
    "xn--", "xn--a", "xn--.example", "a.xn--", "xn--" + "a" * 100, "0177.0.0.1", "0x7f.1", "2130706433", "1.2.3.4.5",
    "256.256.256.256", "08.1.1.1", "[::1", "::1]", "[0177.0.0.1]", "[::1%25]", "[v1.x]", "[]", "[[::1]]", "a" * 300,
    "a" * 64 + ".example", "..", ".", "-", "%00", "a%00b", "é" * 100, "\ud800", "ß.example", "１２７.0.0.1",
    "℀.example", "localhost:99999", "localhost:-1", "localhost:" + "9" * 5000, "localhost:٣", "user@", "a b",
    "a\tb", "a\\b", "\0",
]  # fmt: skip


def of_json(number: str) -> Any:
    """Return a number as it is in an answer, or as the text of it where Python's JSON refuses it."""
    try:
        return json.loads(number)
    except ValueError:
        return number


def answered(body: str, step: Step = Step.TOKEN, at: datetime = NOW, retry_after: str = "") -> Exchange:
    request = Request("POST", "https://provider.example/token", (), b"grant_type=authorization_code")
    pairs = (("Content-Type", "application/json"), ("Retry-After", retry_after))
    return Exchange(
        step, request, at, Response(200, "OK", pairs, body.encode("utf-8", "surrogatepass")), duration_ms=20
    )


def octets_of(text: str) -> str:
    """Encode a part of a token (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def new_flow() -> Flow:
    provider = providers.load("http://localhost:8501")["sandbox"]
    return Flow(provider, Client("demo-app", "demo-secret"), "http://localhost:8501/callback", "s" * 40, NOW)


def show(moment: datetime | None) -> None:
    """Format a time as the pages do: the time itself in every zone, and how long until then."""
    if moment is not None:
        for zone in ZONES:
            assert f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        assert span((moment - NOW).total_seconds())


HALVES = ["\\ud800", "\\udfff", "\ud800", "\udfff"]
"""Half a character, escaped and as octets."""

# Answers


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:24])
def test_every_number_of_an_answer_leads_to_a_time_that_can_be_shown(number: str) -> None:
    for text in (number, f'"{number}"', f"[{number}]", f'{{"a": {number}}}'):
        tokens = flows.read_tokens(
            new_flow(), answered(f'{{"access_token": "a", "expires_in": {text}}}'), Grant.AUTHORIZATION_CODE, ""
        ).tokens
        if tokens is not None:
            show(tokens.expires_at)
        device_answer = f'{{"device_code": "d", "user_code": "u", "interval": {text}, "expires_in": {text}}}'
        device = flows.read_device(new_flow(), answered(device_answer, Step.DEVICE)).device
        if device is not None:
            show(device.expires_at)
            show(device.next_poll_at)
            assert device.interval > 0
        pushed = flows.read_pushed(
            new_flow(), answered(f'{{"request_uri": "r", "expires_in": {text}}}', Step.PAR)
        ).pushed
        if pushed is not None:
            show(pushed.expires_at)
        show(answered("{}", retry_after=number).retry_at)


def test_the_tokens_arrive_beside_a_number_that_is_no_lifetime() -> None:
    for number in ("-1e30", "1e30", "NaN", "Infinity", '"soon"', "null", "1" + "0" * 400):
        exchange = answered(f'{{"access_token": "a", "refresh_token": "r", "expires_in": {number}}}')
        tokens = flows.read_tokens(new_flow(), exchange, Grant.AUTHORIZATION_CODE, "").tokens
        assert tokens is not None
        assert (tokens.access_token, tokens.refresh_token, tokens.expires_in) == ("a", "r", None)


def test_polls_that_fail_for_ever_do_not_lead_beyond_the_calendar() -> None:
    answer = answered('{"device_code": "d", "user_code": "u", "interval": 1000000000}', Step.DEVICE)
    flow = flows.read_device(new_flow(), answer)
    for _ in range(60):
        flow = flows.read_tokens(flow, replace(answer, response=None), Grant.DEVICE_CODE, "")
    assert flow.device is not None
    show(flow.device.next_poll_at)


@pytest.mark.parametrize("year", [1, 9999])
@pytest.mark.parametrize("number", ["3153600000", "-3153600000", "1e30"])
def test_answers_at_the_ends_of_the_calendar(year: int, number: str) -> None:
    at = datetime(year, 6, 1, tzinfo=UTC)
    exchange = answered(f'{{"access_token": "a", "expires_in": {number}}}', at=at)
    tokens = flows.read_tokens(new_flow(), exchange, Grant.AUTHORIZATION_CODE, "").tokens
    assert tokens is not None
    show(tokens.expires_at)
    show(replace(exchange, duration_ms=2**40).retry_at)


@pytest.mark.parametrize(
    "date",
    ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 99 Jan 2026 99:99:99 GMT", "x" * 5000],
)
def test_every_date_of_an_answer_can_be_shown(date: str) -> None:
    show(answered("{}", retry_after=date).retry_at)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:24])
def test_every_number_of_a_token_can_be_shown(number: str) -> None:
    claims = ", ".join(f'"{name}": {number}' for name in ("exp", "iat", "nbf", "auth_time", "updated_at"))
    parts = [
        base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in ('{"alg": "none"}', f"{{{claims}}}")
    ]
    token = jwt.decode(".".join([*parts, ""]))
    if token is not None:
        for zone in ZONES:
            jwt.describe_times(token, NOW, zone)
        jwt.check_id_token(token, jwt.Expected("https://provider.example", "demo-app", "n", "a"), NOW)


@pytest.mark.parametrize("half", HALVES)
def test_half_a_character_in_an_answer_becomes_one_that_can_be_shown_and_sent(half: str) -> None:
    answer = f'{{"access_token": "a{half}b", "scope": "{half}", "token_type": "{half}", "expires_in": 60}}'
    tokens = flows.read_tokens(new_flow(), answered(answer), Grant.AUTHORIZATION_CODE, "").tokens
    assert tokens is not None
    for text in (tokens.access_token, tokens.scope, tokens.token_type):
        assert text.encode()
    assert tokens.expires_in == 60


# Profiles


def numeric_fields() -> list[str]:
    timeouts = [f"connection.{name}_timeout" for name in ("connect", "read", "total")]
    return [
        *timeouts,
        *(f"lifetimes.{item.name}" for item in fields(Lifetimes)),
        *(f"request_limit.{item.name}" for item in fields(RequestLimit)),
    ]


@pytest.mark.parametrize("number", [*NUMBERS, "nan", "inf", "-inf"], ids=lambda number: number[:24])
@pytest.mark.parametrize("name", numeric_fields())
def test_every_number_of_a_profile_is_refused_by_name_or_used(name: str, number: str) -> None:
    table, _, member = name.partition(".")
    value = of_json(number)
    others = {"requests": 1, "seconds": 1, "pause": 1} if table == "request_limit" else {}
    try:
        content = tomli_w.dumps({"name": "X", table: others | {member: value}})
    except (ValueError, TypeError):
        return  # TOML cannot say it
    with suppress(ProfileError):
        profile = custom.read("x", content.encode(), "x.toml")
        for lifetime in (profile.lifetimes.code, profile.lifetimes.access_token, profile.lifetimes.refresh_token):
            if lifetime is not None:
                show(NOW + timedelta(seconds=lifetime))


# Hosts


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve no name, and refuse those that the system's resolver refuses before it asks anybody."""

    real = socket.getaddrinfo

    def resolve(host: str, *more: Any, **options: Any) -> list[Any]:
        host.encode("idna")
        if host in ("127.0.0.1", "localhost"):
            return list(real(host, *more, **options))
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: ascii(host[:24]))
@pytest.mark.usefixtures("no_names")
def test_every_host_of_a_request_ends_in_a_named_failure(console: Installation, host: str) -> None:
    for url in (f"http://{host}/token", f"https://{host}:1/token?a=b", f"http://[::1{host}"):
        exchange = token_exchange("https://provider.example/token")
        exchange = replace(exchange, request=replace(exchange.request, url=url))
        live = send(exchange, console.recorder()).live
        assert live.failure is not None, url
        assert live.failure.kind in ("invalid_url", "dns", "unknown_host", "refused", "unreachable"), live.failure


@pytest.mark.parametrize(
    "host", [host for host in HOSTS if host.isascii() and "\0" not in host], ids=lambda host: ascii(host[:24])
)
def test_every_host_is_named_in_tls_or_refused_by_name(host: str) -> None:
    class Closed:
        def send(self, data: bytes) -> None:
            pass

        def receive(self) -> bytes:
            return b""

        def close(self) -> None:
            pass

    with pytest.raises(WireError):
        TlsStream(Closed(), ssl.create_default_context(), host)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: ascii(host[:24]))
def test_every_host_typed_for_discovery_is_tried_or_refused(host: str) -> None:
    for text in (host, f"https://{host}", f"http://{host}/.well-known/openid-configuration"):
        with suppress(DiscoveryError):
            assert candidates(text)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: ascii(host[:24]))
def test_every_pasted_address_is_read_or_refused(host: str) -> None:
    for text in (
        f"http://{host}?code=x",
        f"http://{host}/callback#code=x&state=s",
        f"//{host}?code=x",
        f"{host}?code=x",
    ):
        with suppress(InputError):
            assert ("code", "x") in parse_pasted(text)


def test_a_malformed_pasted_address_says_so() -> None:
    with pytest.raises(InputError, match="not a valid address"):
        parse_pasted("http://[::1?code=x")


# Addresses of pages


@pytest.mark.parametrize("name", [f"{sign}{term.name}" for term in TERMS for sign in ("", "-")])
def test_every_value_of_a_filter_in_an_address_is_read_or_refused_by_name(console: Installation, name: str) -> None:
    for value in [*TEXTS, *NUMBERS, *HOSTS]:
        value = value.encode("utf-8", "replace").decode()  # a browser sends no half characters
        with suppress(FilterError):
            filters = Filters.from_query({name: value})
            for zone in ZONES:
                resolved = filters.resolved(NOW, zone)
            console.history.page(resolved, None, 1)


@pytest.fixture
def walked(page: Page) -> Page:
    """The console with two exchanges in its history."""
    page.paste(page.decide())
    page.press("token.send")
    return page


PAGE_VALUES = ["9" * 5000, "-1", "1e30", "1", str(2**63), "9" * 18, "²", "١", "\0", "xn--", "[::1", "<b>", "a" * 5000]


@pytest.mark.parametrize("name", ["row", "before", "with", "show"])
def test_no_value_of_a_parameter_breaks_the_history(walked: Page, name: str) -> None:
    for value in PAGE_VALUES:
        for others in ({}, {"row": "1"}, {"show": "repeats"}, {"show": "charts"}):
            walked.app.query_params.clear()
            walked.go("history.py", **(others | {name: value}))
            assert "Could not show the history" not in walked.text(), (name, value[:20])


@pytest.mark.parametrize("name", ["text", "host", "status", "since", "error"])
def test_no_filter_in_an_address_breaks_the_history(walked: Page, name: str) -> None:
    for value, sign in product(PAGE_VALUES, ("", "-")):
        walked.app.query_params.clear()
        walked.go("history.py", **{sign + name: value})


@pytest.mark.parametrize("name", ["q", "error", "entry", "catalogue"])
def test_no_value_of_a_parameter_breaks_the_errors(page: Page, name: str) -> None:
    for value in PAGE_VALUES:
        page.app.query_params.clear()
        page.go("errors.py", **{name: value})


@pytest.mark.parametrize("path", ["walkthrough.py", "diagnose.py", "providers.py", "sandbox.py"])
def test_unknown_parameters_break_no_page(page: Page, path: str) -> None:
    for name, value in (("row", "9" * 5000), ("before", "-1"), ("code", "<b>"), ("state", "x" * 5000), ("", "\0")):
        page.app.query_params.clear()
        page.go(path, **{name: value})


# The walkthrough


@contextmanager
def provider_with(home: Path, answers: list[str]) -> Iterator[None]:
    """Serve a provider whose every endpoint gives the last of ``answers``, with a profile of it."""

    def answer(_: HttpRequest) -> HttpResponse:
        body = answers[-1].encode("utf-8", "surrogatepass")
        return HttpResponse(body, 200, {"Retry-After": "9" * 5000}, "application/json")

    app = Starlette()
    app.add_route("/{path:path}", answer, ["GET", "POST"])
    with serving(app) as url:
        (home / "providers").mkdir(parents=True, exist_ok=True)
        names = ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint")
        more = ("device_authorization_endpoint", "jwks_uri", "userinfo_endpoint", "introspection_endpoint")
        profile = {name: f"{url}/{name}" for name in (*names, *more)}
        (home / "providers" / "hostile.toml").write_text(tomli_w.dumps({"name": "Hostile", "issuer": url} | profile))
        yield


def hostile_answer(number: str, half: str) -> str:
    claims = (
        base64.urlsafe_b64encode(f'{{"exp": {number}, "iat": {number}, "x": "{half}"}}'.encode()).decode().rstrip("=")
    )
    header = base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    texts = ("device_code", "user_code", "verification_uri", "scope", "token_type", "request_uri", "error_uri")
    members = [f'"{name}": "a{half}"' for name in texts] + [
        f'"{name}": {number}' for name in ("expires_in", "interval")
    ]
    return f'{{"access_token": "{header}.{claims}.", "id_token": "{header}.{claims}.", {", ".join(members)}}}'


@pytest.mark.parametrize("number", ["-1e30", "1e30", "NaN", "9" * 5000, "253402300799"], ids=lambda number: number[:24])
def test_no_number_of_an_answer_breaks_the_walkthrough(home: Path, number: str, request: pytest.FixtureRequest) -> None:
    with provider_with(home, [hostile_answer(number, r"\ud800")]):
        page: Page = request.getfixturevalue("page")
        page.pick("walkthrough.provider", "hostile")
        page.type("walkthrough.client_id", "a-client")
        page.press("rail.par")
        page.press("par.send")
        page.paste("a-code")
        page.press("token.send")
        assert "200 OK" in page.text()
        page.press("rail.device")
        page.press("device.send")
        page.press("rail.api" if any(button.key == "rail.api" for button in page.app.button) else "rail.token")


@pytest.mark.parametrize(
    "address",
    [
        "http://[::1?code=x",
        "http://xn--/token",
        "https://0177.0.0.1:1/token",
        "http://[0177.0.0.1]/",
        "http://a b/",
        "x:",
    ],
)
@pytest.mark.usefixtures("no_names")
def test_no_typed_address_breaks_the_walkthrough(page: Page, address: str) -> None:
    page.paste(address if "code=" in address else f"{address}?code=x")
    if not any(field.key == "token.url" for field in page.app.text_input):
        page.press("rail.token")
    page.type("token.url", address)
    if any(button.key == "token.send" and not button.disabled for button in page.app.button):
        page.press("token.send")
    assert "200 OK" not in page.text()
