"""Parse the command line and run one command.

Exit status: 0 on success, 2 with one line on standard error on failure; ``diagnose`` has more. The modules of a command
are loaded by that command only: ``explain`` does not need a server, nor ``history export`` the readers of pasted text.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from oauth.cli import diagnose
from oauth.cli.output import CommandError
from oauth.version import version

DATABASE_COMMANDS = {
    "migrate": "bring the database to the schema of this version",
    "backup": "write the whole database to a file",
    "restore": "fill the database from a backup",
}


def main(arguments: Sequence[str] | None = None, program: str = "python -m oauth") -> int:
    """Run one command and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _parser(arguments, program)
    parsed = parser.parse_args(arguments)
    try:
        if parsed.command == "serve":
            from oauth.cli import serve

            return serve.run()
        if parsed.command == "sandbox":
            from oauth_sandbox import command as sandbox_command

            return sandbox_command.run(parsed)
        if parsed.command == "history":
            from oauth.cli import history

            return history.run(parsed)
        if parsed.command in DATABASE_COMMANDS:
            from oauth.cli import database

            return database.run(parsed)
        if parsed.command == "check":
            from oauth.cli import check

            return check.run()
        if parsed.command == "token":
            from oauth.cli import token

            return token.run(parsed)
        _share_own_files()
        if parsed.command == "catalogue":
            from oauth.cli import catalogue

            return catalogue.run(parsed)
        if parsed.command == "explain":
            from oauth.cli import explain

            return explain.run(parsed)
        return diagnose.run(parsed)
    except CommandError as error:
        print(f"{parser.prog} {parsed.command}: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        # The reader, such as head, has exited. Python would fail once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _share_own_files() -> None:
    """Have the catalogues of a PostgreSQL database used; a history in a file has nothing to do with them."""
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
    commands.add_parser("serve", help="start the console; CONSOLE_PORT is its port (default: 8501)")
    sandbox = commands.add_parser("sandbox", help="serve the embedded sandbox provider alone")
    if "sandbox" in arguments[:1]:
        from oauth_sandbox import command as sandbox_command

        sandbox_command.add_arguments(sandbox)
    history = commands.add_parser("history", help="export the history, import exchanges, or recognise its errors again")
    if "history" in arguments[:1]:
        from oauth.cli import history as history_command

        history_command.add_arguments(history)
    for name, meaning in DATABASE_COMMANDS.items():
        command = commands.add_parser(name, help=meaning, description=f"{meaning.capitalize()}.")
        if name != "migrate":
            command.add_argument("file", metavar="FILE")
        if name == "restore":
            command.add_argument("--replace", action="store_true", help="give up what is in the database")
    commands.add_parser("check", help="check the settings, the key and the database; status 1 if something is wrong")
    token = commands.add_parser("token", help="create, list and revoke the tokens of programs")
    if "token" in arguments[:1]:
        from oauth.cli import token as token_command

        token_command.add_arguments(token)
    catalogue = commands.add_parser("catalogue", help="list, check and try out catalogues of documented errors")
    if "catalogue" in arguments[:1]:
        from oauth.cli import catalogue as catalogue_command

        catalogue_command.add_arguments(catalogue)
    explain = commands.add_parser("explain", help="explain an error and its remedy")
    if "explain" in arguments[:1]:
        from oauth.cli import explain as explain_command

        explain_command.add_arguments(explain)
    diagnose.add_arguments(
        commands.add_parser(
            "diagnose",
            help="list the errors in pasted text and their causes, as JSON",
            description="List the errors in pasted text and their causes, as JSON.",
            epilog=diagnose.STATUSES,
        )
    )
    return parser
