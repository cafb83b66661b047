"""Every kind of failed exchange, with servers over real sockets that cause it."""

import gzip
import socket
import ssl
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oauth import egress
from oauth.connection_settings import ConnectionSettings
from oauth.egress import Policy
from tests.hostile import servers as hostile
from tests.hostile.servers import Server

PROXY_PASSWORD = "proxy-canary-55aa66bb77cc"
"""The password of every proxy here, which must not appear anywhere."""

TOKEN = b'{"access_token": "token-canary-0123456789abcdef", "token_type": "bearer"}'
JSON = {"Content_Type": "application/json"}
ANY_FILE = Policy(certificates=Path("/"))
"""A policy under which a profile may name every file."""

QUICK = ConnectionSettings(connect_timeout=5, read_timeout=5, total_timeout=10)


@dataclass
class Case:
    """A request's address and settings, and the server that counts. ``requests`` is the number it should receive."""

    url: str
    connection: ConnectionSettings = QUICK
    policy: Policy = ANY_FILE
    server: Server | None = None
    requests: int = 1


Scenario = Callable[[], AbstractContextManager[Case]]


@cache
def authority() -> trustme.CA:
    """Return the tests' certificate authority."""
    return trustme.CA()


@cache
def folder() -> Path:
    """Return the folder for certificates and keys of this run."""
    return Path(tempfile.mkdtemp(prefix="certificates-"))


@cache
def bundle() -> str:
    """Return the path of the authority's certificate."""
    path = folder() / "authority.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


@cache
def client_files() -> tuple[str, str]:
    """Return the paths of a client's certificate and key, issued by the authority."""
    leaf = authority().issue_cert("client@example.com")
    certificate, key = folder() / "client.pem", folder() / "client.key"
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    leaf.private_key_pem.write_to_path(str(key))
    return str(certificate), str(key)


def trusting() -> ConnectionSettings:
    """Return a connection that trusts the tests' authority alone."""
    return replace(QUICK, ca_bundle=bundle())


def server_context(
    *names: str, by: trustme.CA | None = None, not_before: datetime | None = None, not_after: datetime | None = None
) -> ssl.SSLContext:
    """Return the TLS context of a server with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf = (by or authority()).issue_cert(*(names or ("localhost",)), not_before=not_before, not_after=not_after)
    leaf.configure_cert(context)
    return context


def self_signed() -> ssl.SSLContext:
    """Return the TLS context of a server with a self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder() / "self-signed.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _old_tls() -> ssl.SSLContext:
    context = server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def requiring_a_client_certificate(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """Return the TLS context of a server that requires a client certificate of the tests' authority."""
    context = server_context()
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(context)
    return context


def plain(answer: hostile.Answer, connection: ConnectionSettings = QUICK) -> Scenario:
    """Serve ``answer`` to the request."""

    @contextmanager
    def scenario() -> Iterator[Case]:
        with hostile.serving(answer) as server:
            yield Case(server.url, connection, server=server)

    return scenario


def over_tls(
    context: Callable[[], ssl.SSLContext], connection: Callable[[], ConnectionSettings] = trusting
) -> Scenario:
    """Serve with TLS that the client rejects, so that no request arrives."""

    @contextmanager
    def scenario() -> Iterator[Case]:
        with hostile.serving_tls(context(), hostile.answering(hostile.OK)) as server:
            yield Case(server.url, connection(), server=server, requests=0)

    return scenario


def only(url: str, connection: ConnectionSettings = QUICK, policy: Policy | None = None) -> Scenario:
    """Use an address without a server."""

    @contextmanager
    def scenario() -> Iterator[Case]:
        yield Case(url, connection, policy or ANY_FILE, requests=0)

    return scenario


@contextmanager
def _refused() -> Iterator[Case]:
    yield Case(f"http://127.0.0.1:{hostile.unused_port()}/token", requests=0)


@contextmanager
def _no_room() -> Iterator[Case]:
    with hostile.full() as port:
        yield Case(f"http://127.0.0.1:{port}/token", replace(QUICK, connect_timeout=0.3), requests=0)


@contextmanager
def silent_handshake() -> Iterator[Case]:
    """Accept connections and never answer the TLS handshake."""
    with hostile.raw(hostile.silent, "https") as server:
        yield Case(server.url, replace(QUICK, connect_timeout=0.3), server=server, requests=0)


@contextmanager
def _no_tls() -> Iterator[Case]:
    with hostile.raw(lambda it: it.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "https") as server:
        yield Case(server.url, server=server, requests=0)


def _read_a_little(connection: socket.socket) -> None:
    connection.recv(1)


@contextmanager
def _ends_in_handshake() -> Iterator[Case]:
    with hostile.raw(_read_a_little, "https") as server:
        yield Case(server.url, server=server, requests=0)


@contextmanager
def _unverified() -> Iterator[Case]:
    with hostile.serving_tls(self_signed(), hostile.answering(hostile.OK)) as server:
        yield Case(server.url, replace(QUICK, verify=False), server=server, requests=0)


@contextmanager
def _not_allowed() -> Iterator[Case]:
    with hostile.serving(hostile.answering(hostile.OK)) as server:
        yield Case(server.url, policy=Policy(egress.parse_allowlist("provider.example")), server=server, requests=0)


@contextmanager
def _proxy_unreachable() -> Iterator[Case]:
    proxy = f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{hostile.unused_port()}"
    yield Case("https://provider.example/token", replace(QUICK, proxy=proxy), requests=0)


def through_proxy(scheme: str, refusing: hostile.Answer | None = None, user: str = "", requests: int = 1) -> Scenario:
    """Send through a proxy. ``requests`` is the number that the proxy should receive."""

    @contextmanager
    def scenario() -> Iterator[Case]:
        with hostile.proxying(user, refusing) as server:
            proxy = f"http://someone:{PROXY_PASSWORD}@127.0.0.1:{server.port}"
            url = f"{scheme}://provider.example/token"
            yield Case(url, replace(QUICK, proxy=proxy), server=server, requests=requests)

    return scenario


def chunked(*parts: bytes) -> hostile.Answer:
    """Send a chunked response, with these parts as they are."""
    return hostile.answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *parts)


