"""Table of the flows that survive a reload and a lost console, each encrypted with a key that only its browser has."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
only_adds = True


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "kept_flows",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
    )
    op.create_index("kept_flows_by_expires_at", "kept_flows", ["expires_at"])
