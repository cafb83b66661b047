"""Requests and responses as text for people: values in, text out.

What comes in may be redacted. A placeholder in a URL is shown as it stands: curl then refuses the URL, because of the
spaces, until the real value is there.
"""

import json
import re
import shlex
from typing import Any
from urllib.parse import parse_qsl

from oauth.exchange import Headers, Request, Response, header
from oauth.redaction import body_text
from oauth.redaction.placeholders import PATTERN

CUT = "… cut here, this is not the whole body"

_FORM = "application/x-www-form-urlencoded"
_LIKE_FORM = re.compile(r"[\w.\[\]-]+=")

_URL = re.compile(
    r"(?:[^:/?#]+:)?(?://(?P<authority>(?:{0}|[^/?#])*))?(?P<path>(?:{0}|[^?#])*)(?:\?(?P<query>(?:{0}|[^#])*))?".replace(
        "{0}", PATTERN
    )
)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+')
_ADDED_BY_CURL = ("User-Agent", "Accept")
_ADDED_BY_HTTPIE = ("User-Agent", "Accept", "Accept-Encoding", "Connection")
_KEPT_BY_HTTPX = re.compile(r"/(?:[A-Za-z0-9_~/-]|\.(?!\.?(?:/|$))|%[0-9A-F]{2})*(?:\?[A-Za-z0-9._~/=&+,:@-]*)?")
"""Targets that httpx sends as they are; others are given to it apart."""

_INDENT = "  "


class _Object(dict[str, Any]):
    """A JSON object that also knows its members as they came, repeated names included."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def raw_request(request: Request) -> str:
    """The HTTP/1.1 message of a request (RFC 9112 §3), with its body decoded."""
    url = _parts(request.url)
    target = (url["path"] or "/") + ("" if url["query"] is None else f"?{url['query']}")
    return _message(f"{request.method} {target} HTTP/1.1", request.headers, request.body)


def raw_response(response: Response) -> str:
    """The HTTP message of a response (RFC 9112 §4), with its body decoded; a last line says when it was cut."""
    start = f"{response.http_version} {response.status} {response.reason}".rstrip()
    return _message(start, response.headers, response.body) + (f"\n{CUT}" if response.cut else "")


def curl(request: Request) -> str:
    """A POSIX shell command that sends the same request with curl.

    ``Host`` and ``Content-Length`` are left to curl where it makes the same ones. Headers that it would add by itself
    are switched off where the request does not have them.
    """
    url = _parts(request.url)
    has_body = bool(request.body) or header(request.headers, "Content-Length") is not None
    options = [f"--url {shlex.quote(request.url)}"]
    if request.method == "HEAD" and not has_body:
        options.append("--head")
    elif request.method != ("POST" if has_body else "GET"):
        options.append(f"--request {shlex.quote(request.method)}")
    if set(request.url) & set("[]{}"):
        options.append("--globoff")
    if re.search(r"/(?:\.|%2e){1,2}(?:/|$)", url["path"] or "", re.IGNORECASE):
        options.append("--path-as-is")
    options += [f"--header {shlex.quote(line)}" for line in _curl_headers(request, url["authority"] or "", has_body)]
    if has_body:
        text = _argument(request.body)
        options.append("--data-binary @-" if text is None else f"--data-raw {shlex.quote(text)}")
    return _piped(request.body) + "curl " + " \\\n  ".join(options)


def httpie(request: Request) -> str:
    """A POSIX shell command that sends the same request with HTTPie.

    HTTPie cannot send these as they are: percent escapes of letters, digits and ``-._~`` in an address, which it
    decodes, ``.`` and ``..`` segments, which it resolves, ``{}`` and the like, which it encodes; a request other than
    GET and HEAD without a body and without ``Content-Length``, to which it adds one of 0; a backslash just before one
    of ``: ; = @`` in a header, which it takes for an escape.
    """
    url = _parts(request.url)
    text = _argument(request.body)
    options = ["--ignore-netrc"]
    if text is not None:
        options.append("--ignore-stdin")
    if request.body and text is not None:
        options.append(f"--raw={shlex.quote(text)}")  # a value of its own must not begin with a dash
    options += [shlex.quote(request.method), shlex.quote(request.url)]
    for name, value in request.headers:
        if not _made_by_tool(name, value, request, url["authority"] or ""):
            escaped = f"\\{value}" if value.startswith(("=", "@")) else value
            options.append(shlex.quote(f"{name}:{escaped}" if value.strip() else f"{name};"))
    added = (*_ADDED_BY_HTTPIE, "Content-Type") if request.body else _ADDED_BY_HTTPIE
    options += [f"{name}:" for name in added if header(request.headers, name) is None]
    return _piped(request.body) + "http " + " \\\n  ".join(options)


def httpx_code(request: Request) -> str:
    """A Python program that sends the same request with httpx, byte for byte.

    httpx adds ``Content-Length: 0`` to a POST, PUT or PATCH that has neither a body nor that header.
    """
    url = _parts(request.url)
    target = (url["path"] or "/") + ("" if url["query"] is None else f"?{url['query']}")
    headers = [
        f"    ({_python(name)}, {_python(value)}),"
        for name, value in request.headers
        if not (name.lower() == "content-length" and value == str(len(request.body)))
    ]
    given = ["    headers=headers,"]
    if request.body:
        text = _argument(request.body)
        given.append(f"    content={_python(text) if text is not None else repr(request.body)},")
    if not _KEPT_BY_HTTPX.fullmatch(target):
        given.append(f'    extensions={{"target": {_python(target)}{"" if not target.isascii() else ".encode()"}}},')
    return "\n".join(
        [
            "import httpx",
            "",
            "headers = [",
            *headers,
            "]",
            f"request = httpx.Request({_python_text(request.method)}, {_python_text(request.url)},",
            *given,
            ")",
            "with httpx.Client(trust_env=False) as client:",
            "    response = client.send(request)",
            "print(response.status_code, response.text)",
            "",
        ]
    )


def pretty_body(body: bytes, headers: Headers) -> tuple[str, str]:
    """A body for reading, and its language: ``json``, ``html`` or ``text``.

    Valid JSON is indented, with numbers, order and repeated names as they came; a form has one field a line.
    """
    text = body_text(body, headers)
    if text is None:
        return f"(binary, {len(body)} bytes)", "text"
    kind = _media_type(headers)
    if kind == _FORM:
        return "\n".join(f"{name} = {value}" for name, value in parse_qsl(text, keep_blank_values=True)) or text, "text"
    if _json(text) is not None:
        return _indented(text), "json"
    markup = text.lstrip("\ufeff \t\r\n")[:14].lower()
    return text, "html" if "html" in kind or markup.startswith(("<!doctype html", "<html")) else "text"


def fields(request: Request) -> list[tuple[str, str]]:
    """The parameters of a request, decoded: those of the query, then the form's or the members of the JSON object.

    A member that is no text is given as JSON.
    """
    found = parse_qsl(_parts(request.url)["query"] or "", keep_blank_values=True)
    text = body_text(request.body, request.headers) or ""
    if _media_type(request.headers) == _FORM or _LIKE_FORM.match(text):
        return found + parse_qsl(text, keep_blank_values=True)
    if isinstance(body := _json(text), _Object):
        found += [
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in body.pairs
        ]
    return found


def duration(milliseconds: int) -> str:
    """How long something took: ``84 ms``, ``2.31 s``, ``1 min 5 s``."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    return f"{milliseconds / 1000:.2f} s" if milliseconds < 60_000 else span(milliseconds / 1000)


