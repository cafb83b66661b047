"""Turn a parsed value into exchanges: a body alone, a request's body, an exception's dump, or a log record."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from oauth.catalogue import shapes
from oauth.exchange import Headers, Part, Request, Response, header
from oauth.paste import har
from oauth.paste.body import as_json, encoded, repaired
from oauth.paste.result import STATUS_UNKNOWN, Pasted
from oauth.paste.step_guess import TOKEN_PATH, path_of, step_of
from oauth.paste.times import date_header, moment

DEEPEST = 8
"""Levels of a log record that are searched for a response."""

MOST_VALUES = 10_000
"""Values of one structure that are searched at most."""

WORDS = "message"
INSIDE = "JSON inside a JSON string extracted"

_STATUS = ("status", "statusCode", "status_code", "http_code", "http_status", "httpStatus", "_rc", "code")
_PLAIN_STATUS = {"status", "statuscode", "httpcode", "httpstatus", "httpstatuscode", "responsecode", "responsestatus"}
_BODY = (
    "data",
    "body",
    "payload",
    "_body",
    "_content",
    "content",
    "text",
    "responseText",
    "response_body",
    "responseBody",
    "response",
    "json",
)
_URL = ("url", "uri", "href", "requestUrl", "request_url")
_SENT = ("config", "request", "options", "req")
_SENT_BODY = ("data", "body", "json", "form")
_TIMES = ("time", "timestamp", "@timestamp", "ts", "datetime", "date")
_EMBEDDED = re.compile(r"[{\[]")
_SIGN = re.compile(
    r"[{\[<=]|error|invalid|token|oauth|denied|expired|grant|client|unauthori|scope|missing|require|_", re.IGNORECASE
)
"""A sign that a text may have an exchange or the words of an error inside."""

_SHORTEST = 8
"""Characters of a text that may have an exchange inside."""

Inside = Callable[[str], list[Pasted]]
"""The reader of a text inside a structure."""


def exchanges(value: Any, *, repairs: tuple[str, ...] = (), text: str | None = None, inside: Inside) -> list[Pasted]:
    """Return the exchanges in a value; none where nothing in it tells that it is one.

    ``text`` is the value as it was written, where that is strict JSON. ``inside`` reads the texts in it.
    """
    if isinstance(value, str):
        return _noted(inside(value), (INSIDE, *repairs)) if len(value) > _SHORTEST and _SIGN.search(value) else []
    read = partial(exchanges, repairs=repairs, inside=inside)
    if isinstance(value, list):
        return [exchange for item in value[:MOST_VALUES] if isinstance(item, dict) for exchange in read(item)]
    if not isinstance(value, dict) or not value:
        return []
    if (entries := _saved(value)) is not None:
        shared = har.SharedHeaders()
        return [har.exchange(entry, shared, repairs) for entry in entries]
    if _is_response_body(value):
        return [bare(value, repairs=repairs, text=text)]
    if is_request(value):
        return [_token_request(value, repairs)]
    around = _enveloped(value, repairs)
    if around and around[0].response and around[0].response.body:
        return around
    error = shapes.error_in(value)
    if error and not around and (dump := _dump_on(error.path, value)) is not None:
        return _of_record(value, read(dump))
    if error and around and not error.error and shapes.is_phrase(error.description):
        error = None  # the object only names its status
    whole = [bare(value, repairs=repairs, text=text)] if error else []
    items = whole if error and error.error else _searched(value, repairs, inside) or whole
    if whole and all(item.source == WORDS for item in items):
        items = whole  # the words of the body, with what stands beside them
    return [_within_envelope(item, around[0]) for item in items] if around and items else items or around


def _dump_on(path: tuple[str | int, ...], value: Any) -> dict[str, Any] | None:
    """Return the dump of an exception, with its request, that an error stands in."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None  # None for a name that was folded
        if isinstance(value, dict) and _request(value) is not None and _enveloped(value, ()):
            return value
    return None


def _within_envelope(item: Pasted, around: Pasted) -> Pasted:
    """Give an answer that was found inside an object the status and the request of the object."""
    status = around.response.status if around.response else STATUS_UNKNOWN
    item = with_status(item, status)
    if item.request is not None or around.request is None:
        return item
    step = step_of(around.request, item.response)
    return replace(
        item, request=around.request, step=step, unknown=item.unknown | around.unknown - {Part.RESPONSE_BODY}
    )


