"""The steps ``register`` and ``page`` among those that the checks of what is written allow."""

import sqlalchemy as sa
from alembic import op

from oauth.history.migrations.beside_traffic import add_checks

revision = "0010"
down_revision = "0009"

_BEFORE = ("authorize", "callback", "token", "api", "refresh", "par", "device", "userinfo", "revoke", "introspect",
           "jwks", "discovery")  # fmt: skip
_STEPS = (*_BEFORE, "register", "page")


def upgrade() -> None:
    """Allow the steps. PostgreSQL's check leaves the rows until now alone, as before."""
    if op.get_context().dialect.name == "sqlite":
        for name in ("exchanges_checked_when_added", "exchanges_checked_when_rewritten"):
            made = sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
            statement = op.get_bind().execute(made, {"name": name}).scalar_one()
            op.execute(f"DROP TRIGGER {name}")
            op.execute(statement.replace(str(_BEFORE), str(_STEPS)))
        return
    last = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM exchanges")).scalar_one()
    add_checks({"exchanges_step_check": f"id <= {last} OR step IN {_STEPS}"})