def span(seconds: float) -> str:
    """A stretch of time in its largest unit and the next, rounded down: ``14 min 12 s``, ``2 h``, ``29 d 23 h``."""
    left = max(0, int(seconds))
    units = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    first = next((index for index, (_, size) in enumerate(units) if left >= size), len(units) - 1)
    shown: list[str] = []
    for unit, size in units[first : first + 2]:
        amount, left = divmod(left, size)
        if amount or not shown:
            shown.append(f"{amount} {unit}")
    return " ".join(shown)


def _parts(url: str) -> dict[str, str | None]:
    """Authority, path and query of any text that is taken for a URL (RFC 3986, appendix B), placeholders whole."""
    found = _URL.match(url)
    return found.groupdict() if found else {"authority": None, "path": url, "query": None}


def _message(start: str, headers: Headers, body: bytes) -> str:
    text = body_text(body, headers)
    shown = body.decode("utf-8", "replace") if text is None else text
    return "\n".join([start, *(f"{name}: {value}" for name, value in headers), "", shown])


def _media_type(headers: Headers) -> str:
    return (header(headers, "Content-Type") or "").partition(";")[0].strip().lower()


def _json(text: str) -> Any:
    """The JSON object or list that a text is, or ``None``."""
    try:
        value = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _indented(text: str) -> str:
    """Valid JSON with a line for every member; what stands between the white space is not touched."""
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


def _curl_headers(request: Request, authority: str, has_body: bool) -> list[str]:
    """The values of curl's ``--header``: ``Name: value``, ``Name;`` for an empty one, ``Name:`` for none at all."""
    lines = []
    for name, value in request.headers:
        if name.lower() != "content-length" and not _made_by_tool(name, value, request, authority):
            lines.append(f"{name}: {value}" if value.strip() else f"{name};")
    added = (*_ADDED_BY_CURL, "Content-Type") if has_body else _ADDED_BY_CURL
    return lines + [f"{name}:" for name in added if header(request.headers, name) is None]


def _made_by_tool(name: str, value: str, request: Request, authority: str) -> bool:
    """Whether a tool makes the same header by itself, from the address or the body."""
    if name.lower() == "content-length":
        return value == str(len(request.body)) and (bool(request.body) or request.method in ("POST", "PUT", "PATCH"))
    return name.lower() == "host" and value == authority.rpartition("@")[2]


def _argument(body: bytes) -> str | None:
    """A body as an argument of a command, ``None`` where no argument can hold its bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _piped(body: bytes) -> str:
    """What writes a body to the standard input of a command, where it cannot be an argument."""
    return "" if _argument(body) is not None else f"printf '{''.join(map(_printf, body))}' | "


def _python(text: str) -> str:
    """An expression for a text in UTF-8: plain where it is ASCII, which is what httpx takes a text for."""
    return _python_text(text) if text.isascii() else f"{_python_text(text)}.encode()"


def _python_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else ascii(text)


def _printf(octet: int) -> str:
    """One octet in the format of POSIX ``printf``, inside single quotes."""
    character = chr(octet)
    plain = octet < 0x80 and character.isprintable() and character not in "-'%\\"
    return character if plain else f"\\{octet:03o}"
