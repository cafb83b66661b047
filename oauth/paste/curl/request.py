"""The request that a curl command sends. No file is read and nothing is asked."""

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from oauth.exchange import Request
from oauth.paste.curl.form import form_body
from oauth.paste.curl.options import Given
from oauth.paste.step_guess import split

DATA = ("data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "json")
ENCODINGS = "deflate, gzip, br, zstd"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HEADER = re.compile(r"(?P<name>[^:;]+)(?:(?P<colon>:)[ \t]*(?P<value>.*)|(?P<empty>;)\s*)", re.DOTALL)
_WEB_PORTS = {"http": 80, "https": 443}


@dataclass
class Sent:
    """A request, and what curl would have taken from elsewhere: a file, a prompt."""

    request: Request
    notes: dict[str, None] = field(default_factory=dict)
    body_known: bool = True  # false when a file would have been read


def requests(given: Given) -> list[Sent]:
    """One request for each address of a command, none where it has none."""
    addresses = given.urls + [value for _, value in given.all("url")]
    if given.unknown and any("://" in url for url in addresses):
        # What stands behind an unknown option may have been its value.
        addresses = [url for url in addresses if "://" in url]
    return [_request(given, url) for url in addresses]


def _request(given: Given, address: str) -> Sent:
    sent = Sent(Request("", ""))
    for name in given.unknown:
        sent.notes.setdefault(f"curl has no option {name}; it was left out")
    for name in given.valueless:
        sent.notes.setdefault(f"the option --{name} has no value; it was left out")
    data, json_data = _data(given, sent)
    form = given.all("form", "form-string")
    as_query = given.on("get") and data is not None
    url, user = _address(given, address, data if as_query and data else "")
    for item in given.all("url-query"):
        url = _with_query(url, _urlencoded(item[1], sent, "url-query").decode("utf-8", "replace"))
    if (target := given.last("request-target") or "").startswith("/"):
        url = split(url)._replace(path=target, query="").geturl()
    custom = _custom_headers(given, sent)
    if json_data:
        for name in ("Content-Type", "Accept"):
            if not any(item.lower() == name.lower() for item, _ in custom):
                custom.append((name, "application/json"))
    body, content_type = b"", ""
    if form:
        body, content_type = form_body(form, sent.notes)
        sent.body_known = sent.body_known and not any("was not read" in note for note in sent.notes)
    elif data is not None and not as_query:
        body, content_type = data.encode("utf-8", "surrogateescape"), "application/x-www-form-urlencoded"
    has_body = bool(form) or (data is not None and not as_query)
    upload = given.last("upload-file")
    if upload is not None:
        sent.notes.setdefault(f"the file {upload} of --upload-file was not read")
        sent.body_known = False
    method = given.last("request") or (
        "HEAD" if given.on("head") else "PUT" if upload is not None else "POST" if has_body else "GET"
    )
    headers = _headers(given, sent, url, user, custom)
    if has_body:
        headers += _body_headers(custom, body, content_type, known=sent.body_known)
    sent.request = Request(method, url, tuple(headers), body)
    return sent


def _data(given: Given, sent: Sent) -> tuple[str | None, bool]:
    """The joined values of ``-d`` and its kin, ``None`` without any, and whether ``--json`` is among them."""
    found: str | None = None
    for name, value in given.all(*DATA):
        if name == "data-urlencode":
            piece = _urlencoded(value, sent, name).decode()
        elif value.startswith("@") and name != "data-raw":
            sent.notes.setdefault(f"the file {value[1:]} of --{name} was not read")
            sent.body_known = False
            piece = ""
        else:
            piece = value
        found = piece if found is None else found + ("" if name == "json" else "&") + piece
    return found, bool(given.all("json"))


def _urlencoded(value: str, sent: Sent, option: str) -> bytes:
    """``content``, ``=content`` or ``name=content`` with the content percent-encoded; a ``name@file`` is not read."""
    if option == "url-query" and value.startswith("+"):
        return value[1:].encode()
    name, sign, content = value.partition("=")
    if not sign:
        name, sign, content = value.partition("@")
        if not sign:
            name, content = "", value
    if sign == "@":
        sent.notes.setdefault(f"the file {content} of --{option} was not read")
        sent.body_known = False
        content = ""
    text = quote(content, safe="-._~", errors="surrogateescape").replace("%20", "+")
    return (f"{name}={text}" if name else text).encode("utf-8", "surrogateescape")


def _address(given: Given, address: str, query: str) -> tuple[str, str | None]:
    """The address as it is requested, and the user and password that stood in it."""
    address = address.strip()
    if not _SCHEME.match(address):
        address = f"{(given.last('proto-default') or 'http')}://{address}"
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
    if not given.on("path-as-is"):
        path = _squashed(path)
    # What is before the fragment, also an empty query, is sent as it is written.
    before = address.split("#", 1)[0]
    sent_query = before.partition("?")[2]
    url = f"{scheme}://{host}{path}" + (f"?{sent_query}" if "?" in before else "")
    if query:
        url = _with_query(url, query)
    return url, unquote(userinfo) if at else None


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    if "?" not in url:
        return f"{url}?{query}"
    return url + ("" if url.endswith(("?", "&")) else "&") + query


def _squashed(path: str) -> str:
    """A path without its ``.`` and ``..`` segments (RFC 3986 §5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            if len(kept) > 1:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept) + ("/" if segments[-1] in (".", "..") else "")


def _custom_headers(given: Given, sent: Sent) -> list[tuple[str, str | None]]:
    """The values of ``-H``; ``None`` where a header is taken out."""
    found: list[tuple[str, str | None]] = []
    for _, text in given.all("header"):
        if text.startswith("@"):
            sent.notes.setdefault(f"the file {text[1:]} of --header was not read")
        elif match := _HEADER.fullmatch(text):
            if match["empty"]:
                found.append((match["name"], ""))
            else:
                found.append((match["name"].rstrip() if not match["value"] else match["name"], match["value"] or None))
        else:
            sent.notes.setdefault(f"the header {text!r} has no colon; curl leaves it out")
    return found


def _headers(
    given: Given, sent: Sent, url: str, user: str | None, custom: list[tuple[str, str | None]]
) -> list[tuple[str, str]]:
    """The headers in curl's order. The ``User-Agent`` with curl's version is not known and left out."""
    parts = split(url)
    taken = {name.lower() for name, _ in custom}
    host = next((value for name, value in custom if name.lower() == "host"), parts.netloc)
    found: list[tuple[str, str | None]] = [("Host", host)]
    proxied = given.last("proxy", "proxy1.0", "preproxy") is not None and parts.scheme == "http"
    proxied = proxied and not (given.last("proxy") or "").startswith("socks") and not given.on("proxytunnel")
    if proxied and (proxy_user := _proxy_user(given)):
        found.append(("Proxy-Authorization", _basic(proxy_user)))
    found.append(("Authorization", _authorization(given, sent, user)))
    if (span := given.last("range")) is not None:
        found.append(("Range", f"bytes={span}"))
    found.append(("User-Agent", given.last("user-agent") or None))
    found.append(("Accept", "*/*"))
    if given.on("compressed"):
        found.append(("Accept-Encoding", ENCODINGS))
    found.append(("Referer", (given.last("referer") or "").removesuffix(";auto") or None))
    if proxied:
        found.append(("Proxy-Connection", "Keep-Alive"))
    found.append(("Cookie", _cookies(given, sent)))
    own = [
        (name, value) for name, value in found if value is not None and (name == "Host" or name.lower() not in taken)
    ]
    return own + [(name, value) for name, value in custom if value is not None and name.lower() != "host"]


def _body_headers(
    custom: list[tuple[str, str | None]], body: bytes, content_type: str, *, known: bool
) -> list[tuple[str, str]]:
    taken = {name.lower() for name, _ in custom}
    found = [] if "content-length" in taken or not known else [("Content-Length", str(len(body)))]
    return found if "content-type" in taken else [*found, ("Content-Type", content_type)]


def _authorization(given: Given, sent: Sent, user: str | None) -> str | None:
    if (token := given.last("oauth2-bearer")) is not None:
        return f"Bearer {token}"
    credentials = given.last("user") or user
    if credentials is None:
        return None
    if any(given.on(name) for name in ("digest", "ntlm", "negotiate", "anyauth", "ntlm-wb")) and not given.on("basic"):
        sent.notes.setdefault("the credentials of --user go out only after the server's challenge")
        return None
    if ":" not in credentials:
        sent.notes.setdefault("curl asks for the password of --user; it is left empty")
    return _basic(credentials)


def _basic(credentials: str) -> str:
    pair = credentials if ":" in credentials else f"{credentials}:"
    return "Basic " + base64.b64encode(pair.encode("utf-8", "surrogateescape")).decode()


def _proxy_user(given: Given) -> str | None:
    if (found := given.last("proxy-user")) is not None:
        return found
    proxy = given.last("proxy") or ""
    userinfo, at, _ = split(proxy if "://" in proxy else f"http://{proxy}").netloc.rpartition("@")
    return unquote(userinfo) if at else None


def _cookies(given: Given, sent: Sent) -> str | None:
    found = []
    for _, value in given.all("cookie"):
        if "=" in value:
            found.append(value)
        elif value:
            sent.notes.setdefault(f"the file {value} of --cookie was not read")
    return ";".join(found) or None
