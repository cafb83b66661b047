"""The sandbox's speed beside two other servers, and its memory: ``python -m tests.benchmarks.sandbox``.

Needs node, npm and the network the first time. The others are installed in ``--folder``, a temporary one if none is
given. Rounds are interleaved, and the median of each server counts, so that what else the machine does falls on all.
"""

import argparse
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import sandbox_memory, sandbox_servers
from tests.benchmarks.sandbox_load import tokens_per_second

CONNECTIONS = 4
OURS = "sandbox"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="client_credentials tokens a second, as ratios.")
    parser.add_argument("--seconds", type=float, default=4, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each server (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the other servers are, or will be, installed")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = arguments.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        speeds = _speeds(folder.resolve(), arguments.rounds, arguments.seconds, stack)
    _print_speeds(speeds)
    memory = sandbox_memory.measured()
    print(
        f"\nmemory: {memory['before_mib']:.0f} MiB before, {memory['after_mib']:.0f} MiB after {memory['issued']:,} "
        f"tokens, of which {memory['held']:,} are held; {memory['held_when_expired']:,} once they have expired "
        "and the next one was issued"
    )


def _speeds(folder: Path, rounds: int, seconds: float, stack: ExitStack) -> dict[str, float]:
    """The median of the rounds, in tokens a second."""
    urls = {
        OURS: stack.enter_context(sandbox_servers.sandbox()),
        "oidc-provider": stack.enter_context(sandbox_servers.oidc_provider(folder / "oidc-provider")),
        "django-oauth-toolkit": stack.enter_context(sandbox_servers.django_oauth_toolkit(folder / "django")),
    }
    for url in urls.values():
        tokens_per_second(url, CONNECTIONS, seconds / 2)
    measured: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(rounds):
        for name, url in urls.items():
            measured[name].append(tokens_per_second(url, CONNECTIONS, seconds))
    return {name: statistics.median(values) for name, values in measured.items()}


def _print_speeds(speeds: dict[str, float]) -> None:
    fastest = max(speed for name, speed in speeds.items() if name != OURS)
    print(f"client_credentials, one process, {CONNECTIONS} connections\n")
    print(f"{'server':<22} {'tokens/s':>10} {'to the fastest other':>22}")
    for name, speed in speeds.items():
        print(f"{name:<22} {speed:>10,.0f} {speed / fastest:>22.2f}")


if __name__ == "__main__":
    main()
