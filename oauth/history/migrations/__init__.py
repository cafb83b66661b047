"""Migrations of the schema, run by Alembic without a configuration file.

Alembic is imported late: it takes as long as a third of the server's start, and most starts have nothing to migrate.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0014"
"""The newest revision."""


class NewerSchemaError(Exception):
    """The database has a revision that this version does not know."""


def is_current(connection: Connection) -> bool:
    """Return whether the database has the newest revision."""
    return inspect(connection).has_table("alembic_version") and (
        connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    )


def revisions() -> list[str]:
    """Return the names of all revisions, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(Path(__file__).parent))
    return [script_revision.revision for script_revision in script.walk_revisions()][::-1]


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database to ``revision``, inside the connection's transaction. Raises ``NewerSchemaError``."""
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(_config(connection), revision)
    except CommandError as error:
        raise NewerSchemaError(str(error)) from error


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
