"""Exports of a large history beside other programs that write the same rows, as ratios inside one run.

Run it with ``python -m tests.benchmarks.history_export ADDRESS [ADDRESS ...]``, from the checkout; an address is that
of a database which ``tests.benchmarks.history_data`` has filled. It needs ``sqlite3`` and ``psql`` on the path.

The CSV is made by ``python -m oauth history export``, from the start of the process to its end, with its remedy column
and neutral cells. The others write the same columns of the table, without those two, in the same order, newest
first: ``sqlite3 -csv``; ``psql --csv``, which holds the result in memory; ``COPY`` through psql; and pandas in a
process of its own. Every output is a file in one folder. Each is run in turn, several times, and the fastest counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, make_url

from oauth.exports.layout import COLUMNS
from tests.benchmarks.paste import har

ROOT = Path(__file__).parent.parent.parent
AIM_SHELL, AIM_PANDAS, AIM_MEMORY = 1.0, 5.0, 150
NAMES = ", ".join(f'"{name}"' for name in COLUMNS if name != "remedy")
QUERY = f"SELECT {NAMES} FROM exchanges ORDER BY started_at DESC, id DESC"
PANDAS = """
import sys
import pandas
from sqlalchemy import create_engine
pandas.read_sql(sys.argv[2], create_engine(sys.argv[1])).to_csv(sys.argv[3], index=False)
"""


@dataclass(frozen=True)
class Run:
    """One finished process: seconds on the clock and of the processor, and the most memory it had, in MiB."""

    seconds: float
    processor: float
    memory: float


def measured(command: list[str], output: Path | None, address: str) -> Run:
    """Run a command to its end; its standard output goes to a file."""
    environment = os.environ | {
        "CONSOLE_DATABASE_URL": address,
        "CONSOLE_HOME": str(Path(tempfile.gettempdir()) / "bench"),
    }
    with (output or Path(os.devnull)).open("wb") as file:
        before = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed with status {process.returncode}.")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def exporting(format: str, folder: Path) -> tuple[list[str], Path]:
    """The command and its file. With ``--output`` it would wait for the disk too, which none of the others does."""
    return [sys.executable, "-m", "oauth", "history", "export", "--format", format], folder / f"ours.{format}"


def compare(address: str, rounds: int, folder: Path) -> None:
    """Measure one database and print its part of the table."""
    url = make_url(address)
    sqlite = url.get_backend_name() == "sqlite"
    with create_engine(url).connect() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM exchanges").scalar_one()
    commands: dict[str, tuple[list[str], Path | None]] = {"ours, CSV": exporting("csv", folder)}
    if sqlite:
        commands["sqlite3 -csv"] = ["sqlite3", "-csv", str(url.database), QUERY], folder / "shell.csv"
    else:
        where = url.set(drivername="postgresql").render_as_string(hide_password=False)
        commands["psql COPY"] = ["psql", where, "-c", f"COPY ({QUERY}) TO STDOUT (FORMAT csv)"], folder / "copy.csv"
        commands["psql --csv"] = ["psql", where, "--csv", "-c", QUERY], folder / "shell.csv"
    commands["pandas"] = [sys.executable, "-c", PANDAS, address, QUERY, str(folder / "pandas.csv")], None
    print(f"\n{url.get_backend_name()}: {rows:,} exchanges", flush=True)
    print(f"{'':16}{'seconds':>9}{'processor':>11}{'MiB':>7}", flush=True)
    best: dict[str, Run] = {}
    for number in range(rounds):
        for name, (command, output) in commands.items():
            if number and name == "pandas":
                continue  # once is enough for a factor, and it takes long
            run = measured(command, output, address)
            print(f"{name:16}{run.seconds:9.2f}{run.processor:11.2f}{run.memory:7.0f}", flush=True)
            best[name] = min(best.get(name, run), run, key=lambda one: one.seconds)
    ours = best.pop("ours, CSV")
    for name, run in best.items():
        print(f"ours is {ours.seconds / run.seconds:.2f} of {name}, {ours.processor / run.processor:.2f} by processor")
    print(f"aims: {AIM_SHELL:g} or less of the shell, {1 / AIM_PANDAS:g} or less of pandas, {AIM_MEMORY} MiB or less")
    for format in ("jsonl", "har"):
        run = measured(*exporting(format, folder), address)
        print(f"{f'ours, {format}':16}{run.seconds:9.2f}{run.processor:11.2f}{run.memory:7.0f}", flush=True)


def imports(folder: Path) -> None:
    """Import a HAR of 10,000 entries into an empty history, beside ``json.loads`` of it."""
    file = folder / "browser.har"
    file.write_text(har(10_000), "utf-8")
    loads = "import json, pathlib, sys; json.loads(pathlib.Path(sys.argv[1]).read_bytes())"
    address = f"sqlite:///{folder / 'imported.db'}"
    loading = measured([sys.executable, "-c", loads, str(file)], None, address)
    run = measured([sys.executable, "-m", "oauth", "history", "import", str(file)], None, address)
    print(f"\nimport of a HAR of 10,000 entries: {run.seconds:.2f} s, {run.memory:.0f} MiB")
    print(f"json.loads of it: {loading.seconds:.2f} s; ratio {run.seconds / loading.seconds:.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.history_export", description=main.__doc__)
    parser.add_argument("addresses", nargs="+", help="of databases, such as sqlite:////folder/history.db")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for address in given.addresses:
            compare(address, given.rounds, Path(folder))
        imports(Path(folder))


if __name__ == "__main__":
    main()
