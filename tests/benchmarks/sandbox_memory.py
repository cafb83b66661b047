"""Memory of a sandbox after a million tokens, in a process of its own, so that nothing else is counted."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from oauth_sandbox.clock import utc_now
from oauth_sandbox.provider import Sandbox
from oauth_sandbox.store import Kind

ROOT = Path(__file__).parents[2]
TOKENS = 1_000_000


def measured() -> dict[str, Any]:
    """What ``_measure`` says, from another process."""
    program = "from tests.benchmarks.sandbox_memory import _measure; _measure()"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _measure() -> None:
    sandbox = Sandbox(utc_now)
    scope = ("read", "write", "v2")
    before = _peak()
    for _ in range(TOKENS):
        sandbox.issue_tokens("machine-app", scope, user_id=None)
    after = _peak()
    held = len(sandbox.issued(Kind.ACCESS_TOKEN, TOKENS))
    sandbox.clock.move(sandbox.lifetimes.access_token)
    sandbox.issue_tokens("machine-app", scope, user_id=None)
    print(
        json.dumps(
            {
                "issued": TOKENS,
                "before_mib": before,
                "after_mib": after,
                "held": held,
                "held_when_expired": len(sandbox.issued(Kind.ACCESS_TOKEN, TOKENS)),
            }
        )
    )


def _peak() -> float:
    """The most that this process ever had, in MiB; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
