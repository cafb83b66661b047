"""Values become types of ours in several threads at once: two people open a page of a console that has just started."""

import subprocess
import sys

FIRST_CONVERSIONS = """
import sys
from threading import Barrier, Thread

import msgspec
from oauth.conversion import convert

sys.setswitchinterval(1e-6)
for number in range(300):
    parts = [msgspec.defstruct(f"Part{number}_{n}", [("text", str), ("count", int, 0)]) for n in range(8)]
    kind = msgspec.defstruct(f"Whole{number}", [(f"part{n}", part) for n, part in enumerate(parts)])
    value = {f"part{n}": {"text": "a"} for n in range(8)}
    together = Barrier(4)

    def first() -> None:
        together.wait()
        convert(value, kind)

    threads = [Thread(target=first) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_first_conversions_to_a_type_may_happen_at_once() -> None:
    assert subprocess.run([sys.executable, "-c", FIRST_CONVERSIONS], check=False).returncode == 0
