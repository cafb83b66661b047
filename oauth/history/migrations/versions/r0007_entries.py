"""The catalogue's entry that was recognised in each exchange, and how far old rows have been filled.

Neither statement reads the rows, so that a large history opens at once; ``upkeep`` fills them in the background.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column, empty, and note that every row is still to be filled."""
    op.add_column("exchanges", sa.Column("entry", sa.Text()))
    backfills = op.create_table(
        "backfills",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("below", sa.BigInteger(), nullable=False),
    )
    last = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM exchanges")).scalar_one()
    op.bulk_insert(backfills, [{"name": "entry", "below": last + 1}])