def head_for(length: int) -> bytes:
    """Return the head of a response that announces a body of this length."""
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def _breaking(connection: socket.socket) -> None:
    hostile.answering(head_for(1000), b'{"access')(connection)
    hostile.reset(connection)


BAD_GATEWAY = hostile.response("502 Bad Gateway", b"<html><title>Squid</title>Name error</html>", Via="1.1 squid")

FAILURES: Mapping[str, Mapping[str, Scenario]] = {
    "unknown_host": {"name": only("http://no-such-host.invalid/token")},
    "refused": {"port": _refused},
    "unreachable": {"network": only("http://224.0.0.1/token")},
    "reset": {"closed": plain(hostile.answering()), "reset": plain(hostile.reset)},
    "connect_timeout": {"tcp": _no_room, "handshake": silent_handshake},
    "read_timeout": {
        "silent": plain(hostile.silent, replace(QUICK, read_timeout=0.3)),
        "mid-body": plain(hostile.then_silent(head_for(100), b'{"a": '), replace(QUICK, read_timeout=0.3)),
    },
    "total_timeout": {
        "dripping": plain(
            hostile.dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"), replace(QUICK, total_timeout=0.4)
        ),
        "head": plain(hostile.dripping(b"HTTP/1.1 200 OK\r\nX-Slow: "), replace(QUICK, total_timeout=0.4)),
    },
    "tls_expired": {
        "expired": over_tls(
            lambda: server_context(not_before=_days(-10), not_after=_days(-1)),
        )
    },
    "tls_not_yet_valid": {"early": over_tls(lambda: server_context(not_before=_days(1), not_after=_days(10)))},
    "tls_self_signed": {"itself": over_tls(self_signed)},
    "tls_wrong_name": {
        "name": over_tls(lambda: server_context("other.example")),
        "address": over_tls(lambda: server_context("10.0.0.1")),
    },
    "tls_unknown_issuer": {
        "another authority": over_tls(lambda: server_context(by=trustme.CA())),
        "this machine's": over_tls(server_context, lambda: QUICK),
    },
    "tls_protocol": {"1.1": over_tls(_old_tls)},
    "tls_client_certificate": {
        "1.3": over_tls(requiring_a_client_certificate),
        "1.2": over_tls(lambda: requiring_a_client_certificate(ssl.TLSVersion.TLSv1_2)),
    },
    "tls_not_spoken": {"http": _no_tls},
    "tls": {"ended": _ends_in_handshake},
    "verification_required": {"off": _unverified},
    "not_allowed": {"host": _not_allowed},
    "connection_settings": {
        "bundle": only("https://localhost/token", replace(QUICK, ca_bundle="/nowhere/authority.pem")),
        "proxy": only("https://localhost/token", replace(QUICK, proxy=f"socks5://a:{PROXY_PASSWORD}@localhost:1")),
    },
    "proxy_unreachable": {"refused": _proxy_unreachable},
    "proxy_refused": {
        "502": through_proxy("https", BAD_GATEWAY),
        "403": through_proxy("https", hostile.response("403 Forbidden", b"<html>Not this host</html>")),
        "closed": through_proxy("https", hostile.answering()),
        "no HTTP": through_proxy("https", hostile.answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
    },
    "proxy_authentication": {
        "tunnel": through_proxy("https", user="someone:else"),
        "plain": through_proxy("http", user="someone:else"),
    },
    "cut_off": {
        "length": plain(hostile.answering(head_for(1000), TOKEN[:40])),
        "chunks": plain(chunked(b"10\r\n" + TOKEN[:16] + b"\r\n", b"40\r\n" + TOKEN[16:30])),
        "last chunk": plain(chunked(b"10\r\n" + TOKEN[:16] + b"\r\n")),
        "reset": plain(_breaking),
        "head": plain(hostile.answering(b"HTTP/1.1 200 OK\r\nContent-Ty")),
    },
    "malformed": {
        "another protocol": plain(hostile.answering(b"220 mail.example ESMTP\r\n\r\n")),
        "no line end": plain(hostile.answering(b"SSH-2.0-OpenSSH_9.2")),
        "bad chunk": plain(chunked(b"2\r\n{}\r\n", b"zz\r\n")),
        "bad header": plain(hostile.answering(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n")),
        "endless head": plain(hostile.answering(b"HTTP/1.1 200 OK\r\n" + b"X-Long: %b\r\n" % (b"y" * 200_000))),
    },
    "undecodable": {
        "no gzip": plain(hostile.response("200 OK", TOKEN, Content_Encoding="gzip", **JSON)),
        "damaged": plain(
            hostile.response("200 OK", gzip.compress(TOKEN * 50)[:-30] + b"\0" * 30, Content_Encoding="gzip", **JSON)
        ),
        "ended": plain(hostile.response("200 OK", gzip.compress(TOKEN)[:-4], Content_Encoding="gzip", **JSON)),
        "unknown": plain(hostile.response("200 OK", b"\x1b\x0e\0", Content_Encoding="br", **JSON)),
    },
    "invalid_url": {
        "scheme": only("ftp://127.0.0.1/token"),
        "host": only("http://exa mple/"),
        "port": only("http://127.0.0.1:99999/"),
        "user": only("http://someone:password@127.0.0.1/"),
    },
}
"""Scenarios that cause each kind of ``Failure``."""

REDIRECTED = {"Location": "https://elsewhere.example/token"}
ANSWERS: Mapping[str, Mapping[str, Scenario]] = {
    "redirect": {"same host": plain(hostile.response("301 Moved Permanently", Location="/token/"))},
    "redirect_elsewhere": {"host": plain(hostile.response("307 Temporary Redirect", **REDIRECTED))},
    "html": {"page": plain(hostile.response("200 OK", b"<html>Hello</html>", Content_Type="text/html"))},
    "html_as_json": {"page": plain(hostile.response("200 OK", b"<!doctype html><p>Hello</p>", **JSON))},
    "too_large": {"long": plain(hostile.response("200 OK", b" " * (1024 * 1024 + 1), **JSON))},
    "unpacked_too_large": {
        "gzip": plain(hostile.response("200 OK", gzip.compress(b" " * 50_000_000, 9), Content_Encoding="gzip", **JSON)),
        "deflate": plain(
            hostile.response("200 OK", zlib.compress(b" " * 50_000_000, 9), Content_Encoding="deflate", **JSON)
        ),
    },
    "rate_limited": {"429": plain(hostile.response("429 Too Many Requests", b"{}", Retry_After="120", **JSON))},
    "server_error": {
        "503": plain(
            hostile.response("503 Service Unavailable", b"", Retry_After="Wed, 21 Oct 2099 07:28:00 GMT"),
        ),
        "502": plain(BAD_GATEWAY),
    },
    "proxy_error": {"502": through_proxy("http", BAD_GATEWAY)},
    "empty": {"nothing": plain(hostile.response("200 OK", **JSON))},
    "invalid_json": {"text": plain(hostile.response("200 OK", b"access_token=a", **JSON))},
}
"""Scenarios that cause each kind of response that is not an OAuth error."""


def _days(number: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=number)