def _saved(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the entries of a HAR, or the one that the value is, ``None`` for any other value."""
    log, request, response = (value.get(name) for name in ("log", "request", "response"))
    if isinstance(log, dict) and isinstance(log.get("entries"), list):
        return [entry for entry in log["entries"] if isinstance(entry, dict)]
    if not (isinstance(request, dict) and isinstance(response, dict)):
        return None
    is_entry = isinstance(request.get("url"), str) and isinstance(response.get("content"), dict)
    return [value] if is_entry else None


def bare(
    value: Any,
    *,
    source: str = "JSON",
    repairs: tuple[str, ...] = (),
    text: str | None = None,
    status: int = STATUS_UNKNOWN,
) -> Pasted:
    """Return a value as the body of a response of which nothing else is known."""
    response = Response(status, body=as_json(value) if repairs or text is None else encoded(text))
    return Pasted(
        response=response,
        step=step_of(None, response),
        repairs=repairs,
        source=source,
        unknown=frozenset({Part.RESPONSE_HEADERS}),
    )


def is_request(value: object) -> bool:
    """Return whether a value is the body of a token request, and so not a response."""
    return isinstance(value, dict) and "grant_type" in value and "error" not in value


def _is_exchange(value: dict[str, Any]) -> bool:
    is_body = _is_response_body(value) or is_request(value) or shapes.error_in(value) is not None
    return is_body or _envelope(value) is not None


def _is_response_body(value: Any) -> bool:
    """Return whether a value is the body of a response as it stands, also under ``data``."""
    for _ in range(5):
        if not isinstance(value, dict):
            return False
        if isinstance(value.get("response"), dict) or isinstance(value.get("config"), dict):
            return False
        error = value.get("error")
        if isinstance(value.get("error_description"), str) or isinstance(value.get("access_token"), str):
            return True
        if isinstance(error, str) and not _EMBEDDED.search(error) and " " not in error:
            return True
        if isinstance(error, dict) and ("detail" in error or "title" in error):
            return True
        if _envelope(value) is not None:
            return False
        value = value.get("data")
    return False


def _token_request(value: dict[str, Any], repairs: tuple[str, ...]) -> Pasted:
    request = Request("POST", "", (("Content-Type", "application/json"),), as_json(value))
    unknown = frozenset({Part.METHOD, Part.REQUEST_HEADERS, Part.REQUEST_BODY})
    return Pasted(request, step=step_of(request, None), repairs=repairs, source="JSON", unknown=unknown)


def _enveloped(value: dict[str, Any], repairs: tuple[str, ...]) -> list[Pasted]:
    """Read the dump of an exception or a response object: status and body, and the request where it is there too."""
    inner = value.get("response")
    holder = inner if isinstance(inner, dict) and _envelope(inner) is not None else value
    status = _envelope(holder)
    if status is None:
        return []
    content = next((holder[name] for name in _BODY if _is_body(holder.get(name))), holder.get("error"))
    content = content if _is_body(content) and (isinstance(content, dict) or content != holder.get("error")) else ""
    body, body_repairs = _body(content)
    headers = _headers(holder.get("headers"))
    reason = next(
        (text for name in ("statusText", "reason", "statusMessage") if isinstance(text := holder.get(name), str)), ""
    )
    response = Response(status, reason, headers, body)
    request, unknown = _request(value) or _request(holder) or (None, set())
    if not content:
        unknown.add(Part.RESPONSE_BODY)
    return [
        Pasted(
            request,
            response,
            step_of(request, response),
            _time(value) or date_header(header(headers, "date") or ""),
            repairs=tuple(dict.fromkeys((*repairs, *body_repairs))),
            source="JSON",
            unknown=frozenset(unknown),
        )
    ]


def _envelope(value: dict[str, Any]) -> int | None:
    """Return the status of a structure that describes a response, ``None`` for any other."""
    status = next((value[name] for name in _STATUS if _is_status(value.get(name))), None)
    has_body = any(_is_body(value.get(name)) for name in _BODY)
    return int(status) if status is not None and (has_body or "headers" in value or "url" in value) else None


def _is_status(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(re.fullmatch(r"[1-5]\d\d", str(value)))


def _is_body(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, str) and bool(value.strip()))


def _body(value: Any) -> tuple[bytes, tuple[str, ...]]:
    return repaired(value) if isinstance(value, str) else (as_json(value), ())


def _request(value: dict[str, Any]) -> tuple[Request, set[Part]] | None:
    """Return the request in ``config`` and the like, its address resolved against ``baseURL``, and what is unknown."""
    for request in (*(value.get(name) for name in _SENT), {"url": value.get("url")}):
        if not isinstance(request, dict):
            continue
        url = next((url for name in _URL if isinstance(url := request.get(name), str)), "")
        base = request.get("baseURL")
        if isinstance(base, str) and "://" not in url:
            url = f"{base.rstrip('/')}/{url.lstrip('/')}"
        if not url:
            continue
        content = next((request[name] for name in _SENT_BODY if _is_body(request.get(name))), "")
        body = encoded(content) if isinstance(content, str) else as_json(content)
        method = request.get("method")
        unknown = {
            part
            for part, names in (
                (Part.METHOD, ("method",)),
                (Part.REQUEST_HEADERS, ("headers",)),
                (Part.REQUEST_BODY, _SENT_BODY),
            )
            if not request.keys() & set(names)
        }
        guess = "POST" if body or TOKEN_PATH.search(path_of(url)) else "GET"
        sent = Request(
            method.upper() if isinstance(method, str) else guess, url, _headers(request.get("headers")), body
        )
        return sent, unknown
    return None


def options(value: dict[str, Any]) -> Request | None:
    """Return the request that the options of an HTTP client describe by their host; ``None`` for another structure."""
    if len(value) == 1 and isinstance(url := value.get("URL"), str):
        return Request("", url)
    host = value.get("host") or value.get("hostname")
    if not (isinstance(host, str) and "." in host) or not value.keys() & {"headers", "path", "port"}:
        return None
    path, method = value.get("path"), value.get("method")
    url = f"https://{host}{path if isinstance(path, str) else '/'}"
    return Request(method.upper() if isinstance(method, str) else "", url, _headers(value.get("headers")))


def _headers(value: object) -> Headers:
    if not isinstance(value, dict):
        return ()
    texts: list[tuple[str, str]] = []
    for name, content in value.items():
        for item in content if isinstance(content, list) else [content]:
            if isinstance(item, str | int | float) and not isinstance(item, bool):
                texts.append((name, str(item)))
    return tuple(texts)


def _time(value: dict[str, Any]) -> datetime | None:
    return next((at for name in _TIMES if (at := moment(value.get(name))) is not None), None)


def _searched(value: dict[str, Any], repairs: tuple[str, ...], inside: Inside) -> list[Pasted]:
    """Return the exchanges inside a log record: in the first structure that has any, or else in words.

    A status or an address alone is what stands around them.
    """
    words: list[Pasted] = []
    around: list[Pasted] = []
    for inner in _within(value):
        items: list[Pasted] = []
        if isinstance(inner, str):
            items = _noted(inside(inner), (INSIDE, *repairs)) if _SIGN.search(inner) else []
        elif _is_exchange(inner):
            items = exchanges(inner, repairs=repairs, inside=inside)
        if items and all(item.source == WORDS for item in items):
            words = words or items
        elif items and not any(item.response and item.response.body for item in items):
            around = around or items
        elif items:
            return _of_record(value, items)
    if words and around:
        words = [_within_envelope(item, around[0]) for item in words]
    return _of_record(value, words or around)


def _of_record(value: dict[str, Any], items: list[Pasted]) -> list[Pasted]:
    """Give the exchanges in a log record its time and its status."""
    if not items:
        return []
    at = _time(value)
    inside = (inner for inner in _within(value) if isinstance(inner, dict))
    status = next((number for record in (value, *inside) if (number := _stated(record))), STATUS_UNKNOWN)
    return [with_status(replace(item, started_at=item.started_at or at), status) for item in items]


def _stated(value: dict[str, Any]) -> int:
    """Return the status that a member of a record states, by its name in any spelling."""
    for name, number in value.items():
        plain = name.rpartition(".")[2].replace("_", "").lower() if isinstance(name, str) else ""
        if plain in _PLAIN_STATUS and _is_status(number):
            return int(number)
    return STATUS_UNKNOWN


def with_status(item: Pasted, status: int) -> Pasted:
    """Return the exchange with this status, unless it has one."""
    if item.response is None or item.response.status != STATUS_UNKNOWN:
        return item
    return replace(item, response=replace(item.response, status=status))


def _within(value: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    queue: list[tuple[Any, int]] = [(inner, 1) for inner in value.values()]
    for count, (inner, depth) in enumerate(queue):
        if count >= MOST_VALUES:
            return
        if isinstance(inner, dict | str):
            yield inner
        if depth < DEEPEST and isinstance(inner, dict | list):
            queue += [(item, depth + 1) for item in (inner.values() if isinstance(inner, dict) else inner)]


def _noted(items: list[Pasted], repairs: tuple[str, ...]) -> list[Pasted]:
    return [replace(item, repairs=tuple(dict.fromkeys((*repairs, *item.repairs)))) for item in items]
