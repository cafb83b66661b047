"""The console's settings, read from environment variables.

Every variable in ``SETTINGS`` is documented in the README; a test fails when one is missing there.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from oauth import egress
from oauth.egress import Allowlist, Policy

SETTINGS = {
    "CONSOLE_HOME": "Folder of the history and the key. Default: `.console` in the current folder.",
    "CONSOLE_KEY": "Key of the installation, for fingerprints and signed links; 16 characters or more. "
    "Default: made once and kept in `CONSOLE_HOME/key`, readable by its owner only.",
    "CONSOLE_DATABASE_URL": "Where the history is kept, as an SQLAlchemy address. "
    "Default: an SQLite file, `CONSOLE_HOME/history.db`.",
    "CONSOLE_RETENTION_DAYS": "Days that an exchange is kept, 1 or more; older ones are deleted at the start and once "
    "a day, apart from those of a flow that still runs. Default: all are kept.",
    "CONSOLE_ALLOWED_HOSTS": "Where requests may go, separated by commas: `host`, `host:port`, `*.example.com` for all "
    "below it, an address, or a network such as `10.1.0.0/16`. A name reaches public addresses only, unless its "
    "address is listed too. Default: anywhere.",
    "CONSOLE_ALLOW_INSECURE_TLS": "`1` lets a profile with `verify = false` connect without checking the server's "
    "certificate; every exchange made so carries a red mark. Default: no exchange is made so.",
    "CONSOLE_PORT": "Port that `python app.py` listens on, on the loopback address. Default: 8501.",
    "CONSOLE_PUBLIC_URL": "Address under which a proxy publishes the console, such as `https://console.example.com`, "
    "with its path if it has one; the redirect URI is then `/callback` below it. Default: the address in the browser.",
    "CONSOLE_CLIENT_PROVIDER_ID": "A client that is offered for a provider; `PROVIDER` stands for the profile's id in "
    "capitals, with `_` for `-`: `CONSOLE_CLIENT_OLX_PL_ID`. Never written by the console.",
    "CONSOLE_CLIENT_PROVIDER_SECRET": "Its secret; without one the client is public. Never written, and never drawn.",
    "CONSOLE_PROXY_PROVIDER": "Address of the proxy through which a provider is reached, with its user and password if "
    "it has them: these have no place in a profile.",
}

SHORTEST_KEY = 16

LONGEST_RETENTION = 36_500

OF_PROVIDERS = ("CONSOLE_CLIENT_", "CONSOLE_PROXY_")
"""How the variables begin that say something of one provider."""


class SettingError(ValueError):
    """A setting cannot be used; the text says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decided. ``key`` and ``database_url``, which may hold a password, are never printed.

    ``providers`` are the variables that say something of one provider: its clients and its proxy. ``retention_days``
    is how long an exchange is kept, ``None`` for always.
    """

    home: Path
    key: bytes
    database_url: str
    port: int
    policy: Policy = field(default_factory=Policy)
    public_url: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    retention_days: int | None = None

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r})"

    def derived_key(self, purpose: str) -> bytes:
        """A key for one purpose only, so that what one of them signs says nothing about another."""
        return hmac.new(self.key, purpose.encode(), hashlib.sha256).digest()


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, making the home folder (0700) and the key file (0600) where there are none.

    Raises ``SettingError`` when the folder or the key cannot be used.
    """
    environ = os.environ if environ is None else environ
    home = Path(environ.get("CONSOLE_HOME") or ".console").absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = environ.get("CONSOLE_KEY", "").encode() or _key_file(home / "key")
    except OSError as error:
        raise SettingError(
            f"CONSOLE_HOME is {home}, which cannot be used: {error.strerror}. Choose a folder you may write to."
        ) from error
    if len(key) < SHORTEST_KEY:
        place = "CONSOLE_KEY" if environ.get("CONSOLE_KEY") else str(home / "key")
        raise SettingError(
            f"{place} is shorter than {SHORTEST_KEY} characters. Use a longer one, for example 64 random hex digits."
        )
    if "?" in str(home):
        raise SettingError(f"CONSOLE_HOME is {home}; a question mark in it cannot be part of a database's address.")
    database_url = environ.get("CONSOLE_DATABASE_URL") or f"sqlite:///{home / 'history.db'}"
    return Settings(
        home,
        key,
        database_url,
        _port(environ.get("CONSOLE_PORT") or "8501"),
        _policy(environ),
        _public_url(environ.get("CONSOLE_PUBLIC_URL", "").strip()),
        {name: value for name, value in environ.items() if name.startswith(OF_PROVIDERS)},
        _retention_days(environ.get("CONSOLE_RETENTION_DAYS", "").strip()),
    )


def _policy(environ: Mapping[str, str]) -> Policy:
    hosts, insecure = environ.get("CONSOLE_ALLOWED_HOSTS") or "", environ.get("CONSOLE_ALLOW_INSECURE_TLS") or "0"
    if insecure not in ("0", "1"):
        raise SettingError(f"CONSOLE_ALLOW_INSECURE_TLS is {insecure!r}; it must be 1, 0 or left out.")
    try:
        return Policy(egress.parse_allowlist(hosts) if hosts else Allowlist(), insecure == "1")
    except ValueError as error:
        raise SettingError(f"CONSOLE_ALLOWED_HOSTS {error}.") from error


def _public_url(text: str) -> str:
    """The address without a slash at its end. A callback carries a code, so beyond this machine it needs TLS."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is no number
    except ValueError as error:
        raise SettingError(f"CONSOLE_PUBLIC_URL is {text!r}, which is no address: {error}.") from error
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or (parts.scheme != "https" and not (parts.scheme == "http" and here)):
        raise SettingError(f"CONSOLE_PUBLIC_URL is {text!r}; it must begin with https:// and name a host.")
    if parts.query or parts.fragment or parts.username is not None:
        raise SettingError(
            f"CONSOLE_PUBLIC_URL must have no user, query or fragment: https://{parts.hostname} will do."
        )
    return text.rstrip("/")


def _retention_days(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= LONGEST_RETENTION:
        raise SettingError(
            f"CONSOLE_RETENTION_DAYS is {text!r}; it must be a number from 1 to {LONGEST_RETENTION}, or left out."
        )
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingError(f"CONSOLE_PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def _key_file(path: Path) -> bytes:
    """Read the key, or make it. Two consoles starting at once agree: only one of them can link its file in place."""
    if not path.exists():
        draft = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(32).encode())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another console was first; its key is the installation's
        finally:
            draft.unlink()
    return path.read_bytes().strip()
