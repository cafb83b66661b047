"""An index of the catalogue's entries, which are a filter: only rows with an error are in it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the index."""
    some = sa.text("\"entry\" != ''")
    op.create_index(
        "exchanges_by_entry", "exchanges", ["entry", "started_at", "id"], sqlite_where=some, postgresql_where=some
    )
