"""HAR 1.2, as browsers and proxies save it: one exchange an entry, in the order of the file."""

import base64
import binascii
import contextlib
import json
from collections.abc import Mapping, Sequence
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
    return [exchange(entry, repairs) for entry in entries]


def exchange(entry: Mapping[str, Any], repairs: tuple[str, ...] = ()) -> Pasted:
    """The exchange of one entry; what it lacks is empty."""
    sent, received, time = _object(entry, "request"), _object(entry, "response"), entry.get("time")
    body = _sent_body(_object(sent, "postData"))
    request = Request(_text(sent, "method"), _text(sent, "url"), _headers(sent), body)
    saved = bool(body) or _number(sent, "bodySize") <= 0
    response, response_body_known = _response(received)
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


def _response(received: Mapping[str, Any]) -> tuple[Response | None, bool]:
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
    response = Response(status, _text(received, "statusText"), _headers(received), body, http_version=version)
    return response, bool(body) or _number(content, "size") <= 0


def _sent_body(data: Mapping[str, Any]) -> bytes:
    if text := _text(data, "text"):
        return encoded(text)
    return urlencode(_pairs(data.get("params")), errors="replace").encode()


def _headers(message: Mapping[str, Any]) -> Headers:
    """The headers, without the pseudo-headers of HTTP/2 (RFC 9113 §8.3) that some browsers list too."""
    return tuple(pair for pair in _pairs(message.get("headers")) if not pair[0].startswith(":"))


def _pairs(items: object) -> Sequence[tuple[str, str]]:
    if not isinstance(items, list):
        return ()
    pairs = [(item.get("name"), item.get("value")) for item in items if isinstance(item, dict)]
    return [(name if isinstance(name, str) else "", value if isinstance(value, str) else "") for name, value in pairs]


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _number(value: Mapping[str, Any], name: str) -> float:
    found = value.get(name)
    return found if isinstance(found, int | float) and abs(found) < 1e12 else 0
