"""The environment of Alembic: runs the migrations on the connection that was passed in."""

from alembic import context

from oauth.history.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
