"""Commands and programs that send the same request again, with curl, HTTPie and httpx."""

import json
import re
import shlex
from collections import Counter

from oauth.exchange import Headers, Request, header
from oauth.formatting.messages import split_url, target
from oauth.redaction.placeholders import PLACEHOLDER, is_live

_ADDED_BY_CURL = ("User-Agent", "Accept")
_NOISE = frozenset({"host", "user-agent", "accept-encoding", "content-length", "connection"})
"""Headers that curl sends by itself, or that say nothing."""

_ADDED_BY_HTTPIE = ("User-Agent", "Accept", "Accept-Encoding", "Connection")
_UNCHANGED_BY_HTTPX = re.compile(r"/(?:[A-Za-z0-9_~/-]|\.(?!\.?(?:/|$))|%[0-9A-F]{2})*(?:\?[A-Za-z0-9._~/=&+,:@-]*)?")
"""Targets that httpx sends unchanged; others are passed to it separately."""


def curl(request: Request) -> str:
    """Write a POSIX shell command that sends the request with curl.

    ``Host`` and ``Content-Length`` are left to curl when it sends the same ones. Headers that it would add are
    switched off when the request does not have them.
    """
    has_body = bool(request.body) or header(request.headers, "Content-Length") is not None
    options = [f"--url {shlex.quote(request.url)}"]
    if request.method == "HEAD" and not has_body:
        options.append("--head")
    elif request.method != ("POST" if has_body else "GET"):
        options.append(f"--request {shlex.quote(request.method)}")
    if set(request.url) & set("[]{}"):
        options.append("--globoff")
    if re.search(r"/(?:\.|%2e){1,2}(?:/|$)", split_url(request.url)["path"] or "", re.IGNORECASE):
        options.append("--path-as-is")
    own = [(name, value) for name, value in _own_headers(request) if name.lower() != "content-length"]
    lines = [f"{name}: {value}" if value.strip() else f"{name};" for name, value in own]
    lines += _switched_off(request, _ADDED_BY_CURL, has_body=has_body)
    options += [f"--header {shlex.quote(line)}" for line in lines]
    if has_body:
        text = _argument(request.body)
        options.append("--data-binary @-" if text is None else f"--data-raw {shlex.quote(text)}")
    return _command("curl", options, request.body)


def curl_to_run(request: Request) -> tuple[str, tuple[str, ...]]:
    """Write a short command for people that sends the request with curl, and the shell variables that it reads.

    Each secret is a variable, such as ``$CLIENT_SECRET``. Headers that say nothing about OAuth are left to curl.
    """
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for match in PLACEHOLDER.finditer("\n".join(_texts(request))):
        if match[0] not in names:
            counts[kind := match[1].upper()] += 1
            names[match[0]] = kind if counts[kind] == 1 else f"{kind}_{counts[kind]}"

    def variables(text: str) -> str:
        """Quote a text for the shell, with variables in place of secrets."""
        return PLACEHOLDER.sub(lambda match: f"'\"${names[match[0]]}\"'", shlex.quote(text)).replace("''", "") or "''"

    body = _argument(request.body)
    options = [f"--url {variables(request.url)}"]
    if request.method != ("POST" if request.body else "GET"):
        options.append(f"--request {shlex.quote(request.method)}")
    for name, value in request.headers:
        if name.lower() == "authorization" and value.startswith("Basic ") and not is_live(value):
            options.append(f"--user {variables(value.removeprefix('Basic '))}")
        elif name.lower() not in _NOISE and not (name.lower() == "accept" and value == "*/*"):
            options.append(f"--header {variables(f'{name}: {value}' if value.strip() else f'{name};')}")
    if request.body:
        options.append("--data-binary @-" if body is None else f"--data-raw {variables(body)}")
    return _command("curl", options, request.body), tuple(names.values())


def _texts(request: Request) -> list[str]:
    """Return the texts of a request in which a secret can stand."""
    return [request.url, *(value for _, value in request.headers), _argument(request.body) or ""]


