"""Random answers of a server, as the octets that it sends before it closes: HTTP with every part in doubt."""

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from encodings.aliases import aliases
from random import Random

PYTHON_CODECS = sorted({
    *aliases, *aliases.values(), "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "charmap",
})  # fmt: skip
"""Names that Python takes for a codec, of which few are charsets."""

CHARSETS = (*PYTHON_CODECS, "", "x" * 300, "../../etc", "utf-8\0", "\xff\xfe", '"utf-8', "utf-8'", "none", "0")

ADDRESSES = (
    "https://elsewhere.example/cb?code=x", "/token/", "", "?", "#", "//", "///", "http://", "http://[", "http://[::1",
    "http://[::1]:99999/", "https://host:port/", "http://\xff\xfe/", "http://xn--/", "http://xn--a.example/",
    "javascript:1",
    "http://0x7f.1/", "http://a b/", "\\\\host\\x", "http://" + "a" * 300 + ".example/", "http://[fe80::1%25eth0]/",
    "urn:ietf:wg:oauth:2.0:oob?code=1", "/?" + "code=x&" * 200, "http://user:pass@host@host/", "data:,x", "http://%00/",
    "https://ex.example:٣/", "http://.", "http://..", "http://\u2100.example/",
)  # fmt: skip

VALUES: Sequence[object] = (
    None, True, False, 0, -1, 1, 1.5, -1e30, 1e30, 1e308, 10**400, 2**63, "", "x", "1e30", "-1", "NaN", "9" * 400,
    "\ud800", "\0", "a" * 3000, [], {}, [[]], [None], {"": {}}, ["a", 1], {"a": {"b": ["c"]}}, "http://[::1", "Bearer",
    "invalid_grant", float("nan"), float("inf"),
)  # fmt: skip

MEMBERS = (
    "access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope", "error", "error_description",
    "error_uri", "data", "request_uri", "device_code", "user_code", "verification_uri", "verification_uri_complete",
    "interval", "active", "exp", "iat", "keys", "issuer", "token_endpoint", "authorization_endpoint", "jwks_uri",
    "response_types_supported", "code", "message", "status", "errors", "sub", "aud", "cnf", "detail", "title",
    "type", "",
)  # fmt: skip

_JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjFlMzAsImNuZiI6W119."
_RARE = 0.15


