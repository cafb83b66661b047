"""Marks, the processes that wait for responses, and indexes by provider and of what has a note."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what is new."""
    for name in ("marks", "console"):
        op.add_column("exchanges", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "consoles",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("seen_at", sa.Text(), nullable=False),
    )
    op.create_index("exchanges_by_provider", "exchanges", ["provider", "started_at", "id"])
    noted = sa.text("note <> ''")
    op.create_index(
        "exchanges_with_note", "exchanges", ["started_at", "id"], sqlite_where=noted, postgresql_where=noted
    )
