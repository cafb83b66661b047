"""An index of the catalogue's entries, which are a filter: only rows with an error are in it."""

from oauth.history.migrations.beside_traffic import create_index

revision = "0009"
down_revision = "0008"
only_adds = True


def upgrade() -> None:
    """Make the index."""
    create_index("exchanges_by_entry", ["entry", "started_at", "id"], "\"entry\" != ''")
