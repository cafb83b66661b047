"""Drills: scripts that produce an error on purpose, with what has to come back and what came."""

from oauth.drills.engine import CASE, Progress, Setting, needs_confirmation, preview, run, unavailable
from oauth.drills.outcome import Outcome, expected
from oauth.drills.schema import Drill, DrillError, drills

__all__ = [
    "CASE",
    "Drill",
    "DrillError",
    "Outcome",
    "Progress",
    "Setting",
    "drills",
    "expected",
    "needs_confirmation",
    "preview",
    "run",
    "unavailable",
]