def answer(seed: int) -> bytes:
    """Return the answer with this number."""
    random = Random(seed)
    octets = _interim(random) + _final(random)
    damage = random.random()
    if damage < 0.1:
        return octets[: random.randrange(len(octets) + 1)]
    if damage < 0.2:
        changed = bytearray(octets)
        for _ in range(random.randint(1, 5)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        return bytes(changed)
    return octets


def _interim(random: Random) -> bytes:
    if random.random() > _RARE:
        return b""
    status = random.choice((100, 101, 102, 103, 199))
    return b"HTTP/1.1 %d \r\nLink: </x>\r\n\r\n" % status * random.choice((1, 1, 2, 30))


def _final(random: Random) -> bytes:
    body = random.choice(_BODIES)(random)
    coding = random.choice(("", "", "", "gzip", "deflate", "x-gzip", "br", "gzip, gzip", "identity", ",", "gzip" * 50))
    if "gzip" in coding and random.random() < 0.7:
        body = gzip.compress(body)
    elif coding == "deflate" and random.random() < 0.7:
        body = zlib.compress(body)
    headers = [(name, make(random)) for name, make in _HEADERS.items() if random.random() < _RARE]
    headers.append(("Content-Type", _content_type(random)))
    if coding:
        headers.append(("Content-Encoding", coding))
    headers, body = _framed(random, headers, body)
    random.shuffle(headers)
    lines = [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([_status_line(random), *lines, "", ""])
    return head.encode("utf-8", "surrogatepass") + body


def _status_line(random: Random) -> str:
    if random.random() > _RARE:
        status = random.choice(
            (200, 200, 200, 201, 204, 205, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 429, 500, 503)
        )
        return f"HTTP/1.1 {status} {random.choice(('OK', '', 'Bad Request', 'x' * 200, 'Не', 'a  b'))}"
    return random.choice((
        "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/2 200", "HTTP/1.1 999 Odd", "HTTP/1.1 000 None", "HTTP/1.1 099 Low",
        "HTTP/1.1 2000 OK", "HTTP/1.1 -1 OK", "http/1.1 200 ok", "ICY 200 OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 \u0662\u0660\u0660 OK",
        "<html>", "", "HTTP/1.1 101 Switching Protocols", "HTTP/1.9 200 OK",
    ))  # fmt: skip


def _content_type(random: Random) -> str:
    kind = random.choice((
        "application/json", "text/html", "text/plain", "application/x-www-form-urlencoded", "", "json", "*/*",
        "multipart/form-data; boundary=x", "application/jwk-set+json", "text/xml", "/",
    ))  # fmt: skip
    if random.random() < 0.4:
        return kind
    return f"{kind}{random.choice(('; ', ';', ' ; x=y; '))}charset={random.choice(CHARSETS)}"


def _framed(random: Random, headers: list[tuple[str, str]], body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    size = str(len(body))
    framing = random.random()
    if framing < 0.5:
        return [*headers, ("Content-Length", size)], body
    if framing < 0.7:
        pieces = [body[at : at + 100] for at in range(0, len(body), 100)]
        end = random.choice(
            (b"0\r\n\r\n", b"0\r\nX-Trailer: y\r\n\r\n", b"0\r\n", b"", b"-1\r\n\r\n", b"ffffffffffffffffffff\r\n")
        )
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return [*headers, ("Transfer-Encoding", "chunked")], chunks + end
    if framing < 0.8:
        return headers, body  # to the end of the connection
    name = random.choice(("Content-Length", "Transfer-Encoding"))
    odd = (
        "-1",
        "+" + size,
        "9" * 30,
        "9" * 5000,
        f"{size}, {size}",
        f"{size}, 1",
        "x",
        "",
        "gzip",
        "gzip, chunked",
        "identity",
    )
    doubled = [(name, size)] if random.random() < 0.3 else []
    return [*headers, *doubled, (name, random.choice(odd))], body


_HEADERS: dict[str, Callable[[Random], str]] = {
    "Location": lambda random: random.choice(ADDRESSES),
    "Set-Cookie": lambda random: random.choice(
        ("a=b", "=", ";", "a=b; expires=x; domain=[", "\xff", "a=b; max-age=" + "9" * 400)
    ),
    "WWW-Authenticate": lambda random: random.choice(
        (
            "Bearer",
            'Bearer error="x',
            "Basic realm=",
            'Bearer a="\\',
            "DPoP algs=",
            "," * 300,
            'Bearer scope="a b", , x',
        )
    ),
    "Retry-After": lambda random: random.choice(
        (
            "0",
            "-1",
            "9" * 5000,
            "1e9",
            "soon",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Wed, 0 Jan 0000 00:00:00 +9999",
            "\u00b2",
            "",
        )
    ),
    "DPoP-Nonce": lambda random: random.choice(("n", "", "\xff", "x" * 5000, '"')),
    "X-Request-Id": lambda random: random.choice(("r-1", "\xff\xfe", "x" * 5000, "=1+1", "«code #0123456789 40ch»")),
    "Date": lambda random: random.choice(("x", "Fri, 31 Dec 9999 23:59:59 GMT", "")),
    "Link": lambda random: random.choice(("<", "<http://[>; rel=next")),
    "X-Odd name": lambda _: "x",
    "": lambda _: "x",
    "X-Folded": lambda _: "a\r\n b\r\n\tc",
    "X-Bare": lambda random: random.choice(("a\nb", "a\rb", "a\0b", "\x7f\x01", "\ud800")),
    "X-Many": lambda random: "y\r\nX-Many: y" * random.choice((1, 150)),
}


def _members(random: Random) -> dict[str, object]:
    usual: dict[str, object] = (
        {"access_token": "token-" + "0123456789abcdef" * 2, "token_type": "bearer"} if random.random() < 0.6 else {}
    )
    names = random.sample(MEMBERS, random.randint(0, 8))
    return usual | {name: random.choice((*VALUES, _JWT)) for name in names}


def _json(random: Random) -> bytes:
    value: object = _members(random)
    wrap = random.random()
    if wrap < 0.1:
        value = {"data": value}
    elif wrap < 0.2:
        value = [value]
    elif wrap < 0.25:
        value = json.dumps(value)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    return text.encode(random.choice(("utf-8", "utf-8", "utf-8", "utf-16", "utf-32", "utf-8-sig")), "surrogatepass")


def _jwks(random: Random) -> bytes:
    names = ("kty", "n", "e", "x", "y", "crv", "kid", "use", "alg", "x5c", "k", "d")
    kinds = ("RSA", "EC", "OKP", "oct", "", None, 1)
    keys: list[object] = [
        {
            name: random.choice((*VALUES, *kinds, "AQAB", "P-256", "sig"))
            for name in random.sample(names, random.randint(0, 9))
        }
        for _ in range(random.randint(0, 4))
    ]
    return json.dumps({"keys": random.choice((keys, [*keys, None, 1, []], {}, None))}).encode("utf-8", "surrogatepass")


_BODIES: tuple[Callable[[Random], bytes], ...] = (
    _json,
    _json,
    _json,
    _json,
    _jwks,
    lambda random: random.randbytes(random.randrange(3000)),
    lambda _: b"",
    lambda random: random.choice((b"[", b'{"a":', b"{" * 3)) * 2000,
    lambda random: (
        b'{"expires_in": ' + b"9" * random.choice((5, 400, 5000)) + b', "access_token": "t0k3n-t0k3n-t0k3n"}'
    ),
    lambda _: b"<html><title>" + b"<b>" * 500 + b"</title>error=invalid_grant</html>",
    lambda random: b"access_token=a&" * random.choice((1, 50)) + b"error=%FF%&error_description=%E2%28%A1",
    lambda _: b'--x\r\nContent-Disposition: form-data; name="code"\r\n\r\n\xff\r\n--x',
    lambda _: "«access_token #0123456789 40ch»«code 9ch»«».".encode() * 20,
    lambda _: b"\x1f\x8b\x08\x00" + b"\0" * 50,
    lambda _: zlib.compress(b" " * 3_000_000, 9),
)
