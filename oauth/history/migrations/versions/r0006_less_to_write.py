"""Less to write for a row: the index of owners without the rows that have none, and no note of each new row.

A row that is new to SQLite's search index has a larger number than any row in it, so only changed ones are noted.
"""

from alembic import op

from oauth.history.migrations.beside_traffic import create_index

revision = "0006"
down_revision = "0005"

_SEARCHED = (
    "url",
    "request_headers",
    "request_body",
    "response_headers",
    "response_body",
    "error",
    "error_description",
    "failure_detail",
    "case",
    "client_id",
    "note",
)


def upgrade() -> None:
    """Make the index and the triggers again."""
    create_index("exchanges_by_owner", ["owner", "started_at", "id"], "owner != ''")
    if op.get_context().dialect.name == "sqlite":
        _note_changes_only()


def _note_changes_only() -> None:
    for name in ("inserted", "changed", "removed"):
        op.execute(f"DROP TRIGGER exchanges_{name}")
    names = ", ".join(f'"{name}"' for name in _SEARCHED)
    old = ", ".join(f'old."{name}"' for name in _SEARCHED)
    indexed = (
        "old.id <= (SELECT max(id) FROM exchanges_search_docsize) "
        "AND NOT EXISTS (SELECT 1 FROM exchanges_unindexed WHERE id = old.id)"
    )
    forget = f"INSERT INTO exchanges_search (exchanges_search, rowid, {names}) SELECT 'delete', old.id, {old}"
    op.execute(
        f"CREATE TRIGGER exchanges_changed AFTER UPDATE OF {names} ON exchanges WHEN {indexed} "  # noqa: S608
        f"BEGIN {forget}; INSERT INTO exchanges_unindexed (id) VALUES (old.id); END"
    )
    op.execute(
        "CREATE TRIGGER exchanges_removed AFTER DELETE ON exchanges "  # noqa: S608
        f"BEGIN {forget} WHERE {indexed}; DELETE FROM exchanges_unindexed WHERE id = old.id; END"
    )
