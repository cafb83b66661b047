"""Removal of what is no longer needed, once a day."""

from datetime import datetime

from oauth.access import limits, sign_outs
from oauth.access.audit import Audit


def remove_old(audit: Audit, now: datetime) -> None:
    """Delete old rows of the audit, and forget ended sessions and rates that are past. Raises ``HistoryError``."""
    audit.delete_older(now)
    sign_outs.forget_past(audit.history.database, now)
    limits.forget_past(audit.history.database, now)
