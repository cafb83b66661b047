"""The places at which foreign text enters, each as a function of the text.

A function takes what its reader says about a bad text, and lets everything else through: an exception that leaves it
is a fault.
"""

import asyncio
import base64
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request as HttpRequest

from oauth import flow as flows
from oauth import paste
from oauth.catalogue import entries, explain, shapes, words
from oauth.diagnosis import NoPast, diagnose
from oauth.diagnosis.pasted import Paste
from oauth.egress import Policy
from oauth.errors import InputError
from oauth.exchange import Exchange, Request, Response, Step
from oauth.exports.layout import COLUMNS, NUMBERS
from oauth.history.filters import FilterError, Filters, where
from oauth.history.store import History
from oauth.imports import ImportFileError, import_file
from oauth.jose import jwt, keys
from oauth.providers import custom, discovery, metadata, protected_resource
from oauth.providers.validation import ProfileError
from oauth.providers.well_known import DiscoveryError
from oauth.recorder import Recorder
from oauth.redaction import Vault
from oauth.routes.callback import FORM, callback

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
_URL = "https://p.example/token"
_TOKEN = base64.urlsafe_b64encode(b'{"alg": "RS256", "kid": "k"}').rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A place at which foreign text enters; ``most`` is the size from which it takes no more, in octets."""

    name: str
    call: Callable[[str], object]
    most: int = 1 << 40


def octets(text: str) -> bytes:
    """Return the text as it comes over a wire or in a file; a lone surrogate is three octets that are not UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def _paste(text: str) -> None:
    with suppress(paste.ParseError):
        pasted = Paste(paste.read(text), Vault(b"key"), NOW)
        list(islice(pasted.findings(), 20))


def _answer(response: Response, request: Request | None = None) -> None:
    """Record an answer, read it into the flow and explain it, as the walkthrough does."""
    vault = Vault(b"key")
    exchange = Exchange(Step.TOKEN, request or Request("POST", _URL), NOW, response=response, duration_ms=1)
    vault.redact(exchange)
    for status in (200, 400):
        seen = replace(exchange, response=replace(response, status=status))
        flows.read_keys(seen)
        explanation = explain.explain(seen)
        if explanation is not None:
            diagnose(seen, explanation, past=NoPast(), vault=vault, now=NOW)


