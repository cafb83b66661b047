"""Migrations of the schema, run by Alembic without a configuration file.

While consoles of two versions share a database, the older one works on the schema of the newer, if all that was
migrated in between only adds: such a revision has ``only_adds = True``. The database has the oldest revision that may
use it, in ``installation``.

Alembic is imported late: it takes as long as a third of the server's start, and most starts have nothing to migrate.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text

from oauth.history.schema import installation

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0015"
"""The newest revision."""

FOLDER = Path(__file__).parent

READABLE_BY = "readable_by"
"""The row of ``installation`` with the oldest revision that may use the database."""


class NewerSchemaError(Exception):
    """The database has a revision that this version does not know."""


def revision_of(connection: Connection) -> str:
    """Return the database's revision, empty when it has none of the tables."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def is_usable(connection: Connection) -> bool:
    """Return whether the database has the newest revision, or a newer one that only adds to it."""
    revision = revision_of(connection)
    if revision <= HEAD or not inspect(connection).has_table(installation.name):
        return revision == HEAD
    oldest = connection.scalar(select(installation.c.value).where(installation.c.name == READABLE_BY))
    return oldest is not None and oldest <= HEAD


def revisions() -> list[str]:
    """Return the names of all revisions, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(FOLDER))
    return [script_revision.revision for script_revision in script.walk_revisions()][::-1]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database to ``revision``, inside the connection's transaction. Raises ``NewerSchemaError``.

    Without a transaction, each revision is committed, and PostgreSQL makes indexes while the tables are written to.
    """
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise NewerSchemaError(str(error)) from error


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
