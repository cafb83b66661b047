"""Read HAR 1.2, as browsers and proxies save it: one exchange for each entry, in the order of the file."""

import base64
import binascii
import contextlib
import gc
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from msgspec import DecodeError, Struct, field
from msgspec.json import Decoder

from oauth import lenient_json
from oauth.exchange import LONGEST_MS, Headers, Part, Request, Response
from oauth.lenient_json import ParseError
from oauth.paste.body import encoded, first_sign
from oauth.paste.result import Pasted, Spans, check_count
from oauth.paste.step_guess import step_of
from oauth.paste.times import moment

_MOST = 1e12
"""Limit from which a number is not taken as a size, a status or a time."""

NOT_SAVED = "the request body is not in the HAR"


def confidence(text: str) -> float:
    """Return 1 when the text is an object with a ``log`` that has ``entries``."""
    start = first_sign(text)
    return 1.0 if text.startswith("{", start) and '"log"' in text[start : start + 2000] and '"entries"' in text else 0.0


def read(text: str) -> list[Pasted]:
    """Return the exchanges of the file. Raises ``ParseError``."""
    with collector_paused():
        return _read(text)


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the search for cycles, which a JSON document has none of: it would go through all of it many times."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(text: str) -> list[Pasted]:
    spans = ((0, len(text)),)
    text = text.removeprefix("\ufeff")  # the byte order mark of a file
    saved = decoded(text)
    if saved is not None:
        check_count(saved)
        return exchanges(saved, spans)
    headers = SharedHeaders()
    repairs: tuple[str, ...] = ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        reading = lenient_json.read(text, first_sign(text), cut=True)
        document, repairs = reading.value, reading.repairs
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise ParseError("the HAR has no list at log.entries.", text, 0)
    check_count(entries)
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise ParseError(f"entry {number} of the HAR is not an object.", text, 0)
    return [exchange(entry, headers, repairs, spans) for entry in entries]


class _Header(Struct, gc=False, frozen=True):
    name: str
    value: str


class _PostData(Struct, gc=False):
    text: str | None = None
    params: list[Any] | None = None


class _Request(Struct, gc=False, rename="camel"):
    method: str | None = None
    url: str | None = None
    headers: list[_Header] | None = None
    post_data: _PostData | None = None
    body_size: float | None = None


class _Content(Struct, gc=False):
    text: str | None = None
    encoding: str | None = None
    size: float | None = None


class _Response(Struct, gc=False, rename="camel"):
    status: float | None = None
    status_text: str | None = None
    http_version: str | None = None
    headers: list[_Header] | None = None
    content: _Content | None = None


class _Entry(Struct, gc=False, rename="camel"):
    """The members of an entry that are read; skipping the others takes a third of the time of reading them."""

    request: _Request | None = None
    response: _Response | None = None
    started_date_time: Any = None
    time: float | None = None
    resource_type: str | None = field(default=None, name="_resourceType")


class _Log(Struct):
    entries: list[_Entry]


class _File(Struct):
    log: _Log


_FILE = Decoder(_File)


def decoded(text: str) -> list[_Entry] | None:
    """Return the entries of a HAR; ``None`` where it is invalid or has other types than HAR's."""
    try:
        return _FILE.decode(text).log.entries
    except (DecodeError, UnicodeError, RecursionError):
        return None


def exchanges(entries: list[_Entry], spans: Spans = ()) -> list[Pasted]:
    """Return the exchange of each entry of a file."""
    headers = SharedHeaders()
    return [_exchange(entry, headers, (), spans) for entry in entries]


class SharedHeaders(dict[_Header, tuple[str, str] | None]):
    """Headers of a file as pairs of name and value: each is created once, however often the file repeats it.

    Those that do not count are ``None``: the pseudo-headers of HTTP/2 (RFC 9113 §8.3), which some browsers list too.
    """

    def __missing__(self, item: _Header) -> tuple[str, str] | None:
        self[item] = None if item.name.startswith(":") else (item.name, item.value)
        return self[item]

    def of(self, items: list[_Header] | None) -> Headers:
        """Return the headers of a request or a response."""
        return tuple(filter(None, map(self.__getitem__, items))) if items else ()


