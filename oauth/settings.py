"""The console's settings, read from environment variables.

A test compares ``SETTINGS`` with the documentation.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from oauth import egress, logs
from oauth.addresses import is_loopback, split
from oauth.egress import Allowlist, Policy

SETTINGS = {
    "CONSOLE_HOME": "Folder of the history and the key. Default: `.console` in the current folder.",
    "CONSOLE_KEY": "Key of the installation, for fingerprints and signed links; 16 characters or more. "
    "Default: generated once and stored in `CONSOLE_HOME/key`, readable by its owner only.",
    "CONSOLE_DATABASE_URL": "Database of the history, as an SQLAlchemy URL. "
    "Default: an SQLite file, `CONSOLE_HOME/history.db`.",
    "CONSOLE_RETENTION_DAYS": "Days that an exchange is kept, 1 or more; older ones are deleted once a day, by one "
    "console for all, except those of a flow that is still running. Default: all are kept.",
    "CONSOLE_ALLOWED_HOSTS": "Allowlist for requests, separated by commas: `host`, `host:port`, `*.example.com` for "
    "its subdomains, an address, a network such as `10.1.0.0/16`, or `*` for every public host. A name reaches public "
    "addresses only, unless its address is listed too. Default: anywhere, and `*` with a sign-in.",
    "CONSOLE_ALLOW_INSECURE_TLS": "`1` lets a profile with `verify = false` connect without checking the server's "
    "certificate; every such exchange has a red mark. Default: certificates are always checked.",
    "CONSOLE_CERTIFICATES": "Folder of the PEM files that profiles may name: certificate authorities, client "
    "certificates and keys. Default: `CONSOLE_HOME/certificates`.",
    "CONSOLE_PORT": "Port that `python app.py` listens on, on the loopback address. Default: 8501.",
    "CONSOLE_HOST": "Address that `python app.py` listens on. Default: `127.0.0.1`. Any but a loopback address needs "
    "`CONSOLE_SIGN_IN`.",
    "CONSOLE_PUBLIC_URL": "URL under which a proxy publishes the console, such as `https://console.example.com`, "
    "including its path; the redirect URI is then `/callback` below it. Default: the URL in the browser.",
    "CONSOLE_SANDBOX_URL": "URL of a sandbox server that several consoles share, such as "
    "`https://console.example.com/shared-sandbox`, which browsers and consoles reach. Default: each console has an "
    "embedded sandbox of its own.",
    "CONSOLE_SANDBOX_TOKEN": "The `--control-token` of that sandbox server. Never written or shown.",
    "CONSOLE_SIGN_IN": "Who may use the console: `off`, everybody who reaches it, which is this machine only; `oidc`, "
    "who signs in at an OpenID provider; `proxy`, who a proxy vouches for with a JWT. Default: `off`.",
    "CONSOLE_ROLES": "Rules that give roles to people who signed in, separated by commas: `role=claim:value` or "
    "`role=*`, such as `admin=groups:oauth-admins, reader=*`. The roles are `reader`, `support`, `operator` and "
    "`admin`; the highest counts, and without one a person may do nothing.",
    "CONSOLE_OIDC_ISSUER": "Issuer of the OpenID provider, `https://login.example.com`; its configuration is read from "
    "`/.well-known/openid-configuration` below it.",
    "CONSOLE_OIDC_CLIENT_ID": "Client id of the console at the OpenID provider, where its redirect URI is "
    "`/sign-in/callback` below `CONSOLE_PUBLIC_URL`.",
    "CONSOLE_OIDC_CLIENT_SECRET": "The client's secret. Never written or shown.",
    "CONSOLE_OIDC_SCOPE": "Scope of the sign-in. Default: `openid profile email`.",
    "CONSOLE_JWT_HEADER": "Header in which the proxy sends its JWT, such as `Cf-Access-Jwt-Assertion`, "
    "`X-Goog-IAP-JWT-Assertion` or `Authorization`.",
    "CONSOLE_JWT_ISSUER": "Issuer of the proxy's JWT, its claim `iss`.",
    "CONSOLE_JWT_AUDIENCE": "Audience of the proxy's JWT, its claim `aud`.",
    "CONSOLE_JWT_JWKS": "URL of the keys (JWKS) that the proxy signs with.",
    "CONSOLE_LOG": "Format of the log, on standard error: `text`, or `json` for one object a line. Default: `text`.",
    "CONSOLE_AUDIT_DAYS": "Days that a row of the audit is kept, 1 or more. Default: all are kept.",
    "CONSOLE_FLOW_MINUTES": "Minutes for which a walkthrough survives a reload, a lost connection or a stopped "
    "console, and for which its callback is accepted. Default: 60.",
    "CONSOLE_CLIENT_PROVIDER_ID": "Client id that is offered for a provider; `PROVIDER` stands for the profile's id in "
    "capitals, with `_` for `-`: `CONSOLE_CLIENT_OLX_PL_ID`. Never written by the console.",
    "CONSOLE_CLIENT_PROVIDER_SECRET": "The client's secret; without one the client is public. Never written or shown.",
    "CONSOLE_CLIENT_PROVIDER_API_KEY": "The client's API key, where the profile has an `api_key_header`. Never written "
    "or shown.",
    "CONSOLE_CLIENT_PROVIDER_ROLES": "Roles that the client is offered to, separated by commas, and those above them; "
    "`admin`, for example. Default: `operator`.",
    "CONSOLE_PROXY_PROVIDER": "URL of the proxy for a provider, with user and password if it needs them: a profile may "
    "not contain these.",
}

SECRETS = re.compile(
    r"CONSOLE_(KEY|DATABASE_URL|OIDC_CLIENT_SECRET|SANDBOX_TOKEN|CLIENT_.+_(SECRET|API_KEY)|PROXY_.+)", re.ASCII
)
"""The variables that may have ``_FILE`` behind their name, and then name a file with the value."""

SHORTEST_KEY = 16

LONGEST_RETENTION = 36_500

LONGEST_FLOW = 1_440
"""Minutes of a day: secrets are kept no longer than a working day's work needs them."""

