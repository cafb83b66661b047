"""Indexes of case and error without the rows that have none: a quarter less to write for a row."""

from oauth.history.migrations.beside_traffic import create_index

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make both again."""
    for name in ("case", "error"):
        create_index(f"exchanges_by_{name}", [name, "started_at", "id"], f"\"{name}\" != ''")
