"""Parse the command line and run one command.

Exit status: 0 on success, 2 with one line on standard error on failure; ``diagnose`` has more. The modules of a command
are loaded by that command only: ``explain`` does not need a server, nor ``history export`` the readers of pasted text.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from oauth.cli.output import CommandError
from oauth.version import version

COMMANDS = {
    "serve": "start the console; CONSOLE_PORT is its port (default: 8501)",
    "sandbox": "serve the embedded sandbox provider alone",
    "history": "export the history, import exchanges, or recognise its errors again",
    "migrate": "bring the database to the schema of this version",
    "backup": "write the whole database to a file",
    "restore": "fill the database from a backup",
    "check": "check the settings, the key and the database; status 1 if something is wrong",
    "token": "create, list and revoke the tokens of programs",
    "catalogue": "list, check and try out catalogues of documented errors",
    "explain": "explain an error and its remedy",
    "diagnose": "list the errors in pasted text and their causes, as JSON",
}
"""The commands, in the order of their help."""

_OF_DATABASE = "migrate", "backup", "restore"
_OF_CATALOGUES = "catalogue", "explain", "diagnose"


def main(arguments: Sequence[str] | None = None, program: str = "python -m oauth") -> int:
    """Run one command and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _parser(arguments, program)
    parsed = parser.parse_args(arguments)
    try:
        if parsed.command in _OF_CATALOGUES:
            _share_own_files()
        return int(_module(parsed.command).run(parsed))
    except CommandError as error:
        print(f"{parser.prog} {parsed.command}: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        # The reader, such as head, has exited. Python would fail once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _module(command: str) -> Any:
    if command == "sandbox":
        from oauth_sandbox import command as sandbox

        return sandbox
    return import_module(f"oauth.cli.{'database' if command in _OF_DATABASE else command}")


def _share_own_files() -> None:
    """Use the catalogues in a PostgreSQL database, if there is one."""
    if any(os.environ.get(name) for name in ("CONSOLE_DATABASE_URL", "CONSOLE_DATABASE_URL_FILE")):
        from oauth.installation import current
        from oauth.settings import SettingError

        try:
            current()
        except SettingError as error:
            raise CommandError(str(error)) from error


def _parser(arguments: Sequence[str], program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="OAuth Console on the command line.")
    parser.add_argument("--version", action="version", version=f"OAuth Console {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, meaning in COMMANDS.items():
        command = commands.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}.")
        if name in arguments[:1]:
            _module(name).add_arguments(command)
    return parser
