"""Turn a parsed value into exchanges: a body alone, a request's body, an exception's dump, or a log record."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from oauth.exchange import Headers, Part, Request, Response, header
from oauth.lenient_json import ParseError
from oauth.paste.body import as_json, encoded, first_sign, read_value, repaired
from oauth.paste.result import STATUS_UNKNOWN, Pasted
from oauth.paste.step_guess import TOKEN_PATH, path_of, step_of
from oauth.paste.times import date_header, moment

DEEPEST = 8
"""Levels of a log record that are searched for a response."""

MOST_VALUES = 10_000
"""Values of one structure that are searched at most."""

_MOST_PASSES = 20
"""Passes over a text in search of an exchange: the values inside a value are read again."""

INSIDE = "JSON inside a JSON string extracted"

_STATUS = ("status", "statusCode", "status_code", "http_code", "http_status", "httpStatus", "code")
_BODY = (
    "data",
    "body",
    "_body",
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
_TIMES = ("time", "timestamp", "@timestamp", "ts", "datetime", "date")
_EMBEDDED = re.compile(r"[{\[]")


def exchanges(value: Any, *, source: str, repairs: tuple[str, ...] = (), text: str | None = None) -> list[Pasted]:
    """Return the exchanges in a value. ``text`` is the value as it was written, where that is strict JSON."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and _is_exchange(item) for item in value):
        return [exchange for item in value for exchange in exchanges(item, source=source, repairs=repairs)]
    if isinstance(value, str):
        inner = _embedded(value)
        return _noted(inner, (INSIDE, *repairs)) if inner else [_bare(encoded(value), source, repairs)]
    if isinstance(value, dict) and not _is_response_body(value):
        if is_request(value):
            return [_token_request(value, source, repairs)]
        if items := _enveloped(value, source, repairs) or _searched(value, source, repairs):
            return items
    return [_bare(as_json(value) if repairs or text is None else encoded(text), source, repairs)]


def is_request(value: object) -> bool:
    """Return whether a value is the body of a token request, and so not a response."""
    return isinstance(value, dict) and "grant_type" in value and "error" not in value


def _is_exchange(value: dict[str, Any]) -> bool:
    return _is_response_body(value) or is_request(value) or _envelope(value) is not None


def _is_response_body(value: Any) -> bool:
    """Return whether a value is the body of a response as it stands, also under ``data``."""
    for _ in range(5):
        if not isinstance(value, dict):
            return False
        if isinstance(value.get("response"), dict) or isinstance(value.get("config"), dict):
            return False
        error = value.get("error")
        if isinstance(value.get("error_description"), str) or "access_token" in value:
            return True
        if isinstance(error, str) and not _EMBEDDED.search(error) and " " not in error:
            return True
        if isinstance(error, dict) and ("detail" in error or "title" in error):
            return True
        if _envelope(value) is not None:
            return False
        value = value.get("data")
    return False


def _bare(body: bytes, source: str, repairs: tuple[str, ...]) -> Pasted:
    response = Response(STATUS_UNKNOWN, body=body)
    return Pasted(response=response, step=step_of(None, response), repairs=repairs, source=source)


def _token_request(value: dict[str, Any], source: str, repairs: tuple[str, ...]) -> Pasted:
    request = Request("POST", "", (("Content-Type", "application/json"),), as_json(value))
    return Pasted(request, step=step_of(request, None), repairs=repairs, source=source)


def _enveloped(value: dict[str, Any], source: str, repairs: tuple[str, ...]) -> list[Pasted]:
    """Read the dump of an exception or a response object: status and body, and the request where it is there too."""
    inner = value.get("response")
    holder = inner if isinstance(inner, dict) and _envelope(inner) is not None else value
    status = _envelope(holder)
    if status is None:
        return []
    content = next((holder[name] for name in _BODY if _is_body(holder.get(name))), "")
    body, body_repairs = _body(content)
    headers = _headers(holder.get("headers"))
    reason = next(
        (text for name in ("statusText", "reason", "statusMessage") if isinstance(text := holder.get(name), str)), ""
    )
    response = Response(status, reason, headers, body)
    request = _request(value) or _request(holder)
    return [
        Pasted(
            request,
            response,
            step_of(request, response),
            _time(value) or date_header(header(headers, "date") or ""),
            repairs=tuple(dict.fromkeys((*repairs, *body_repairs))),
            source=source,
            unknown=frozenset() if content else frozenset({Part.RESPONSE_BODY}),
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


def _request(value: dict[str, Any]) -> Request | None:
    """Return the request in ``config`` and the like, its address resolved against ``baseURL``."""
    for request in (*(value.get(name) for name in _SENT), {"url": value.get("url")}):
        if not isinstance(request, dict):
            continue
        url = next((url for name in _URL if isinstance(url := request.get(name), str)), "")
        base = request.get("baseURL")
        if isinstance(base, str) and "://" not in url:
            url = f"{base.rstrip('/')}/{url.lstrip('/')}"
        if not url:
            continue
        content = next((request[name] for name in ("data", "body", "json", "form") if _is_body(request.get(name))), "")
        body = encoded(content) if isinstance(content, str) else as_json(content)
        method = request.get("method")
        return Request(
            method.upper() if isinstance(method, str) else "POST" if body or TOKEN_PATH.search(path_of(url)) else "GET",
            url,
            _headers(request.get("headers")),
            body,
        )
    return None


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


def _searched(value: dict[str, Any], source: str, repairs: tuple[str, ...]) -> list[Pasted]:
    """Return the exchanges inside a log record: in the first structure, or text, that has any."""
    for inner in _within(value):
        items: list[Pasted] = []
        if isinstance(inner, str):
            items = _noted(_embedded(inner), (INSIDE, *repairs))
        elif _is_exchange(inner):
            items = exchanges(inner, source=source, repairs=repairs)
        if items:
            at = _time(value)
            return [replace(item, started_at=item.started_at or at) for item in items]
    return []


def _within(value: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    queue: list[tuple[Any, int]] = [(inner, 1) for inner in value.values()]
    for count, (inner, depth) in enumerate(queue):
        if count >= MOST_VALUES:
            return
        if isinstance(inner, dict | str):
            yield inner
        if depth < DEEPEST and isinstance(inner, dict | list):
            queue += [(item, depth + 1) for item in (inner.values() if isinstance(inner, dict) else inner)]


def _embedded(text: str) -> list[Pasted]:
    """Return the exchange whose JSON stands somewhere in a text."""
    if '"' not in text and "'" not in text:
        return []
    if text.startswith('"'):
        try:
            inner = json.loads(text)
        except ValueError:
            return []
        return _embedded(inner)
    budget = _MOST_PASSES * len(text)
    for sign in _EMBEDDED.finditer(text):
        if budget < 0:
            return []
        try:
            value, end, repairs = read_value(text, first_sign(text, sign.start()))
        except ParseError:
            return []
        if isinstance(value, dict) and _is_exchange(value):
            return exchanges(value, source="JSON", repairs=repairs)
        budget -= end - sign.start()
    return []


def _noted(items: list[Pasted], repairs: tuple[str, ...]) -> list[Pasted]:
    return [replace(item, repairs=tuple(dict.fromkeys((*repairs, *item.repairs)))) for item in items]