def exchange(
    entry: Mapping[str, Any], headers: SharedHeaders, repairs: tuple[str, ...] = (), spans: Spans = ()
) -> Pasted:
    """Return the exchange of one entry; a member that is missing or has another type is empty.

    ``headers`` is the same for all entries of a file.
    """
    request, response = _object(entry, "request"), _object(entry, "response")
    time = entry.get("time")
    data, content = _object(request, "postData"), _object(response, "content")
    read = _Entry(
        _Request(
            _text(request, "method"),
            _text(request, "url"),
            _named(request.get("headers")),
            _PostData(_text(data, "text"), data.get("params")),
            _number(request, "bodySize"),
        ),
        _Response(
            _number(response, "status"),
            _text(response, "statusText"),
            _text(response, "httpVersion"),
            _named(response.get("headers")),
            _Content(_text(content, "text"), _text(content, "encoding"), _number(content, "size")),
        ),
        entry.get("startedDateTime"),
        time if isinstance(time, int | float) else None,
        _text(entry, "_resourceType"),
    )
    return _exchange(read, headers, repairs, spans)


def _exchange(entry: _Entry, headers: SharedHeaders, repairs: tuple[str, ...], spans: Spans) -> Pasted:
    request_part, response_part, time = entry.request or _Request(), entry.response or _Response(), entry.time
    body = _request_body(request_part.post_data) if request_part.post_data is not None else b""
    request = Request(request_part.method or "", request_part.url or "", headers.of(request_part.headers), body)
    saved = bool(body) or _small(request_part.body_size) <= 0
    response, is_body_saved = _response(response_part, headers)
    unknown = [] if saved else [Part.REQUEST_BODY]
    unknown += [] if is_body_saved else [Part.RESPONSE_BODY]
    return Pasted(
        request,
        response,
        step_of(request, response, entry.resource_type or ""),
        moment(entry.started_date_time),
        round(time) if time is not None and 0 <= time <= LONGEST_MS else None,
        repairs if saved else (*repairs, NOT_SAVED),
        "HAR",
        unknown=frozenset(unknown),
        spans=spans,
    )


def _response(response_part: _Response, headers: SharedHeaders) -> tuple[Response | None, bool]:
    """Return the response, ``None`` where the browser got none, and whether the file has its body."""
    status = int(_small(response_part.status))
    if not 100 <= status <= 599:
        return None, True
    content = response_part.content or _Content()
    text = content.text or ""
    body = encoded(text)
    if content.encoding == "base64":
        with contextlib.suppress(binascii.Error, ValueError):  # the body then stays as it stands there
            body = base64.b64decode(text)
    version = response_part.http_version or "HTTP/1.1"
    response = Response(
        status, response_part.status_text or "", headers.of(response_part.headers), body, http_version=version
    )
    return response, bool(body) or _small(content.size) <= 0


def _request_body(data: _PostData) -> bytes:
    if data.text:
        return encoded(data.text)
    pairs = [(item.name, item.value) for item in _named(data.params)]
    return urlencode(pairs, errors="replace").encode()


def _named(items: object) -> list[_Header]:
    """Return the names and values of headers or form fields; one that is not a string is empty."""
    entries = items if isinstance(items, list) else []
    return [_Header(_text(item, "name"), _text(item, "value")) for item in entries if isinstance(item, dict)]


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    member = value.get(name)
    return member if isinstance(member, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    member = value.get(name)
    return member if isinstance(member, str) else ""


def _number(value: Mapping[str, Any], name: str) -> float:
    member = value.get(name)
    return member if isinstance(member, int | float) and abs(member) < _MOST else 0


def _small(number: float | None) -> float:
    return number if number is not None and abs(number) < _MOST else 0
