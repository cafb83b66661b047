"""Score the console on the corpus: ``python -m tests.corpus [--kinds | --heldout] [NAME]``.

Prints a line for each text: right, half, wrong or leaked, and why; then the totals. With NAME, or a part of it, prints
the texts with that name, and the errors that the console sees in them.
"""

import argparse
import json
from collections import Counter

from tests.corpus.cases import corpus, heldout, kinds
from tests.corpus.scorer import Score, score


def main() -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser("python -m tests.corpus", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="a part of the names of the texts to show")
    parser.add_argument("--kinds", action="store_true", help="the smallest text of each kind instead")
    parser.add_argument("--heldout", action="store_true", help="the texts gathered after the readers were made instead")
    parser.add_argument("--wrong", action="store_true", help="only those that are not right")
    options = parser.parse_args()
    grades: Counter[str] = Counter()
    never: Counter[str] = Counter()
    for case in kinds() if options.kinds else heldout() if options.heldout else corpus():
        if options.name not in case.name:
            continue
        result = score(case)
        grades[result.grade] += 1
        never.update(fault.kind for fault in result.faults if fault.kind)
        if not options.wrong or result.faults:
            print(f"{result.grade:7} {case.name}: {result.reasons}".rstrip(": "), flush=True)
        if options.name:
            _show(result)
    total = grades.total() or 1
    share = ", ".join(f"{grades[grade]} {grade}" for grade in ("right", "half", "wrong", "leaked"))
    print(f"{grades.total()} texts: {share}; {grades['right'] / total:.1%} right.")
    print(f"{never['leak']} leaks, {never['number']} false numbers, {never['proof']} false proofs.")
    return 0


def _show(result: Score) -> None:
    print(result.case.text.rstrip())
    print(f"--- expected: {result.case.errors}")
    print(f"--- note: {result.case.note}")
    for entry in result.entries:
        members = ("documented", "status", "error", "error_description", "title")
        print(json.dumps({member: entry[member] for member in members}))
        print("   ", "; ".join(f"{cause['id']} {cause['verdict']}" for cause in entry["causes"]))


if __name__ == "__main__":
    raise SystemExit(main())
