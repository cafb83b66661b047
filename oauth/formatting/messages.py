"""HTTP messages, their bodies and their parameters as text."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from oauth.exchange import Headers, Request, Response, header
from oauth.redaction import body_text
from oauth.redaction.placeholders import PATTERN

TRUNCATED = "… truncated: the rest of the body is missing"

_FORM = "application/x-www-form-urlencoded"
_LIKE_FORM = re.compile(r"[\w.\[\]-]+=")

_URL = re.compile(
    r"(?:[^:/?#]+:)?(?://(?P<authority>(?:{0}|[^/?#])*))?(?P<path>(?:{0}|[^?#])*)(?:\?(?P<query>(?:{0}|[^#])*))?".replace(
        "{0}", PATTERN
    )
)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')

_INDENT = "  "


class _Object(dict[str, Any]):
    """A JSON object that keeps its members in order, repeated names included."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def raw_request(request: Request) -> str:
    """Format a request as an HTTP/1.1 message (RFC 9112 §3), with its body decoded."""
    return _message(f"{request.method} {target(request.url)} HTTP/1.1", request.headers, request.body)


def raw_response(response: Response) -> str:
    """Format a response as an HTTP message (RFC 9112 §4), with its body decoded; a last line marks a truncated one."""
    start = f"{response.http_version} {response.status} {response.reason}".rstrip()
    return _message(start, response.headers, response.body) + (f"\n{TRUNCATED}" if response.cut else "")


def pretty_body(body: bytes, headers: Headers) -> tuple[str, str]:
    """Format a body for reading, and name its language: ``json``, ``html`` or ``text``.

    Valid JSON is indented, with numbers, order and repeated names unchanged; a form has one field per line.
    """
    text = body_text(body, headers)
    if text is None:
        return f"(binary, {len(body)} bytes)", "text"
    kind = _media_type(headers)
    if kind == _FORM:
        return "\n".join(f"{name} = {value}" for name, value in parse_qsl(text, keep_blank_values=True)) or text, "text"
    if _json(text) is not None:
        return _indent(text), "json"
    markup = text.lstrip("\ufeff \t\r\n")[:14].lower()
    return text, "html" if "html" in kind or markup.startswith(("<!doctype html", "<html")) else "text"


def fields(request: Request) -> list[tuple[str, str]]:
    """Return the decoded parameters of a request: those of the query, then of the form or the JSON object.

    A member that is not a string is returned as JSON.
    """
    parameters = parse_qsl(split_url(request.url)["query"] or "", keep_blank_values=True)
    text = body_text(request.body, request.headers) or ""
    if _media_type(request.headers) == _FORM or _LIKE_FORM.match(text):
        return parameters + parse_qsl(text, keep_blank_values=True)
    if isinstance(body := _json(text), _Object):
        parameters += [
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in body.pairs
        ]
    return parameters


def split_url(url: str) -> dict[str, str | None]:
    """Split any text as a URL into authority, path and query (RFC 3986, appendix B), keeping placeholders whole."""
    match = _URL.match(url)
    return match.groupdict() if match else {"authority": None, "path": url, "query": None}


def target(url: str) -> str:
    """Return the path and query of a URL, as they are in the request line."""
    parts = split_url(url)
    return (parts["path"] or "/") + ("" if parts["query"] is None else f"?{parts['query']}")


def _message(start: str, headers: Headers, body: bytes) -> str:
    text = body_text(body, headers)
    text = body.decode("utf-8", "replace") if text is None else text
    return "\n".join([start, *(f"{name}: {value}" for name, value in headers), "", text])


def _media_type(headers: Headers) -> str:
    return (header(headers, "Content-Type") or "").partition(";")[0].strip().lower()


def _json(text: str) -> Any:
    """Parse a JSON object or list; return ``None`` for any other text."""
    try:
        value = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _indent(text: str) -> str:
    """Indent valid JSON, changing nothing but whitespace."""
    tokens = _JSON_TOKEN.findall(text.lstrip("\ufeff"))
    parts: list[str] = []
    depth = 0
    for before, token in zip(["", *tokens], tokens, strict=False):
        closes = token in ("]", "}")
        depth -= closes
        if (before in ("[", "{") and not closes) or before == "," or (closes and before not in ("[", "{")):
            parts.append("\n" + _INDENT * depth)
        parts.append(": " if token == ":" else token)
        depth += token in ("[", "{")
    return "".join(parts)
