"""The command ``python -m oauth sandbox``: its options, and what they do."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from oauth.sandbox.clock import utc_now
from oauth.sandbox.configuration import Configuration, ConfigurationError, load
from oauth.sandbox.server import HOST, PORT, Certificate, ServeError, serve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.set_defaults(prog=parser.prog)
    parser.add_argument("--host", default=HOST, help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", default=PORT, type=_port, help="port to listen on, 0 for any (default: %(default)s)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML: clients, users, scopes, lifetimes")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate in PEM, with --tls-key")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key in PEM")
    parser.add_argument("--tls-self-made", action="store_true", help="TLS with a certificate made for this run")
    parser.add_argument(
        "--control-token", metavar="TOKEN", help="the control needs this bearer token, and is on beyond loopback too"
    )
    parser.add_argument(
        "--fault-header", action="store_true", help="the request header X-Sandbox-Fault provokes faults"
    )
    parser.add_argument(
        "--log", choices=("stdout", "stderr"), help="write a line of JSON for each request, without secrets"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal to stop. Exit status 2, with one line on standard error, when that cannot be."""
    try:
        with ExitStack() as cleanup:
            serve(
                arguments.host,
                arguments.port,
                configuration=_configuration(arguments.config),
                control_token=_token(arguments.control_token),
                fault_header=arguments.fault_header,
                tls=_certificate(arguments, cleanup),
                log={"stdout": sys.stdout, "stderr": sys.stderr, None: None}[arguments.log],
            )
    except (ConfigurationError, ServeError) as error:
        print(f"{arguments.prog}: {error}", file=sys.stderr)
        return 2
    return 0


def _configuration(path: Path | None) -> Configuration | None:
    return None if path is None else load(path)


def _token(token: str | None) -> str | None:
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ServeError("--control-token: give printable ASCII without a space, one character at least.")
    return token


def _certificate(arguments: argparse.Namespace, cleanup: ExitStack) -> Certificate | None:
    given = (arguments.tls_cert, arguments.tls_key)
    if arguments.tls_self_made:
        if any(given):
            raise ServeError("--tls-self-made goes without --tls-cert and --tls-key: leave either out.")
        # Nothing else needs it, and it takes long to load.
        from oauth.sandbox.certificate import make

        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="oauth-sandbox-"))
        certificate = make(Path(folder), arguments.host, utc_now())
        print(f"Certificate to trust: {certificate.certificate}", file=sys.stderr, flush=True)
        return certificate
    if any(given) and not all(given):
        raise ServeError("--tls-cert and --tls-key go together: give both.")
    return Certificate(*given) if all(given) else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a port is a number from 0 to 65535")
    return int(text)
