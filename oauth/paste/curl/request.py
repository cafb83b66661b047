"""Build the request that a curl command sends, without reading a file or prompting."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from oauth.exchange import Request
from oauth.lenient_json import ParseError
from oauth.paste.curl.form import form_body
from oauth.paste.curl.options import Arguments
from oauth.paste.step_guess import split

DATA = ("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json")
MOST_ADDRESSES = 100
"""Addresses of one command."""

ENCODINGS = "deflate, gzip, br, zstd"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HEADER = re.compile(r"(?P<name>[^:;]+)(?:(?P<colon>:)[ \t]*(?P<value>.*)|(?P<empty>;)\s*)", re.DOTALL)
_OTHER_CREDENTIALS = (
    "netrc",
    "netrc-file",
    "netrc-optional",
    "cert",
    "key",
    "negotiate",
    "ntlm",
    "digest",
    "anyauth",
    "aws-sigv4",
)
"""Options with which the client authenticates by something that the command does not show."""

_WEB_PORTS = {"http": 80, "https": 443}


@dataclass
class CurlRequest:
    """A request, with notes on what curl would have taken from elsewhere: a file, a prompt.

    ``body_known`` is false when curl would have read a part of the body from a file, and ``headers_known`` when it
    would have taken the credentials from elsewhere than the command.
    """

    request: Request = field(default=Request("", ""))
    notes: dict[str, None] = field(default_factory=dict)
    body_known: bool = True
    headers_known: bool = True

    def note(self, text: str) -> None:
        """Add a note, once."""
        self.notes.setdefault(text)

    def leave_out(self, file: str, option: str) -> None:
        """Note that a file with a part of the body was not read."""
        self.note(f"the file {file} of --{option} was not read")
        self.body_known = False


def requests(arguments: Arguments) -> list[CurlRequest]:
    """Return one request for each address of a command, none where it has none.

    Raises ``ParseError`` for more than ``MOST_ADDRESSES``.
    """
    addresses = arguments.urls + [value for _, value in arguments.all("url")]
    if arguments.unknown and any("://" in url for url in addresses):
        # The word behind an unknown option may have been its value.
        addresses = [url for url in addresses if "://" in url]
    if len(addresses) > MOST_ADDRESSES:
        raise ParseError(f"the curl command has more than {MOST_ADDRESSES:,} addresses; cut it down.")
    return [_request(arguments, url) for url in addresses]


def _request(arguments: Arguments, address: str) -> CurlRequest:
    built = CurlRequest()
    for name in arguments.unknown:
        built.note(f"curl has no option {name}; it was left out")
    for name in arguments.valueless:
        built.note(f"the option --{name} has no value; it was left out")
    if arguments.unknown or arguments.last("config") is not None:
        built.body_known = built.headers_known = False
    if any(arguments.last(name) is not None for name in _OTHER_CREDENTIALS):
        built.headers_known = False
    data = _data(arguments, built)
    url, user = _address(arguments, address, data or "" if arguments.on("get") else "")
    url = _with_options(url, arguments, built)
    custom = _custom_headers(arguments, built)
    body = _body(arguments, built, data)
    if (upload := arguments.last("upload-file")) is not None:
        built.leave_out(upload, "upload-file")
    headers = _headers(arguments, built, url, user, custom)
    if body is not None:
        headers += _body_headers(custom, *body, known=built.body_known)
    method = _method(arguments, has_body=body is not None)
    built.request = Request(method, url, tuple(headers), body[0] if body else b"")
    return built


def _method(arguments: Arguments, *, has_body: bool) -> str:
    if method := arguments.last("request"):
        return method
    if arguments.on("head"):
        return "HEAD"
    if arguments.last("upload-file") is not None:
        return "PUT"
    return "POST" if has_body else "GET"


def _body(arguments: Arguments, built: CurlRequest, data: str | None) -> tuple[bytes, str] | None:
    """Return the body and its ``Content-Type``, ``None`` where curl sends none."""
    if form := arguments.all("form", "form-string"):
        return form_body(form, built.leave_out)
    if data is None or arguments.on("get"):
        return None
    return data.encode("utf-8", "surrogateescape"), "application/x-www-form-urlencoded"


def _data(arguments: Arguments, built: CurlRequest) -> str | None:
    """Return the joined values of ``-d`` and its kin, ``None`` without any."""
    data: str | None = None
    for name, value in arguments.all(*DATA):
        if name == "data-urlencode":
            piece = _urlencoded(value, built, name).decode()
        elif value.startswith("@") and name != "data-raw":
            built.leave_out(value[1:], name)
            piece = ""
        else:
            piece = value
        data = piece if data is None else data + ("" if name == "json" else "&") + piece
    return data


def _urlencoded(value: str, built: CurlRequest, option: str) -> bytes:
    """Percent-encode the content of ``content``, ``=content`` or ``name=content``; a ``name@file`` is not read."""
    if option == "url-query" and value.startswith("+"):
        return value[1:].encode()
    name, sign, content = value.partition("=")
    if not sign:
        name, sign, content = value.partition("@")
        if not sign:
            name, content = "", value
    if sign == "@":
        built.leave_out(content, option)
        content = f"<{content}>"  # nobody should take it for an empty value
    text = quote(content, safe="-._~", errors="surrogateescape").replace("%20", "+")
    return (f"{name}={text}" if name else text).encode("utf-8", "surrogateescape")


def _address(arguments: Arguments, address: str, query: str) -> tuple[str, str | None]:
    """Return the address as it is requested, and the user and password that stood in it."""
    address = address.strip()
    if not _SCHEME.match(address):
        address = f"{(arguments.last('proto-default') or 'http')}://{address}"
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return address, None
    scheme = parts.scheme
    userinfo, at, host = parts.netloc.rpartition("@")
    if port == _WEB_PORTS.get(scheme):
        host = host.rpartition(":")[0]
    path = parts.path or "/"
    if not arguments.on("path-as-is"):
        path = _squashed(path)
    # The address up to its fragment, also an empty query, is sent as it is written.
    before = address.split("#", 1)[0]
    own_query = before.partition("?")[2]
    url = f"{scheme}://{host}{path}" + (f"?{own_query}" if "?" in before else "")
    if query:
        url = _with_query(url, query)
    return url, unquote(userinfo) if at else None


def _with_options(url: str, arguments: Arguments, built: CurlRequest) -> str:
    """Apply the options that change the address."""
    for _, value in arguments.all("url-query"):
        url = _with_query(url, _urlencoded(value, built, "url-query").decode("utf-8", "replace"))
    target = arguments.last("request-target") or ""
    return split(url)._replace(path=target, query="").geturl() if target.startswith("/") else url


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    if "?" not in url:
        return f"{url}?{query}"
    return url + ("" if url.endswith(("?", "&")) else "&") + query


def _squashed(path: str) -> str:
    """Remove the ``.`` and ``..`` segments of a path (RFC 3986 §5.2.4)."""
    if "/." not in path:
        return path
    output: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(output) > 1:
                output.pop()
        elif segment != ".":
            output.append(segment)
    return "/".join(output) + ("/" if segments[-1] in (".", "..") else "")


def _custom_headers(arguments: Arguments, built: CurlRequest) -> list[tuple[str, str | None]]:
    """Return the headers of ``-H`` and ``--json``; ``None`` where one is removed."""
    headers: list[tuple[str, str | None]] = []
    for _, text in arguments.all("header"):
        if text.startswith("@"):
            built.note(f"the file {text[1:]} of --header was not read")
        elif match := _HEADER.fullmatch(text):
            if match["empty"]:
                headers.append((match["name"], ""))
            elif match["value"]:
                headers.append((match["name"], match["value"]))
            else:
                headers.append((match["name"].rstrip(), None))
        else:
            built.note(f"the header {text!r} has no colon; curl leaves it out")
    if arguments.all("json"):
        names = {name.lower() for name, _ in headers}
        headers += [(name, "application/json") for name in ("Content-Type", "Accept") if name.lower() not in names]
    return headers


def _headers(
    arguments: Arguments, built: CurlRequest, url: str, user: str | None, custom: list[tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """Return the headers in curl's order, without the ``User-Agent``, whose version is unknown."""
    parts = split(url)
    custom_names = {name.lower() for name, _ in custom}
    host = next((value for name, value in custom if name.lower() == "host"), parts.netloc)
    headers: list[tuple[str, str | None]] = [("Host", host)]
    proxied = arguments.last("proxy", "proxy1.0", "preproxy") is not None and parts.scheme == "http"
    proxied = proxied and not (arguments.last("proxy") or "").startswith("socks") and not arguments.on("proxytunnel")
    if proxied and (proxy_user := _proxy_user(arguments)):
        headers.append(("Proxy-Authorization", _basic(proxy_user)))
    headers.append(("Authorization", _authorization(arguments, built, user)))
    if (span := arguments.last("range")) is not None:
        headers.append(("Range", f"bytes={span}"))
    headers.append(("User-Agent", arguments.last("user-agent") or None))
    headers.append(("Accept", "*/*"))
    if arguments.on("compressed"):
        headers.append(("Accept-Encoding", ENCODINGS))
    headers.append(("Referer", (arguments.last("referer") or "").removesuffix(";auto") or None))
    if proxied:
        headers.append(("Proxy-Connection", "Keep-Alive"))
    headers.append(("Cookie", _cookies(arguments, built)))
    own = [
        (name, value)
        for name, value in headers
        if value is not None and (name == "Host" or name.lower() not in custom_names)
    ]
    return own + [(name, value) for name, value in custom if value is not None and name.lower() != "host"]


