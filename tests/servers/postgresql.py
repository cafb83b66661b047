"""A PostgreSQL server for tests, in a temporary folder and on a free port."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from tests.servers.running import free_port

USER = "console"
NEEDED = ("initdb", "pg_ctl", "pg_dump", "postgres")


@dataclass
class Server:
    """A running server. ``folder`` has its data, ``programs`` is the folder of ``pg_ctl``."""

    folder: Path
    programs: Path
    port: int
    password: str = field(repr=False)
    durable: bool = False
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres", password: str | None = None, user: str = USER) -> str:
        """Return the URL of a database, as in CONSOLE_DATABASE_URL."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template0") -> str:
        """Create a database, a copy of ``template``, and return its name."""
        name = f"history_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement, outside of a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement)

    def dump(self, url: str) -> bytes:
        """Return the output of pg_dump for a database."""
        return subprocess.run([self.programs / "pg_dump", url], capture_output=True, check=True).stdout

    def stop(self) -> None:
        """Stop the server immediately, as a crash would."""
        self._control("stop", "--mode=immediate")

    def start(self) -> None:
        """Start the server on the same port."""
        settings = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} "
            "-c max_connections=40"
        )
        settings += "" if self.durable else " -c fsync=off -c full_page_writes=off"
        self._control("start", "-l", str(self.folder / "log"), "-o", settings)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all of the server's processes in the middle of what they do, and let them go on after the block."""
        main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = (Path("/proc") / str(main) / "task" / str(main) / "children").read_text().split()
        processes = [main, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def _control(self, action: str, *options: str) -> None:
        command = [str(self.programs / "pg_ctl"), action, "-w", "-D", str(self.folder / "data"), *options]
        _run(command, self.folder)


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, from the path or where Debian has them; ``None`` without any."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((folder for folder in folders if all((folder / name).exists() for name in NEEDED)), None)


@contextmanager
def running_server(programs: Path, *, durable: bool = False) -> Iterator[Server]:
    """Create a server with the programs in a folder; stop and remove it at the end of the block.

    A server that is not ``durable`` is faster, and may lose data when the machine crashes.
    """
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        if (user := _unprivileged()) is not None:
            shutil.chown(folder, user)
        server = Server(folder, programs, free_port(), secrets.token_hex(16), durable)
        secret = folder / "password"
        secret.write_text(server.password)
        data = ["-D", str(folder / "data"), "-U", USER, "--auth=scram-sha-256", f"--pwfile={secret}"]
        _run([str(programs / "initdb"), *data, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"], folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _run(command: list[str], folder: Path) -> None:
    # The output goes to a file: the server inherits it, and a pipe would stay open as long as it runs.
    with (folder / "output").open("w+") as output:
        process = subprocess.run(
            command, cwd=folder, user=_unprivileged(), stdout=output, stderr=subprocess.STDOUT, check=False
        )
        output.seek(0)
        assert process.returncode == 0, output.read()


def _unprivileged() -> str | None:
    """Return the user that runs the server: PostgreSQL refuses to run as root."""
    return None if os.geteuid() else "nobody"
