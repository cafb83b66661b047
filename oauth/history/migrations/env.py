"""The environment of Alembic: runs the migrations on the connection that was passed in."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, delete, insert, inspect

from oauth.history.migrations import READABLE_BY
from oauth.history.schema import installation, metadata


def _note_readers(*_: Any, **event: Any) -> None:
    """Store the oldest revision that may use the database, in the transaction of each migration."""
    connection: Connection = event["ctx"].connection
    if not inspect(connection).has_table(installation.name):
        return
    script = event["step"].up_revision
    while getattr(script.module, "only_adds", False):
        script = context.script.get_revision(script.down_revision)
    connection.execute(delete(installation).where(installation.c.name == READABLE_BY))
    connection.execute(insert(installation).values(name=READABLE_BY, value=script.revision))


_connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=_connection,
    target_metadata=metadata,
    transaction_per_migration=True,
    on_version_apply=_note_readers,
    concurrently=_connection.dialect.name == "postgresql" and not _connection.in_transaction(),
)
with context.begin_transaction():
    context.run_migrations()
