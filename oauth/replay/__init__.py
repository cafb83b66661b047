"""Replay of a pasted request at the sandbox, where the same fault has to give the same error."""

from oauth.replay.engine import CASE, Replay, replay

__all__ = ["CASE", "Replay", "replay"]
