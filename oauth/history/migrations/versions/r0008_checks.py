"""Checks of what is written: times, steps, numbers and outcomes.

Rows that are there keep what they have, and can be read, labelled and deleted: an import of earlier versions may have
stored any value. SQLite adds a check to a table only by copying all of it, so there triggers hold the same conditions.
PostgreSQL's checks leave the rows with the ids until now alone, also when these change.
"""

import sqlalchemy as sa
from alembic import op

from oauth.history.migrations.beside_traffic import add_checks

revision = "0008"
down_revision = "0007"

_STEPS = ("authorize", "callback", "token", "api", "refresh", "par", "device", "userinfo", "revoke", "introspect",
          "jwks", "discovery")  # fmt: skip
_RANGES = {"status": 999, "duration_ms": 2**31 - 1, "documented_error": 2**31 - 1}
_COLUMNS = ("started_at", "step", "outcome", "response_cut", *_RANGES)
_DAY, _HOUR = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]", "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"


def upgrade() -> None:
    """Add the checks, for everything that is written from now on."""
    if op.get_context().dialect.name == "sqlite":
        _add_triggers()
        return
    last = op.get_bind().execute(sa.text("SELECT coalesce(max(id), 0) FROM exchanges")).scalar_one()
    conditions = {
        "started_at": f"started_at ~ '^{_DAY}T{_HOUR}[.][0-9]{{6}}Z$'",
        "step": f"step IN {_STEPS}",
        "outcome": "outcome ~ '^([0-9]xx|none|failed)$'",
        **{name: f"{name} BETWEEN 0 AND {most}" for name, most in _RANGES.items()},
    }
    add_checks({f"exchanges_{name}_check": f"id <= {last} OR {condition}" for name, condition in conditions.items()})


def _add_triggers() -> None:
    numbers = [
        f"(new.{name} IS NULL OR (typeof(new.{name}) = 'integer' AND new.{name} BETWEEN 0 AND {most}))"
        for name, most in _RANGES.items()
    ]
    conditions = [
        f"new.started_at GLOB '{_DAY}T{_HOUR}.[0-9][0-9][0-9][0-9][0-9][0-9]Z'",
        f"new.step IN {_STEPS}",
        "(new.outcome IN ('none', 'failed') OR new.outcome GLOB '[0-9]xx')",
        "new.response_cut IN (0, 1)",
        *numbers,
    ]
    for name, event in (("added", "INSERT"), ("rewritten", f"UPDATE OF {', '.join(_COLUMNS)}")):
        op.execute(
            f"CREATE TRIGGER exchanges_checked_when_{name} BEFORE {event} ON exchanges "
            f"WHEN NOT ({' AND '.join(conditions)}) "
            "BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: exchanges'); END"
        )