def _callback_with(method: str) -> Callable[[str], None]:
    def call(text: str) -> None:
        body = octets(text) if method == "POST" else b""
        scope = {
            "type": "http",
            "method": method,
            "path": "/callback",
            "scheme": "http",
            "server": ("localhost", 8501),
            "query_string": b"" if body else quote(text, safe="=&%;?", errors="replace").encode(),
            "headers": [(b"content-type", FORM.encode())],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def respond() -> None:
            await callback(_recorder, lambda: NOW)(HttpRequest(scope, receive))

        # In a thread of its own: in this one, a browser of other tests may have an event loop.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(lambda: asyncio.run(respond())).result()

    return call


@cache
def _history() -> History:
    folder = Path(tempfile.mkdtemp())
    return History(f"sqlite:///{folder / 'history.db'}", lambda: NOW)


def _recorder() -> Recorder:
    return Recorder(_history(), Vault(b"key"), Policy())


def _import(content: bytes) -> None:
    with suppress(ImportFileError):
        import_file(io.BytesIO(content), _history(), lambda: Vault(b"key"), NOW)


def _import_har(text: str) -> None:
    entry = {"request": {"method": "GET", "url": text, "headers": [{"name": "Cookie", "value": text}]}}
    _import(json.dumps({"log": {"entries": [entry]}}).encode())


def _import_line(text: str) -> None:
    values = {name: 1 if name in NUMBERS else text for name in COLUMNS}
    _import(json.dumps({**values, "id": 1, "started_at": NOW.isoformat(), "step": "token"}).encode())


def _import_csv(text: str) -> None:
    _import(f"\ufeff{','.join(COLUMNS)}\r\n".encode() + octets(text))


def _profile(text: str) -> None:
    with suppress(ProfileError):
        custom.read("hostile", octets(text), "hostile.toml")


def _profile_field(text: str) -> None:
    _profile(f'name = "A"\nauthorization_endpoint = {json.dumps(text)}\nscope = {json.dumps(text)}\n')


def _shapes(text: str) -> None:
    """Read a body in any format, and values with the text in all their members."""
    shapes.error_in(shapes.read_body(text)[0])
    names = ("error", "error_description", "message", "status", "code", "data", "body", "detail", text)
    shapes.error_in(dict.fromkeys(names, text), 400)
    shapes.error_in([{name: [text] for name in names}], 400)
    shapes.read_form(f"error=a&{text}")
    for xml in (
        f"<error>{text}</error>",
        f"<error a='{text}'/>",
        f"<{text}>",
        f"<a><![CDATA[{text}]]></a>",
        f"<a>{text}",
    ):
        shapes.error_in(shapes.read_xml(xml))


def _words(text: str) -> None:
    for before in ("", "invalid_grant: ", 'oauth2: "', "error=a_b&error_description=", "OAuthError: [a_b] "):
        for _ in words.find(before + text):
            pass


def _catalogue(text: str) -> None:
    for read in (entries.read_documented, entries.read_registered, entries.read_answers, shapes.read_table):
        with suppress(entries.CatalogueError):
            read(text, "hostile.toml")


def _key_set(text: str) -> None:
    """Verify a token with keys whose members are the text."""
    members: dict[str, Any] = dict.fromkeys(("n", "e", "d", "p", "q", "x", "y", "kid", "x5c"), text)
    sets = [{"kty": kind, **members, "crv": curve} for kind, curve in (("RSA", ""), ("EC", "P-256"), ("OKP", text))]
    for key in (*sets, {**sets[0], "e": "AQAB"}, {**sets[0], "e": "AQAB", "p": None, "q": None}):
        jwt.check_signature(f"{_TOKEN}.e30.YQ", [{**key, "kid": "k"}])
    jwt.check_signature(f"{_TOKEN}.e30.YQ", [{"kty": "RSA", "kid": text}] * 100)


def _token(text: str) -> None:
    part = base64.urlsafe_b64encode(octets(text)).rstrip(b"=").decode()
    for token in (text, f"{text}.{text}.{text}", f"{part}.{part}.{part}", f"{_TOKEN}.{part}.{part}"):
        decoded = jwt.decode(token)
        if decoded is not None:
            jwt.describe_times(decoded, NOW)
            jwt.check_id_token(decoded, jwt.Expected("client"), NOW)
            jwt.check_signature(token, [], text)


def _claims(text: str) -> None:
    names = ("alg", "kid", "iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "at_hash")
    _token(json.dumps(dict.fromkeys(names, text)))


def _private_key(text: str) -> None:
    for key in (
        text,
        f"-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----",
        f'{{"kty":"RSA","d":"{text}"}}',
    ):
        with suppress(InputError):
            keys.read_private_key(key)
    members = dict.fromkeys(("n", "d"), text)
    with suppress(InputError):
        keys.read_private_key(json.dumps({"kty": "RSA", "e": "AQAB", **members}))


def _filter_line(text: str) -> None:
    for line in (text, f'"{text}', f"step:{text}", f"text:{text}", f"status:{text},{text}", f"since:{text}"):
        with suppress(FilterError):
            filters = Filters.parse(line)
            where(filters)
            _ = filters.line
    with suppress(FilterError):
        Filters.from_query({"text": text, "status": text, "since": text})


def _discovery(text: str) -> None:
    candidate = discovery.candidates("https://p.example")[0]
    members = dict.fromkeys(("token_endpoint", "jwks_uri"), text) | {"scopes_supported": [text]}
    for body in (octets(text), json.dumps({"issuer": "https://p.example", **members}).encode()):
        with suppress(DiscoveryError):
            metadata.read(candidate, Response(200, body=body))
    resource = json.dumps({"resource": text, "authorization_servers": [text], "scopes_supported": [text]}).encode()
    for body in (octets(text), resource):
        with suppress(DiscoveryError):
            protected_resource.read("https://p.example/.well-known/x", "https://p.example", Response(200, body=body))
    protected_resource.challenge(Response(401, "", (("WWW-Authenticate", text),)))
    with suppress(DiscoveryError):
        discovery.candidates(text)


def _pasted_callback(text: str) -> None:
    with suppress(InputError):
        flows.parse_pasted(text)


def _redact(text: str) -> None:
    vault = Vault(b"key")
    vault.add("access_token", "0123456789abcdef0123456789abcdef")
    vault.redact_text(text)
    vault.redact_url(f"https://p.example/{text}")


def _redact_with(name: str) -> Callable[[str], None]:
    def call(text: str) -> None:
        response = Response(302, "Found", ((name, text),), b"")
        Vault(b"key").redact(Exchange(Step.AUTHORIZE, Request("GET", _URL, ((name, text),)), NOW, response=response))

    return call


def _answer_in(before: str, after: str = "", media_type: str = "application/json") -> Callable[[str], None]:
    return lambda text: _answer(Response(400, "", (("Content-Type", media_type),), octets(before + text + after)))


def _answer_header(name: str) -> Callable[[str], None]:
    return lambda text: _answer(Response(400, "", ((name, text),), b""))


def _request_in(before: str, media_type: str) -> Callable[[str], None]:
    def call(text: str) -> None:
        _answer(Response(400), Request("POST", _URL, (("Content-Type", media_type),), octets(before + text)))

    return call


def _paste_in(before: str, after: str = "") -> Callable[[str], None]:
    return lambda text: _paste(before + text + after)


def _entry_points() -> Iterator[EntryPoint]:
    yield EntryPoint("paste", _paste)
    for name, before, after in (
        ("curl's data", "curl https://p.example/token -d '", "'"),
        ("curl's words", "curl https://p.example/token ", ""),
        ("curl of cmd", 'curl ^"https://p.example/token^" ', ""),
        ("curl of PowerShell", 'curl.exe "https://p.example/token" `\n', ""),
        ("curl's form", "curl https://p.example/token -F 'a=b;type=", "'"),
        ("curl -v", "> POST /token HTTP/1.1\n> Host: p.example\n", "\n< HTTP/1.1 400 Bad Request\n<\n{"),
        ("curl --trace", "=> Send header, 100 bytes (0x64)\n0000: ", ""),
        ("a message's head", "POST /token HTTP/1.1\nHost: p.example\n", ""),
        ("a message's body", "HTTP/1.1 400 Bad Request\nContent-Type: application/json\n\n", ""),
        ("a chunked body", "HTTP/1.1 400 Bad Request\nTransfer-Encoding: chunked\n\n5\n", ""),
        ("JSON's value", '{"error": "', '"}'),
        ("JSON's member", '{"a": 1, ', "}"),
        ("an escaped JSON", '"{\\"error\\": ', ""),
        ("a literal", "{'error': ", "}"),
        ("Go's map", "map[error:a description:", "]"),
        ("PHP's dump", "Array\n(\n    [error] => ", "\n)\n"),
        ("PHP's var_dump", 'array(1) {\n  ["error"]=>\n  string(9) "', '"\n}\n'),
        ("OkHttp's log", "--> POST https://p.example/token http/1.1\n", "\n--> END POST"),
        ("a fetch call", 'fetch("https://p.example/token", {"body": "', '"});'),
        ("a fetch call's script", 'fetch("https://p.example/token", {', "});"),
        ("an address", "https://p.example/callback?code=x&", ""),
        ("a log", "2026-11-28 12:00:00 POST https://p.example/token returned 400 ", ""),
        ("a message", 'invalid_request Missing parameter: "code" is required ', ""),
        ("a HAR", '{"log": {"entries": [', "]}}"),
        ("a HAR's entry", '{"log": {"entries": [{"request": {"url": "', '"}}]}}'),
        ("a log record", '{"message": "', '", "level": "error"}'),
    ):
        yield EntryPoint(f"paste of {name}", _paste_in(before, after))
    yield EntryPoint("callback's query", _callback_with("GET"), 65_536)
    yield EntryPoint("callback's form", _callback_with("POST"), 65_536)
    yield EntryPoint("pasted callback", _pasted_callback)
    yield EntryPoint("redact", _redact)
    for name in ("Location", "Cookie", "Set-Cookie", "Authorization", "X-Other"):
        yield EntryPoint(f"redact {name}", _redact_with(name))
    yield EntryPoint("answer in JSON", _answer_in(""))
    yield EntryPoint("answer in JSON, a text", _answer_in('{"error_description": "', '"}'))
    yield EntryPoint("answer in HTML", _answer_in("<html><title>", "", "text/html"))
    yield EntryPoint("answer in XML", _answer_in("<?xml version='1.0'?>", "", "application/xml"))
    yield EntryPoint("answer as form", _answer_in("error=a&", "", FORM))
    yield EntryPoint("answer in parts", _answer_in("--b\r\n", "\r\n--b--", "multipart/form-data; boundary=b"))
    for name in ("WWW-Authenticate", "Location", "Content-Type", "Retry-After", "DPoP-Nonce"):
        yield EntryPoint(f"answer's {name}", _answer_header(name))
    yield EntryPoint("request as form", _request_in("", FORM))
    yield EntryPoint("request in JSON", _request_in('{"grant_type": "', "application/json"))
    yield EntryPoint("import", lambda text: _import(octets(text)))
    yield EntryPoint("import of a HAR", lambda text: _import(octets('{"log": {"entries": [' + text)))
    yield EntryPoint("import of a HAR's entry", _import_har)
    yield EntryPoint("import of a line", _import_line)
    yield EntryPoint("import of CSV", _import_csv)
    yield EntryPoint("profile", _profile)
    yield EntryPoint("profile's field", _profile_field)
    yield EntryPoint("catalogue", _catalogue)
    yield EntryPoint("body in any format", _shapes)
    yield EntryPoint("words of an error", _words)
    yield EntryPoint("key set", _key_set)
    yield EntryPoint("token", _token)
    yield EntryPoint("token's claims", _claims)
    yield EntryPoint("private key", _private_key)
    yield EntryPoint("filter line", _filter_line)
    yield EntryPoint("discovery", _discovery)


ENTRY_POINTS = tuple(_entry_points())