def httpie(request: Request) -> str:
    """Write a POSIX shell command that sends the request with HTTPie.

    HTTPie cannot send these unchanged: percent escapes of letters, digits and ``-._~`` in a URL, which it decodes;
    ``.`` and ``..`` segments, which it resolves; ``{}`` and the like, which it encodes; a request other than GET and
    HEAD without a body and without ``Content-Length``, to which it adds one of 0; a backslash just before one of
    ``: ; = @`` in a header, which it takes for an escape.
    """
    text = _argument(request.body)
    options = ["--ignore-netrc"]
    if text is not None:
        options.append("--ignore-stdin")
    if request.body and text is not None:
        options.append(f"--raw={shlex.quote(text)}")  # a separate argument must not begin with a dash
    options += [shlex.quote(request.method), shlex.quote(request.url)]
    for name, value in _own_headers(request):
        escaped = f"\\{value}" if value.startswith(("=", "@")) else value
        options.append(shlex.quote(f"{name}:{escaped}" if value.strip() else f"{name};"))
    options += _switched_off(request, _ADDED_BY_HTTPIE, has_body=bool(request.body))
    return _command("http", options, request.body)


def httpx_code(request: Request) -> str:
    """Write a Python program that sends the request with httpx, byte for byte.

    httpx adds ``Content-Length: 0`` to a POST, PUT or PATCH that has neither a body nor that header.
    """
    headers = [
        f"    ({_python(name)}, {_python(value)}),"
        for name, value in request.headers
        if not (name.lower() == "content-length" and value == str(len(request.body)))
    ]
    arguments = ["    headers=headers,"]
    if request.body:
        text = _argument(request.body)
        arguments.append(f"    content={_python(text) if text is not None else repr(request.body)},")
    if not _UNCHANGED_BY_HTTPX.fullmatch(path := target(request.url)):
        arguments.append(f'    extensions={{"target": {_python(path)}{"" if not path.isascii() else ".encode()"}}},')
    return "\n".join(
        [
            "import httpx",
            "",
            "headers = [",
            *headers,
            "]",
            f"request = httpx.Request({_python_text(request.method)}, {_python_text(request.url)},",
            *arguments,
            ")",
            "with httpx.Client(trust_env=False) as client:",
            "    response = client.send(request)",
            "print(response.status_code, response.text)",
            "",
        ]
    )


def _own_headers(request: Request) -> Headers:
    """Return the headers that a tool does not send by itself, derived from the URL or the body."""
    host = (split_url(request.url)["authority"] or "").rpartition("@")[2]
    sends_length = bool(request.body) or request.method in ("POST", "PUT", "PATCH")
    derived = {"host": host, **({"content-length": str(len(request.body))} if sends_length else {})}
    return tuple((name, value) for name, value in request.headers if derived.get(name.lower()) != value)


def _switched_off(request: Request, added: tuple[str, ...], *, has_body: bool) -> list[str]:
    """Return the arguments that keep a tool from adding headers which the request does not have."""
    names = (*added, "Content-Type") if has_body else added
    return [f"{name}:" for name in names if header(request.headers, name) is None]


def _command(tool: str, options: list[str], body: bytes) -> str:
    """Write a shell command, with a body that cannot be an argument on its standard input."""
    pipe = "" if _argument(body) is not None else f"printf '{''.join(map(_printf, body))}' | "
    return f"{pipe}{tool} " + " \\\n  ".join(options)


def _argument(body: bytes) -> str | None:
    """Return a body as an argument of a command, ``None`` if no argument can hold its bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _python(text: str) -> str:
    """Write an expression for a text in UTF-8: httpx takes a plain string for ASCII."""
    return _python_text(text) if text.isascii() else f"{_python_text(text)}.encode()"


def _python_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else ascii(text)


def _printf(octet: int) -> str:
    """Write one octet in the format of POSIX ``printf``, inside single quotes."""
    character = chr(octet)
    plain = octet < 0x80 and character.isprintable() and character not in "-'%\\"
    return character if plain else f"\\{octet:03o}"
