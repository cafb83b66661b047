"""Tables that consoles with one database share: own profiles and catalogues, and the proof of one key."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
only_adds = True


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "own_files",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.Text(), nullable=False),
    )
    op.create_table(
        "installation",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
