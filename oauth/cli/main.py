"""Parse the command line and run one command.

Exit status: 0 when it was done, 2 with one line on standard error when it could not be. The modules of a command are
loaded by that command only: an explanation has no use for a server, an export none for the readers of a paste.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from oauth.cli import diagnose, explain
from oauth.cli.output import CommandError
from oauth.version import version


def main(arguments: Sequence[str] | None = None, program: str = "python -m oauth") -> int:
    """Run one command and return the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parsed = _parser(arguments, program).parse_args(arguments)
    try:
        if parsed.command == "serve":
            from oauth.cli import serve

            return serve.run()
        if parsed.command == "sandbox":
            from oauth.sandbox import command as sandbox_command

            return sandbox_command.run(parsed)
        if parsed.command == "history":
            from oauth.cli import history

            return history.run(parsed)
        if parsed.command == "explain":
            return explain.run(parsed)
        return diagnose.run(parsed)
    except CommandError as error:
        print(f"{program} {parsed.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader, such as head, has left. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser(arguments: Sequence[str], program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="OAuth Console on the command line.")
    parser.add_argument("--version", action="version", version=f"OAuth Console {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", help="start the console; CONSOLE_PORT is its port (default: 8501)")
    sandbox = commands.add_parser("sandbox", help="serve the embedded provider alone")
    if "sandbox" in arguments[:1]:
        from oauth.sandbox import command as sandbox_command

        sandbox_command.add_arguments(sandbox)
    _add_history(commands.add_parser("history", help="write the history to a file"))
    explain.add_arguments(commands.add_parser("explain", help="say what an error means and what to do"))
    diagnose.add_arguments(
        commands.add_parser("diagnose", help="name the errors in pasted text, and their causes, as JSON")
    )
    return parser


def _add_history(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    export = actions.add_parser("export", help="write what a filter shows to a file or to standard output")
    export.add_argument("--format", choices=("csv", "jsonl", "har"), default="csv", help="default: csv")
    export.add_argument("--filter", default="", metavar="LINE", help="as in the page, such as 'status:4xx since:2h'")
    imported = actions.add_parser("import", help="keep the exchanges of a HAR or of an export, redacted")
    imported.add_argument("file", metavar="FILE", help="a HAR, or a CSV, JSON Lines or HAR that a console exported")
    imported.add_argument("--owner", help="whose they are; default: as the file says")
    imported.add_argument("--case", default="", help="the case of all of them; default: as the file says")
    export.add_argument("--output", metavar="FILE", help="a file for its owner only, which appears when it is whole")
