"""People, sessions that ended, the audit, tokens of programs and their rates.

Triggers keep the audit append only: a row is never changed, and deleted only when it is older than the days in
``audit_retention``, by the clock of the database. Who owns the tables of PostgreSQL can drop the triggers;
docs/operate.md says how to give them to another role.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
only_adds = True


def upgrade() -> None:
    """Make the tables and the triggers."""
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), primary_key=True),
        *_texts("name", "email", "role", "first_seen", "last_seen"),
    )
    op.create_table("ended_sessions", sa.Column("id", sa.Text(), primary_key=True), *_texts("until"))
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        *_texts("at", "person", "name", "role", "address", "event", "object", "detail"),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_at", "audit", ["at", "id"])
    for name in ("person", "event"):
        op.create_index(f"audit_by_{name}", "audit", [name, "at", "id"])
    op.create_table("audit_retention", sa.Column("days", sa.Integer(), primary_key=True, autoincrement=False))
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False, unique=True),
        *_texts("scopes", "created_by", "created_at", "expires_at"),
        sa.Column("used_at", sa.Text()),
    )
    op.create_table(
        "limits", sa.Column("id", sa.Text(), primary_key=True), sa.Column("until", sa.Float(), nullable=False)
    )
    if op.get_context().dialect.name == "sqlite":
        _add_triggers_of_sqlite()
    else:
        _add_triggers_of_postgresql()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _add_triggers_of_sqlite() -> None:
    limit = "strftime('%Y-%m-%dT%H:%M:%f', 'now', '-' || days || ' days')"
    for name, condition in {
        "changed BEFORE UPDATE ON audit": "TRUE",
        "deleted BEFORE DELETE ON audit": f"NOT EXISTS (SELECT 1 FROM audit_retention WHERE old.at < {limit})",  # noqa: S608
        # INSERT OR REPLACE deletes without the trigger of DELETE.
        "replaced BEFORE INSERT ON audit": "EXISTS (SELECT 1 FROM audit WHERE id = new.id)",
    }.items():
        op.execute(
            f"CREATE TRIGGER audit_is_not_{name} WHEN {condition} "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append only'); END"
        )


def _add_triggers_of_postgresql() -> None:
    # The schema is named: a temporary table of that name would be found first.
    op.execute(
        """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE kept integer;
        BEGIN
            IF TG_OP = 'DELETE' THEN
                EXECUTE format('SELECT days FROM %I.audit_retention', TG_TABLE_SCHEMA) INTO kept;
                IF OLD.at < to_char(
                    (now() AT TIME ZONE 'UTC') - kept * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
                ) THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'the audit is append only' USING ERRCODE = 'insufficient_privilege';
        END $$"""
    )
    op.execute(
        "CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_refuse()"
    )
    op.execute("CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit EXECUTE FUNCTION audit_refuse()")