SIGN_IN = ("off", "oidc", "proxy")
"""The values of ``CONSOLE_SIGN_IN``."""

PROVIDER_PREFIXES = ("CONSOLE_CLIENT_", "CONSOLE_PROXY_")
"""Prefixes of the variables that belong to one provider."""


class SettingError(ValueError):
    """A setting is invalid; the text names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings. ``key`` and ``database_url``, which may contain a password, are never printed.

    ``providers`` has the variables that belong to one provider: its clients and its proxy. ``retention_days`` is
    ``None`` when exchanges are kept forever, ``audit_days`` when rows of the audit are. ``sign_in`` is one of
    ``SIGN_IN``. ``host`` is empty where Streamlit's own setting says on which address to listen. ``sandbox_url`` is
    empty where the sandbox is embedded. ``flow_lifetime`` is the time for which a flow is kept.
    """

    home: Path
    key: bytes
    database_url: str
    port: int
    policy: Policy = field(default_factory=Policy)
    public_url: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)
    retention_days: int | None = None
    host: str = ""
    sign_in: str = "off"
    audit_days: int | None = None
    log: str = "text"
    sandbox_url: str = ""
    sandbox_token: str = ""
    flow_lifetime: timedelta = timedelta(hours=1)

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r})"

    def derived_key(self, purpose: str) -> bytes:
        """Derive a key for one purpose, so that signatures for one purpose are worthless for another."""
        return hmac.new(self.key, purpose.encode(), hashlib.sha256).digest()

    @property
    def key_proof(self) -> str:
        """A text that only the same key gives, and that says nothing about the key."""
        return self.derived_key("proof of the key").hex()

    @property
    def control_token(self) -> str:
        """The token of the embedded sandbox's control, with which the console itself uses it.

        Elsewhere, use ``control_token_for``.
        """
        return self.derived_key("sandbox control").hex()

    def sandbox_at(self, origin: str) -> str:
        """Return the address of the sandbox, below that of the console, ``origin``, where it is embedded."""
        return self.sandbox_url or f"{origin}/sandbox"

    @property
    def control_needs_token(self) -> bool:
        """True if nobody else may use the control: loopback is no proof behind a proxy, which may hide itself.

        A console with a sign-in has a public URL, too.
        """
        return bool(self.public_url)

    def control_token_for(self, origin: str) -> str:
        """Return the token for the sandbox of a console at its own address ``origin``; empty if it must not go there.

        Without ``CONSOLE_PUBLIC_URL`` the browser says what that address is. Only this machine is believed then: the
        token would otherwise go to any server that a visitor names.
        """
        if self.sandbox_url:
            return self.sandbox_token
        own = origin == self.public_url or is_loopback(split(origin).hostname or "")
        return self.control_token if own else ""


