"""Read ``fetch("https://…", {…})``, as browsers copy a request from their network tab; the options are JSON."""

import json
import re
from collections.abc import Iterator
from typing import Any

from oauth.exchange import Headers, Part, Request
from oauth.paste.body import encoded, first_sign
from oauth.paste.result import Block, Pasted, check_count
from oauth.paste.step_guess import TOKEN_PATH, path_of, step_of

NO_COOKIES = "the browser adds its cookies, which are not in the text"
SCRIPT = "the options of the call are a script, not JSON, so its headers and body were left out"

_CALL = re.compile(r"(?<![\w.$])(?:(?:window|globalThis|self)\.)?fetch\(\s*(?=\"https?://)")
_OPTIONS = re.compile(r"\s*,\s*(?=\S)")
_METHOD = re.compile(r"[^;]{0,2000}?\bmethod[\"']?\s*:\s*[\"'`](?P<method>\w{1,20})[\"'`]")
_CLOSED = re.compile(r"\s{0,99}\)[ \t]*;?")
_CLOSING = re.compile(r"\}\s{0,99}\)")
_DECODER = json.JSONDecoder(strict=False)


def find(text: str) -> Iterator[Block]:
    """Yield each call as a request."""
    calls = list(_CALL.finditer(text)) if "fetch(" in text else []
    check_count(calls)
    ends = [*(call.start() for call in calls[1:]), len(text)]
    for call, following in zip(calls, ends, strict=False):
        item, end = _pasted(text, call.end(), following)
        yield Block(call.start(), end, (item,))


def _pasted(text: str, start: int, following: int) -> tuple[Pasted, int]:
    url, end = _value(text, start)
    if not isinstance(url, str):  # the text that begins there is not closed
        url = text[start + 1 : following].split("\n", 1)[0]
        end = start + 1 + len(url)
    options: dict[str, Any] = {}
    known = True
    if behind := _OPTIONS.match(text, end):
        value, end = _value(text, first_sign(text, behind.end()))
        known = isinstance(value, dict)
        options = value if isinstance(value, dict) else _of_script(text, behind.end(), following, url)
        if not known:
            closing = _CLOSING.search(text, behind.end(), following)
            end = closing.start() if closing else following
    end = closed.end() if (closed := _CLOSED.match(text, end)) else end
    body, method = options.get("body"), options.get("method")
    request = Request(
        method.upper() if isinstance(method, str) else "GET",
        url,
        _headers(options),
        encoded(body) if isinstance(body, str) else b"",
    )
    notes = (NO_COOKIES,) if options.get("credentials") == "include" else ()
    item = Pasted(
        request,
        step=step_of(request, None),
        repairs=notes if known else (SCRIPT,),
        source="fetch call",
        unknown=frozenset() if known else frozenset({Part.REQUEST_HEADERS, Part.REQUEST_BODY}),
    )
    return item, end


def _value(text: str, start: int) -> tuple[Any, int]:
    """Return the JSON value at ``start`` and its end; ``None`` where there is not one."""
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start


def _of_script(text: str, start: int, following: int, url: str) -> dict[str, Any]:
    method = _METHOD.match(text, start, following)
    return {"method": method["method"] if method else "POST" if TOKEN_PATH.search(path_of(url)) else "GET"}


def _headers(options: dict[str, Any]) -> Headers:
    """Return the headers, with the address of the page, which browsers copy apart from them."""
    named = options.get("headers")
    headers = [(name, str(value)) for name, value in (named.items() if isinstance(named, dict) else ())]
    referrer = options.get("referrer")
    return (*headers, ("Referer", referrer)) if isinstance(referrer, str) and "://" in referrer else tuple(headers)