def _body_headers(
    custom: list[tuple[str, str | None]], body: bytes, content_type: str, *, known: bool
) -> list[tuple[str, str]]:
    names = {name.lower() for name, _ in custom}
    headers = [("Content-Length", str(len(body)))] if known and "content-length" not in names else []
    return headers if "content-type" in names else [*headers, ("Content-Type", content_type)]


def _authorization(arguments: Arguments, built: CurlRequest, user: str | None) -> str | None:
    if (token := arguments.last("oauth2-bearer")) is not None:
        return f"Bearer {token}"
    credentials = arguments.last("user") or user
    if credentials is None:
        return None
    if any(arguments.on(name) for name in ("digest", "ntlm", "negotiate", "anyauth", "ntlm-wb")) and not arguments.on(
        "basic"
    ):
        built.note("the credentials of --user go out only after the server's challenge")
        return None
    if ":" not in credentials:
        built.note("curl asks for the password of --user; it is left empty")
    return _basic(credentials)


def _basic(credentials: str) -> str:
    pair = credentials if ":" in credentials else f"{credentials}:"
    return "Basic " + base64.b64encode(pair.encode("utf-8", "surrogateescape")).decode()


def _proxy_user(arguments: Arguments) -> str | None:
    if (user := arguments.last("proxy-user")) is not None:
        return user
    proxy = arguments.last("proxy") or ""
    userinfo, at, _ = split(proxy if "://" in proxy else f"http://{proxy}").netloc.rpartition("@")
    return unquote(userinfo) if at else None


def _cookies(arguments: Arguments, built: CurlRequest) -> str | None:
    cookies = []
    for _, value in arguments.all("cookie"):
        if "=" in value:
            cookies.append(value)
        elif value:
            built.note(f"the file {value} of --cookie was not read")
    return ";".join(cookies) or None
