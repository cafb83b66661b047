"""Indexes of status and documented error without the rows that have none: fewer to write when a row is begun."""

from oauth.history.migrations.beside_traffic import create_index

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make both again."""
    for name in ("status", "documented_error"):
        create_index(f"exchanges_by_{name}", [name, "started_at", "id"], f"{name} IS NOT NULL")
