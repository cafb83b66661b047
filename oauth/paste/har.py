"""HAR 1.2, as browsers and proxies save it: one exchange an entry, in the order of the file."""

import base64
import binascii
import contextlib
import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from oauth.exchange import Headers, Request, Response
from oauth.paste import tolerant_json
from oauth.paste.body import encoded, first_sign
from oauth.paste.pasted import Pasted, PasteError
from oauth.paste.steps import step_of
from oauth.paste.times import moment

NOT_SAVED = "the request body is not in the HAR"


def sureness(text: str) -> float:
    """Certain when the text is an object with a ``log`` that has ``entries``."""
    start = first_sign(text)
    return 1.0 if text.startswith("{", start) and '"log"' in text[start : start + 2000] and '"entries"' in text else 0.0


def read(text: str) -> list[Pasted]:
    """The exchanges of the file. Raises ``PasteError``."""
    with _collector_paused():
        return _read(text)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Without the search for cycles, of which a JSON document has none: it would go through all of it many times."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(text: str) -> list[Pasted]:
    repairs: tuple[str, ...] = ()
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        reading = tolerant_json.read(text, first_sign(text), cut=True)
        document, repairs = reading.value, reading.repairs
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise PasteError("a HAR has a list at log.entries, and this has none.", text, 0)
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise PasteError(f"entry {number} of the HAR is not an object.", text, 0)
    headers = SharedHeaders()
    return [exchange(entry, headers, repairs) for entry in entries]


class SharedHeaders(dict[tuple[object, object], tuple[str, str] | None]):
    """The headers of a file by name and value: each is made once, however often the file repeats it.

    Those that do not count are ``None``: the pseudo-headers of HTTP/2 (RFC 9113 §8.3), which some browsers list too.
    """

    def __missing__(self, pair: tuple[object, object]) -> tuple[str, str] | None:
        name, value = map(_text_or_nothing, pair)
        self[pair] = None if name.startswith(":") else (name, value)
        return self[pair]

    def of(self, message: Mapping[str, Any]) -> Headers:
        """The headers of a request or a response."""
        items = message.get("headers")
        if not isinstance(items, list):
            return ()
        try:
            found = [self[item["name"], item["value"]] for item in items]
        except (KeyError, TypeError):  # something is left out, or is no text
            found = [self[pair] for pair in _pairs(items)]
        return tuple(filter(None, found))


def exchange(entry: Mapping[str, Any], headers: SharedHeaders, repairs: tuple[str, ...] = ()) -> Pasted:
    """The exchange of one entry; what it lacks is empty. ``headers`` is the same for all entries of a file."""
    sent, received, time = _object(entry, "request"), _object(entry, "response"), entry.get("time")
    body = _sent_body(_object(sent, "postData"))
    request = Request(_text(sent, "method"), _text(sent, "url"), headers.of(sent), body)
    saved = bool(body) or _number(sent, "bodySize") <= 0
    response, response_body_known = _response(received, headers)
    return Pasted(
        request,
        response,
        step_of(request, response),
        moment(entry.get("startedDateTime")),
        round(time) if isinstance(time, int | float) and 0 <= time < 1e12 else None,
        repairs if saved else (*repairs, NOT_SAVED),
        "HAR",
        request_body_known=saved,
        response_body_known=response_body_known,
    )


def _response(received: Mapping[str, Any], headers: SharedHeaders) -> tuple[Response | None, bool]:
    """The response, ``None`` where the browser got none, and whether the file has its body."""
    status = int(_number(received, "status"))
    if not 100 <= status <= 599:
        return None, True
    content = _object(received, "content")
    text = _text(content, "text")
    body = encoded(text)
    if content.get("encoding") == "base64":
        with contextlib.suppress(binascii.Error, ValueError):  # the body then stays as it stands there
            body = base64.b64decode(text)
    version = _text(received, "httpVersion") or "HTTP/1.1"
    response = Response(status, _text(received, "statusText"), headers.of(received), body, http_version=version)
    return response, bool(body) or _number(content, "size") <= 0


def _sent_body(data: Mapping[str, Any]) -> bytes:
    if text := _text(data, "text"):
        return encoded(text)
    return urlencode(_pairs(data.get("params")), errors="replace").encode()


def _pairs(items: object) -> Sequence[tuple[str, str]]:
    if not isinstance(items, list):
        return ()
    return [(_text(item, "name"), _text(item, "value")) for item in items if isinstance(item, dict)]


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    return _text_or_nothing(value.get(name))


def _text_or_nothing(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Mapping[str, Any], name: str) -> float:
    found = value.get(name)
    return found if isinstance(found, int | float) and abs(found) < 1e12 else 0
