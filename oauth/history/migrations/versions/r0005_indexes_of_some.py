"""Indexes of case and error without the rows that have none: a quarter less to write for a row."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make both again."""
    for name in ("case", "error"):
        op.drop_index(f"exchanges_by_{name}", "exchanges")
        some = sa.text(f"\"{name}\" != ''")
        op.create_index(
            f"exchanges_by_{name}", "exchanges", [name, "started_at", "id"], sqlite_where=some, postgresql_where=some
        )
