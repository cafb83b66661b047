"""The command ``oauth-sandbox``, which is also ``oauth-console sandbox``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from oauth_sandbox.behaviour import Preset
from oauth_sandbox.clients import InvalidRedirectUri, check_redirect_uri
from oauth_sandbox.clock import utc_now
from oauth_sandbox.configuration import Api, Configuration, ConfigurationError, load, ready_made
from oauth_sandbox.openid.settings import OpenId
from oauth_sandbox.server import HOST, PORT, Certificate, ServeError, serve
from oauth_sandbox.validation import InvalidInput, quoted, validated
from oauth_sandbox.version import version

ALL = "all"
"""The value of ``--provider`` for all APIs."""

TOKEN = "CONSOLE_SANDBOX_TOKEN"
"""The variable with the token, which the consoles that use this sandbox have too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.set_defaults(prog=parser.prog)
    parser.add_argument("--host", default=HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", default=PORT, type=_port, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument(
        "--provider",
        type=_one_of(*Api, ALL),
        choices=[*Api, ALL],
        default=Api.PARTNER,
        help="API to behave like; all: partner, and the others below /olxgroup and /generic (default: %(default)s)",
    )
    parser.add_argument(
        "--preset",
        type=_one_of(*Preset),
        choices=list(Preset),
        help="what to assume where the documentation is silent: usual, or strict, against the client",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML: clients, users, scopes, lifetimes")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate in PEM, with --tls-key")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key in PEM")
    parser.add_argument("--tls-self-made", action="store_true", help="TLS with a self-signed certificate for this run")
    parser.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="require this bearer token, and enable the control beyond loopback "
        f"(default: {TOKEN}, or what is in the file {TOKEN}_FILE)",
    )
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        metavar="URL",
        help="register it for every ready-made client, such as a console's /callback; may be repeated",
    )
    parser.add_argument(
        "--issuer",
        metavar="URL",
        help="address of the provider generic as clients see it, behind a proxy (default: the one that is called)",
    )
    parser.add_argument(
        "--snapshot",
        type=Path,
        metavar="FILE",
        help="begin with the state in this file, if there is one, and write it at the end, with its secrets",
    )
    parser.add_argument(
        "--fault-header", action="store_true", help="the request header X-Sandbox-Fault provokes faults"
    )
    parser.add_argument(
        "--log",
        type=_one_of("stdout", "stderr"),
        choices=("stdout", "stderr"),
        help="write one line of JSON per request, without secrets",
    )


def main() -> int:
    """Run ``oauth-sandbox`` and return the exit status."""
    parser = argparse.ArgumentParser(prog="oauth-sandbox", description="An OAuth 2.0 provider for tests.")
    parser.add_argument("--version", action="version", version=f"oauth-sandbox {version()}")
    add_arguments(parser)
    return run(parser.parse_args())


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal to stop; exit status 2, with one line on standard error, when serving fails."""
    # Closed by the caller (>&-); uvicorn's log and --log write to them.
    sys.stdout = sys.stdout or _discarding()
    sys.stderr = sys.stderr or _discarding()
    try:
        with ExitStack() as cleanup:
            serve(
                arguments.host,
                arguments.port,
                configuration=_configuration(arguments.config, arguments.provider, arguments.preset),
                with_others=arguments.provider == ALL,
                issuer=_issuer(arguments.issuer),
                redirect_uris=[_redirect_uri(uri) for uri in arguments.redirect_uri],
                snapshot=arguments.snapshot,
                control_token=_token(arguments.control_token),
                fault_header=arguments.fault_header,
                tls=_certificate(arguments, cleanup),
                log={"stdout": sys.stdout, "stderr": sys.stderr, None: None}[arguments.log],
            )
    except (ConfigurationError, ServeError) as error:
        print(f"{arguments.prog}: {error}", file=sys.stderr)
        return 2
    return 0


def _discarding() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _one_of(*values: str) -> Callable[[str], str]:
    """Return a check for argparse, whose own message about ``choices`` is in the terms of Python."""

    def check(text: str) -> str:
        for value in values:
            if value == text:
                return value
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not one of {', '.join(values)}")

    return check


def _configuration(path: Path | None, provider: str, preset: Preset | None) -> Configuration:
    api = Api.PARTNER if provider == ALL else Api(provider)
    return ready_made(api, preset or Preset.USUAL) if path is None else load(path, api, preset)


def _issuer(text: str | None) -> str:
    try:
        validated({"issuer": text or ""}, OpenId)
    except InvalidInput as error:
        raise ServeError(
            f"--issuer: {quoted(text or '')} is not an issuer such as https://id.example.com/generic. "
            "Give an http or https URL without user, query and fragment, and without a slash at its end."
        ) from error
    return text or ""


def _redirect_uri(text: str) -> str:
    try:
        check_redirect_uri(text)
    except InvalidRedirectUri as error:
        raise ServeError(f"--redirect-uri: {error}") from error
    return text


def _token(token: str | None) -> str | None:
    if token is None:
        token = os.environ.get(TOKEN) or None
    if token is None and (path := os.environ.get(f"{TOKEN}_FILE")):
        try:
            token = Path(path).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ServeError(f"{TOKEN}_FILE is {path}, which cannot be read: {reason}.") from error
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ServeError("--control-token: give at least one printable ASCII character, and no spaces.")
    return token


def _certificate(arguments: argparse.Namespace, cleanup: ExitStack) -> Certificate | None:
    files = (arguments.tls_cert, arguments.tls_key)
    if arguments.tls_self_made:
        if any(files):
            raise ServeError("--tls-self-made cannot be combined with --tls-cert and --tls-key: drop one of them.")
        # Slow to import, and nothing else needs it.
        from oauth_sandbox.certificate import make

        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="oauth-sandbox-"))
        certificate = make(Path(folder), arguments.host, utc_now())
        print(f"Certificate to trust: {certificate.certificate}", file=sys.stderr, flush=True)
        return certificate
    if any(files) and not all(files):
        raise ServeError("--tls-cert and --tls-key belong together: give both.")
    return Certificate(*files) if all(files) else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a port number from 0 to 65535")
    return int(text)
