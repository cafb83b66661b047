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
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("browser", "flow", "provider", "client", "console")),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary()),
    )
    for column in ("expires_at", "browser", "flow"):
        op.create_index(f"kept_flows_by_{column}", "kept_flows", [column])
