"""How a provider is connected to: time-outs, proxy, own certificate authorities, client certificate."""

import base64
import math
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import certifi

LONGEST_TIMEOUT = 600.0
"""Seconds beyond which no time-out goes: a page waits for the answer."""

CACHED_CONTEXTS = 32
"""TLS contexts that are kept, each for one combination of settings: making one reads every certificate authority."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """The connection settings of one provider profile.

    The time-outs are in seconds: for the connection with its TLS handshake, for each wait for more of the answer, and
    for everything together. ``proxy`` is an ``http://`` address, which may hold a user and a password; it is never
    printed. ``ca_bundle``, ``client_certificate`` and ``client_key`` are paths of PEM files: a bundle takes the place
    of this machine's authorities, and the key may stand in the certificate's file. With ``verify`` off the server's
    certificate is not checked, where the installation allows that.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 10.0
    total_timeout: float = 30.0
    proxy: str = field(default="", repr=False)
    ca_bundle: str = ""
    client_certificate: str = ""
    client_key: str = ""
    verify: bool = True


class ConnectionSettingError(ValueError):
    """A connection setting cannot be used. ``field`` names it; the text says what is wrong and what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's address, and the ``Proxy-Authorization`` header it is sent (RFC 7617), empty without a user."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def problems(connection: ConnectionSettings) -> tuple[ConnectionSettingError, ...]:
    """What is wrong with the settings, each with the field that is; the files are read for it."""
    return tuple(_problems(connection))


def proxy_of(connection: ConnectionSettings) -> Proxy | None:
    """The proxy, or ``None`` without one. Raises ``ConnectionSettingError``, without the password in its text."""
    if not connection.proxy:
        return None
    try:
        parts = urlsplit(connection.proxy.strip())
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise _wrong("proxy", "is not an address: its host or its port cannot be read") from None
    if parts.scheme != "http":
        raise _wrong("proxy", "must begin with http://; a proxy that speaks TLS itself, or SOCKS, is not supported")
    if not host or any(character.isspace() for character in host):
        raise _wrong("proxy", "names no host: write http://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _wrong("proxy", "has something behind its port: write http://HOST:PORT, with user:password@ if needed")
    if parts.username is None:
        return Proxy(host, port)
    user, password = unquote(parts.username), unquote(parts.password or "")
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Proxy(host, port, f"Basic {pair}", password)


def tls_context(connection: ConnectionSettings) -> ssl.SSLContext:
    """What checks the server's certificate and holds the client's. Made once for the same settings and files.

    It has no sessions and no state of any exchange in it. Raises ``ConnectionSettingError``.
    """
    files = ("ca_bundle", "client_certificate", "client_key")
    stamps = tuple(_stamp(name, path) for name in files if (path := getattr(connection, name)))
    return _context(
        connection.ca_bundle, connection.client_certificate, connection.client_key, connection.verify, stamps
    )


def _problems(connection: ConnectionSettings) -> Iterator[ConnectionSettingError]:
    for name in ("connect_timeout", "read_timeout", "total_timeout"):
        seconds = getattr(connection, name)
        if not (math.isfinite(seconds) and 0 < seconds <= LONGEST_TIMEOUT):
            yield _wrong(name, f"must be more than 0 and at most {LONGEST_TIMEOUT:.0f} seconds")
    for read in (proxy_of, tls_context):
        try:
            read(connection)
        except ConnectionSettingError as error:
            yield error


def _wrong(name: str, text: str) -> ConnectionSettingError:
    return ConnectionSettingError(name, f"The connection setting {name} {text}.")


def _stamp(name: str, path: str) -> tuple[int, int]:
    """What changes when the file does, so that a new certificate is taken without a restart."""
    try:
        if not Path(path).is_file():
            raise FileNotFoundError(0, "there is no such file")
        found = Path(path).stat()
    except (OSError, ValueError) as error:
        raise _wrong(name, f"is {path}, which cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=CACHED_CONTEXTS)
def _context(
    ca_bundle: str, client_certificate: str, client_key: str, verify: bool, _stamps: tuple[tuple[int, int], ...]
) -> ssl.SSLContext:
    # Not ssl.create_default_context: that writes the keys of each connection where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_bundle:
        _pem("ca_bundle", ca_bundle, "CERTIFICATE")
        try:
            context.load_verify_locations(cafile=ca_bundle)
        except (OSError, ValueError) as error:
            raise _wrong("ca_bundle", f"is {ca_bundle}, whose certificates cannot be read: {_reason(error)}") from error
    else:
        context.load_default_certs()
        found = ssl.get_default_verify_paths()
        if sys.platform != "win32" and not (found.cafile or found.capath):
            context.load_verify_locations(certifi.where())  # a Python that was installed without authorities
    if client_certificate:
        _load_certificate(context, client_certificate, client_key)
    elif client_key:
        raise _wrong("client_key", "needs a client_certificate: the server is shown both or neither")
    return context


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    _pem("client_certificate", certificate, "CERTIFICATE")
    where = "client_key" if key else "client_certificate"
    if "ENCRYPTED" in _pem(where, key or certificate, "PRIVATE KEY"):
        raise _wrong(where, f"is {key or certificate}, whose key has a passphrase; write the key without one")
    try:
        context.load_cert_chain(certificate, key or None, password=_no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _wrong(where, "does not fit client_certificate: it is the key of another certificate") from error
        raise _wrong(where, f"and the certificate cannot be used together: {_reason(error)}") from error
    except (OSError, ValueError) as error:
        raise _wrong(where, f"is {key or certificate}, which cannot be read: {_reason(error)}") from error


def _no_passphrase() -> NoReturn:
    """OpenSSL would ask at the terminal of the server."""
    raise ValueError("the key has a passphrase")


def _pem(name: str, path: str, kind: str) -> str:
    """The text of a PEM file (RFC 7468), which has at least one block of that kind."""
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        raise _wrong(name, f"is {path}, which cannot be read: {error.strerror}") from error
    if not any(line.startswith("-----BEGIN ") and line.rstrip().endswith(f"{kind}-----") for line in text.splitlines()):
        raise _wrong(name, f"is {path}, which is not PEM with a {kind} in it: look for the line -----BEGIN {kind}-----")
    return text


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).lower().replace("_", " ")
