"""The commands ``migrate``, ``backup`` and ``restore``."""

import argparse
from pathlib import Path

from oauth.access.audit import COMMAND_LINE, Event
from oauth.cli.output import CommandError, echo, octets
from oauth.history import backup, migrations
from oauth.history.store import HistoryError
from oauth.installation import Installation, current
from oauth.settings import SettingError


class Interrupted(CommandError):
    """The person at the terminal ended the command."""

    status = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one of the commands, whose name ends that of the parser."""
    command = parser.prog.rpartition(" ")[2]
    if command != "migrate":
        parser.add_argument("file", metavar="FILE")
    if command == "restore":
        parser.add_argument("--replace", action="store_true", help="give up what is in the database")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status. Raises ``CommandError``."""
    try:
        action = {"migrate": _migrate, "backup": _backup, "restore": _restore}[arguments.command]
        action(current(), arguments)
    except (SettingError, HistoryError, backup.BackupError) as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt as interrupt:
        raise Interrupted("interrupted; nothing was left half done.") from interrupt
    return 0


def _migrate(installation: Installation, _arguments: argparse.Namespace) -> None:
    database = installation.history.database
    before = database.revision()
    database.prepare()
    for notice in database.notices:
        echo(notice)
    after = database.revision()
    if before == after:
        newer = "" if after == migrations.HEAD else f", newer than this version, which can use it ({migrations.HEAD})"
        echo(f"Nothing to do: the schema is {after}{newer}.")
    else:
        echo(
            f"The schema is {after} now; it was {before}."
            if before
            else f"The tables were made: the schema is {after}."
        )


def _backup(installation: Installation, arguments: argparse.Namespace) -> None:
    path = Path(arguments.file)
    database = installation.history.database
    if database.revision() == migrations.HEAD:  # an older one may have no audit yet
        installation.audit().record(COMMAND_LINE, Event.EXPORT, f"backup {path.name}")
    number = backup.back_up(database, path, installation.settings.key_proof)
    echo(f"Exchanges: {number:,}. Everything in the database is in {path} ({octets(path.stat().st_size)}).")


def _restore(installation: Installation, arguments: argparse.Namespace) -> None:
    path = Path(arguments.file)
    database, proof = installation.history.database, installation.settings.key_proof
    number, aside = backup.restore(database, path, proof, replace=arguments.replace)
    installation.audit().record(COMMAND_LINE, Event.IMPORT, f"backup {path.name}")
    echo(f"Exchanges: {number:,}. Everything in {path} is in the database.")
    if aside is not None:
        echo(f"The history that was there is in {aside}. Delete it when you do not need it.")
