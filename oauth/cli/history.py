"""``python -m oauth history``: export the history to a file, import files into it, and recognise its errors again."""

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from oauth.access.audit import COMMAND_LINE, Event
from oauth.cli.output import CommandError, echo, octets
from oauth.exports import arrow_reader, formats
from oauth.exports.layout import COLUMNS, DEFAULT_ZONE, Layout
from oauth.exports.query import Source, source
from oauth.history.filters import FilterError, Filters
from oauth.history.store import History, HistoryError
from oauth.installation import Installation, current, now
from oauth.own_files import replacing
from oauth.settings import SettingError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    export = actions.add_parser("export", help="write the matching exchanges to a file or to standard output")
    export.add_argument("--format", choices=tuple(formats.FORMATS), default="csv", help="default: csv")
    export.add_argument(
        "--filter", default="", metavar="LINE", help="as on the History page, such as 'status:4xx since:2h'"
    )
    export.add_argument(
        "--columns", default="", metavar="NAMES", help=f"of CSV and JSON Lines, with commas: {','.join(COLUMNS)}"
    )
    export.add_argument(
        "--time-zone", default=DEFAULT_ZONE, metavar="ZONE", help="of the times in CSV and JSON Lines; default: UTC"
    )
    imported = actions.add_parser("import", help="store the exchanges of a HAR or of an export, redacted")
    imported.add_argument("file", metavar="FILE", help="a HAR, or a CSV, JSON Lines or HAR that a console exported")
    imported.add_argument("--owner", help="owner of all exchanges; default: as in the file")
    imported.add_argument("--case", default="", help="case of all exchanges; default: as in the file")
    again = actions.add_parser("recognise", help="recognise the errors again, after a catalogue was written or changed")
    again.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    actions.add_parser("accept-key", help="go on with this CONSOLE_KEY, after the one that the history had is lost")
    export.add_argument("--output", metavar="FILE", help="a file readable by its owner only; it appears when complete")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return the exit status. Raises ``CommandError``, and ``BrokenPipeError``."""
    try:
        actions = {"export": _export, "import": _import, "recognise": _recognise, "accept-key": _accept_key}
        return actions[arguments.action](current(), arguments)
    except (SettingError, HistoryError, FilterError) as error:
        raise CommandError(str(error)) from error


def _export(installation: Installation, arguments: argparse.Namespace) -> int:
    filters = Filters.parse(arguments.filter).resolved(now(), UTC)
    audit = installation.audit()
    if audit.is_on:
        detail = f"{installation.history.count(filters):,} exchanges, {arguments.format}"
        audit.record(COMMAND_LINE, Event.EXPORT, filters.line, detail=detail)
    _open_and_leave(installation.history)
    exported = source(installation.history, filters)
    total = arrow_reader.count(exported) if sys.stderr.isatty() else 0
    layout = _layout(arguments.columns, arguments.time_zone)

    def show_progress(rows: int, size: int) -> None:
        _show_progress(f"{rows:,} of {total:,} exchanges, {octets(size)}")

    if arguments.output is None:
        with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
            formats.write(exported, arguments.format, output, show_progress, layout)
    else:
        _write_file(exported, arguments.format, Path(arguments.output), show_progress, layout)
    _end_progress()
    return 0


def _layout(names: str, zone: str) -> Layout:
    """Return the layout of the arguments. Raises ``CommandError`` for an unknown column or time zone."""
    columns = [name.strip() for name in names.split(",") if name.strip()]
    layout = Layout.of(columns, zone)
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise CommandError(f"--columns has {unknown[0]!r}, which is not a column. Columns: {', '.join(COLUMNS)}.")
    if layout.zone != zone:
        raise CommandError(f"--time-zone is {zone!r}, which is not a time zone, such as Europe/Warsaw.")
    return layout


def _import(installation: Installation, arguments: argparse.Namespace) -> int:
    """Import a file; status 1 means that some of it could not be read."""
    from oauth import imports  # loads much that an export does not need

    installation.audit().record(COMMAND_LINE, Event.IMPORT, Path(arguments.file).name)
    try:
        with Path(arguments.file).open("rb") as file:
            report = imports.import_file(
                file,
                installation.history,
                installation.vault,
                now(),
                owner=arguments.owner,
                case=arguments.case,
                progress=_show_progress,
            )
    except imports.ImportFileError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"Cannot read {arguments.file!r}: {error.strerror}.") from error
    finally:
        _end_progress()
    for problem in report.problems:
        print(problem, file=sys.stderr)
    duplicates = f" Already there: {report.duplicates:,}." if report.duplicates else ""
    print(f"Exchanges imported: {report.count:,}.{duplicates} Problems: {len(report.problems):,}.")
    return 1 if report.problems else 0


def _recognise(installation: Installation, arguments: argparse.Namespace) -> int:
    """Recognise the kept exchanges again; status 130 means that it was interrupted."""
    from oauth.history.recognise_again import Progress, recognise_again  # an export does without the catalogue

    total = installation.history.count(Filters()) if sys.stderr.isatty() else 0
    if not arguments.dry_run:
        installation.audit().record(COMMAND_LINE, Event.CATALOGUE, "exchanges", detail="errors recognised again")
    progress, status = Progress(), 0
    try:
        for progress in recognise_again(installation.history, is_trial=arguments.dry_run):
            changed = progress.changed.total()
            _show_progress(f"{progress.read:,} of {total:,} exchanges read, {changed:,} changed")
    except KeyboardInterrupt:
        status = 130
    finally:
        _end_progress()
        for (old, new), number in progress.changed.most_common():
            echo(f"{number:>9,}  {old or 'no error'} → {new or 'no error'}")
    verb = "would change" if arguments.dry_run else "changed"
    echo(f"Exchanges read: {progress.read:,}, {verb}: {progress.changed.total():,}.")
    if status:
        print("Interrupted. Run it again to go on.", file=sys.stderr)
    return status


def _accept_key(installation: Installation, _arguments: argparse.Namespace) -> int:
    installation.history.database.accept_key()
    installation.audit().record(COMMAND_LINE, Event.KEY, "key", detail="the key of this command was accepted")
    echo("The history is used with this key from now on. Restart the consoles that have another one.")
    return 0


def _show_progress(text: str) -> None:
    """Replace the progress line, if standard error is a terminal."""
    if sys.stderr.isatty():
        print(f"\r{text}", end="", file=sys.stderr, flush=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _open_and_leave(history: History) -> None:
    """Migrate the database, then close it: only ADBC may have it open in this process."""
    with history.database.reading():
        pass
    history.database.engine.dispose()


def _write_file(source: Source, format: str, path: Path, progress: Callable[[int, int], None], layout: Layout) -> None:
    try:
        with replacing(path) as draft, draft.open("wb") as output:
            formats.write(source, format, output, progress, layout)
    except OSError as error:
        raise CommandError(f"Cannot write {path}: {error.strerror}. Nothing was left there.") from error