def check_host(name: str, host: str, sign_in: str) -> None:
    """Check an address to listen on, which the setting ``name`` has. Raises ``SettingError``.

    Without a sign-in everybody who reaches the console may do everything.
    """
    if sign_in == "off" and not is_loopback(host):
        raise SettingError(
            f"{name} is {host!r}, which others can reach, and CONSOLE_SIGN_IN is off. Set up a sign-in "
            "(docs/operate.md), or listen on 127.0.0.1."
        )


def with_files(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with the secrets that are in files, such as those that a container is given.

    Raises ``SettingError`` for a file that cannot be used, and for a secret that is given twice.
    """
    read = dict(environ)
    for variable, path in environ.items():
        name = variable.removesuffix("_FILE")
        # The proxy of a provider named "my-file" is an address, and not the file of the provider "my".
        if name == variable or not SECRETS.fullmatch(name) or not path or "://" in path:
            continue
        if environ.get(name):
            raise SettingError(f"{name} and {variable} are both set. Unset one of them.")
        try:
            read[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise SettingError(f"{variable} is {path}, which cannot be read: {reason}.") from error
        if not read[name]:
            raise SettingError(
                f"{variable} is {path}, which is empty. Write the secret into it, or unset the variable."
            )
        del read[variable]
    return read


def home_of(environ: Mapping[str, str]) -> Path:
    """Return the folder of everything that the console keeps."""
    return Path(environ.get("CONSOLE_HOME") or ".console").absolute()


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; create the home folder (0700) and the key file (0600) if they are missing.

    Raises ``SettingError`` for an invalid setting, folder or key.
    """
    environ = with_files(os.environ if environ is None else environ)
    home = home_of(environ)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = environ.get("CONSOLE_KEY", "").encode() or _key_file(home / "key")
    except OSError as error:
        raise SettingError(
            f"CONSOLE_HOME is {home}, which cannot be used: {error.strerror}. Choose a folder with write access."
        ) from error
    if len(key) < SHORTEST_KEY:
        place = "CONSOLE_KEY" if environ.get("CONSOLE_KEY") else str(home / "key")
        raise SettingError(
            f"{place} is shorter than {SHORTEST_KEY} characters. Use a longer one, for example 64 random hex digits."
        )
    if "?" in str(home):
        raise SettingError(
            f"CONSOLE_HOME is {home}; a database URL cannot contain its question mark. Choose another folder."
        )
    database_url = environ.get("CONSOLE_DATABASE_URL") or f"sqlite:///{home / 'history.db'}"
    public_url = _public_url(environ.get("CONSOLE_PUBLIC_URL", "").strip())
    sign_in = _choice("CONSOLE_SIGN_IN", environ, SIGN_IN)
    if sign_in != "off" and not public_url:
        raise SettingError(
            f"CONSOLE_SIGN_IN is {sign_in!r}, which needs CONSOLE_PUBLIC_URL: the address of the console in the "
            "browser, such as https://console.example.com."
        )
    host = environ.get("CONSOLE_HOST", "").strip()
    if host:
        check_host("CONSOLE_HOST", host, sign_in)
    sandbox_url, sandbox_token = _sandbox(environ)
    return Settings(
        home,
        key,
        database_url,
        _port(environ),
        _policy(environ, home, public_url, sign_in, sandbox_url),
        public_url,
        {name: value for name, value in environ.items() if name.startswith(PROVIDER_PREFIXES)},
        _number("CONSOLE_RETENTION_DAYS", environ, LONGEST_RETENTION),
        host,
        sign_in,
        _number("CONSOLE_AUDIT_DAYS", environ, LONGEST_RETENTION),
        _choice("CONSOLE_LOG", environ, logs.KINDS),
        sandbox_url,
        sandbox_token,
        timedelta(minutes=_number("CONSOLE_FLOW_MINUTES", environ, LONGEST_FLOW) or 60),
    )


def _policy(environ: Mapping[str, str], home: Path, public_url: str, sign_in: str, sandbox_url: str) -> Policy:
    """Return the limits of requests. Whoever signs in is not trusted with the operator's network."""
    hosts, insecure = environ.get("CONSOLE_ALLOWED_HOSTS") or "", environ.get("CONSOLE_ALLOW_INSECURE_TLS") or "0"
    if sign_in != "off":
        hosts = hosts or egress.EVERY_NAME
    if insecure not in ("0", "1"):
        raise SettingError(f"CONSOLE_ALLOW_INSECURE_TLS is {insecure!r}; it must be 1, 0 or unset.")
    try:
        allowlist = egress.parse_allowlist(hosts) if hosts else Allowlist(published=bool(public_url))
    except ValueError as error:
        raise SettingError(f"CONSOLE_ALLOWED_HOSTS {error}.") from error
    if sign_in != "off":
        own = egress.own_addresses(*_host_and_port(public_url), _port(environ))
        allowlist = replace(allowlist, own=own)
    if sandbox_url:
        allowlist = replace(allowlist, own=(*allowlist.own, egress.own_address(*_host_and_port(sandbox_url))))
    return Policy(
        allowlist, insecure == "1", Path(environ.get("CONSOLE_CERTIFICATES") or home / "certificates").absolute()
    )


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _sandbox(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the address of a shared sandbox without a trailing slash, and its token."""
    url, token = (environ.get(f"CONSOLE_SANDBOX_{name}", "").strip() for name in ("URL", "TOKEN"))
    if not url:
        return "", ""
    try:
        parts = urlsplit(url)
        is_url = bool(parts.hostname) and parts.port != 0 and parts.scheme in ("https", "http")
    except ValueError:
        is_url = False
    if not is_url or parts.query or parts.fragment or parts.username is not None:
        raise SettingError(
            f"CONSOLE_SANDBOX_URL is {url!r}; it must begin with https:// or http:// and name a host, "
            "and have no user, query or fragment."
        )
    if not token:
        raise SettingError(
            "CONSOLE_SANDBOX_URL needs CONSOLE_SANDBOX_TOKEN: the --control-token that the sandbox was started with."
        )
    return url.rstrip("/"), token


def _public_url(text: str) -> str:
    """Return the URL without a trailing slash. A callback carries a code, so beyond this machine it needs TLS."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for an invalid port
    except ValueError as error:
        raise SettingError(f"CONSOLE_PUBLIC_URL is {text!r}, which is not a valid URL: {error}.") from error
    local = is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise SettingError(f"CONSOLE_PUBLIC_URL is {text!r}; it must begin with https:// and name a host.")
    if parts.query or parts.fragment or parts.username is not None:
        raise SettingError(
            f"CONSOLE_PUBLIC_URL must not have a user, query or fragment; write https://{parts.hostname}, for example."
        )
    return text.rstrip("/")


def _number(name: str, environ: Mapping[str, str], most: int) -> int | None:
    """Return a whole number from 1 to ``most``, ``None`` where it is not set."""
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= most:
        raise SettingError(f"{name} is {text!r}; it must be a number from 1 to {most}, or unset.")
    return int(text)


def _port(environ: Mapping[str, str]) -> int:
    return _number("CONSOLE_PORT", environ, 65535) or 8501


def _choice(name: str, environ: Mapping[str, str], values: Sequence[str]) -> str:
    """Return one of the values, the first where none is set."""
    text = environ.get(name, "").strip() or values[0]
    if text not in values:
        raise SettingError(f"{name} is {text!r}; it must be one of {', '.join(values)}.")
    return text


def _key_file(path: Path) -> bytes:
    """Read the key, or generate it. Two consoles starting at once agree: only one of them can link its file."""
    if not path.exists():
        draft = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_hex(32).encode())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another console was first; its key counts
        finally:
            draft.unlink()
    return path.read_bytes().strip()
