"""Migrations of the schema, run by Alembic without a configuration file."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def is_current(connection: Connection) -> bool:
    """Return whether the database has the newest revision."""
    head = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def revisions() -> list[str]:
    """Return the names of all revisions, oldest first."""
    script = ScriptDirectory(str(Path(__file__).parent))
    return [script_revision.revision for script_revision in script.walk_revisions()][::-1]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database to ``revision``, inside the connection's transaction.

    Raises ``alembic.util.CommandError`` when the database has a revision that this version does not know.
    """
    command.upgrade(_config(connection), revision)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
