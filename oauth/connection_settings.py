"""Settings of the connection to a provider: timeouts, proxy, certificate authorities, client certificate.

The connection itself is in ``wire/``.
"""

import base64
import os
import ssl
import stat
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import certifi

LONGEST_TIMEOUT = 600.0
"""Seconds that a timeout may have at most: a page waits for the response."""

LARGEST_FILE = 1024 * 1024
"""Bytes of a PEM file at most; the authorities of a whole machine have a fifth of that."""

FILES = ("ca_bundle", "client_certificate", "client_key")
"""The settings that name files."""

CACHED_CONTEXTS = 32
"""TLS contexts that are cached, one for each combination of settings: creating one reads every authority."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """The connection settings of one provider profile.

    The timeouts are in seconds: for the connection with its TLS handshake, for each wait for data, and for the whole
    exchange. ``proxy`` is an ``http://`` URL, which may contain a user and a password; it is never printed.
    ``ca_bundle``, ``client_certificate`` and ``client_key`` are names of PEM files in the operator's folder of
    certificates: a bundle replaces this machine's authorities, and the key may be in the certificate's file. With
    ``verify`` off the server's certificate is not checked, if the installation allows that.
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
    """A connection setting is invalid. ``field`` names it; the text says what is wrong and what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the value of its ``Proxy-Authorization`` header (RFC 7617), empty without a user."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def problems(settings: ConnectionSettings, folder: Path | None) -> tuple[ConnectionSettingError, ...]:
    """Return the errors in the settings, one for each invalid field. The files in ``folder`` are read."""
    errors = [
        _invalid(name, f"must be more than 0 and at most {LONGEST_TIMEOUT:.0f} seconds")
        for name in ("connect_timeout", "read_timeout", "total_timeout")
        if not 0 < getattr(settings, name) <= LONGEST_TIMEOUT
    ]
    for check in (lambda: proxy_of(settings), lambda: tls_context(settings, folder)):
        try:
            check()
        except ConnectionSettingError as error:
            errors.append(error)
    return tuple(errors)


def proxy_of(settings: ConnectionSettings) -> Proxy | None:
    """Parse the proxy setting; return ``None`` without one. Raises ``ConnectionSettingError``, without the password."""
    if not settings.proxy:
        return None
    try:
        parts = urlsplit(settings.proxy.strip())
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        raise _invalid("proxy", "is not a valid URL: its host or its port is invalid") from None
    if parts.scheme != "http":
        raise _invalid("proxy", "must begin with http://; a proxy that speaks TLS itself, or SOCKS, is not supported")
    if not host or any(character.isspace() for character in host):
        raise _invalid("proxy", "has no host: write http://HOST:PORT")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _invalid(
            "proxy", "has a path, query or fragment: write http://HOST:PORT, with user:password@ before HOST if needed"
        )
    if parts.username is None:
        return Proxy(host, port)
    user, password = unquote(parts.username), unquote(parts.password or "")
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Proxy(host, port, f"Basic {pair}", password)


def tls_context(settings: ConnectionSettings, folder: Path | None) -> ssl.SSLContext:
    """Return the context that checks the server's certificate and holds the client's, cached by settings and files.

    The files are in ``folder``. The context holds no sessions and no state of any exchange. Raises
    ``ConnectionSettingError``.
    """
    paths = [_path(name, getattr(settings, name), folder) for name in FILES]
    stamps = tuple(_stamp(name, path) for name, path in zip(FILES, paths, strict=True) if path)
    return _context(*paths, settings.verify, stamps)


def _invalid(name: str, text: str) -> ConnectionSettingError:
    return ConnectionSettingError(name, f"The connection setting {name} {text}.")


def _path(setting: str, name: str, folder: Path | None) -> str:
    """Return the path of a file in the folder, empty without a name.

    Whether a file outside exists must not show in the error, so nothing is looked up. A symbolic link in the folder is
    the operator's.
    """
    if not name:
        return ""
    path = os.path.normpath(Path(folder or "", name))
    if folder is None or not Path(path).is_relative_to(os.path.normpath(folder)) or "\0" in name:
        raise _invalid(
            setting,
            f"is {name}, which is not in the folder of certificates. Write the name of a file in CONSOLE_CERTIFICATES "
            "(default: CONSOLE_HOME/certificates)",
        )
    return path


def _stamp(name: str, path: str) -> tuple[int, int]:
    """Return modification time and size of a file, so that a new certificate is used without a restart."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else _reason(error)
        raise _invalid(name, f"is {path}, which cannot be read: {reason}") from error
    if not stat.S_ISREG(status.st_mode):
        raise _invalid(name, f"is {path}, which is not a regular file")
    if status.st_size > LARGEST_FILE:
        raise _invalid(name, f"is {path}, which is larger than {LARGEST_FILE:,} bytes")
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=CACHED_CONTEXTS)
def _context(
    ca_bundle: str, client_certificate: str, client_key: str, verify: bool, _stamps: tuple[tuple[int, int], ...]
) -> ssl.SSLContext:
    # Not ssl.create_default_context: that writes the keys of every connection to the file in SSLKEYLOGFILE.
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
            raise _invalid(
                "ca_bundle", f"is {ca_bundle}, whose certificates cannot be read: {_reason(error)}"
            ) from error
    else:
        context.load_default_certs()
        defaults = ssl.get_default_verify_paths()
        if sys.platform != "win32" and not (defaults.cafile or defaults.capath):
            context.load_verify_locations(certifi.where())  # this Python was installed without authorities
    if client_certificate:
        _load_certificate(context, client_certificate, client_key)
    elif client_key:
        raise _invalid("client_key", "needs client_certificate: set both or neither")
    return context


def _load_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    _pem("client_certificate", certificate, "CERTIFICATE")
    setting = "client_key" if key else "client_certificate"
    if "ENCRYPTED" in _pem(setting, key or certificate, "PRIVATE KEY"):
        raise _invalid(setting, f"is {key or certificate}, whose key has a passphrase; save the key without one")
    try:
        context.load_cert_chain(certificate, key or None, password=_no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise _invalid(
                setting, "does not match client_certificate: it is the key of another certificate"
            ) from error
        raise _invalid(setting, f"and the certificate cannot be used together: {_reason(error)}") from error
    except (OSError, ValueError) as error:
        raise _invalid(setting, f"is {key or certificate}, which cannot be read: {_reason(error)}") from error


def _no_passphrase() -> NoReturn:
    """Keep OpenSSL from asking for a passphrase at the server's terminal."""
    raise ValueError("the key has a passphrase")


def _pem(name: str, path: str, kind: str) -> str:
    """Return the text of a PEM file (RFC 7468) with at least one block of that kind."""
    try:
        with Path(path).open("rb") as file:
            text = file.read(LARGEST_FILE).decode("latin-1")
    except OSError as error:
        raise _invalid(name, f"is {path}, which cannot be read: {error.strerror}") from error
    if not any(line.startswith("-----BEGIN ") and line.rstrip().endswith(f"{kind}-----") for line in text.splitlines()):
        raise _invalid(name, f"is {path}, which is not a PEM file with a {kind}: it has no line -----BEGIN {kind}-----")
    return text


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).lower().replace("_", " ")
