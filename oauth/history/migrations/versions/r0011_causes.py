"""The cause that was proven when an exchange was diagnosed, and the layout of exports of a saved view."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
only_adds = True


def upgrade() -> None:
    """Add the columns, empty. Neither statement reads the rows, so that a large history opens at once."""
    op.add_column("exchanges", sa.Column("cause", sa.Text(), nullable=False, server_default=""))
    op.add_column("views", sa.Column("layout", sa.Text(), nullable=False, server_default=""))
