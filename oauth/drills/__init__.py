"""Drills: scripts that produce an error on purpose and compare the result with the expected one."""

from oauth.drills.engine import CASE, Progress, Setting, needs_confirmation, preview, run, unavailable
from oauth.drills.outcome import Outcome
from oauth.drills.schema import Drill, DrillError, drills

__all__ = [
    "CASE",
    "Drill",
    "DrillError",
    "Outcome",
    "Progress",
    "Setting",
    "drills",
    "needs_confirmation",
    "preview",
    "run",
    "unavailable",
]
