"""Look for texts that freeze a reader: ``python -m tests.hostile --long [--minutes 60] [--seed N] [--only NAME]``.

Without ``--long`` every shape is tried once at every entry point, at 64, 128 and 256 KiB. With it, units of random
pieces are repeated and mixed until the time is over: short texts first, and long ones where the time of short ones
grows. It prints what it tried, and each breach with the number that repeats it (``--seed N --first NUMBER``). The
exit status is 1 after a breach.
"""

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator

from tests.hostile import check
from tests.hostile.entry_points import ENTRY_POINTS, EntryPoint
from tests.hostile.shapes import SHAPES, Shape, repeated

_WORDS = r"""
    a=b& ?code=x error= state= https:// http://h/ /callback access_token "access_token":" \" \\ \n \u0041 %25 %
    + ; , : . .. = => -> --> <-- < > </a> <a> <!-- --> /* */ // # ' " ` “ ‘ ( ) [ ] { } {"a": {'a': map[a:
    array( array(1){ Array( ["a"]=> string(5) curl curl.exe -H -d -F --data @ $' $( ${ ^ ^" `" POST GET HTTP/1.1
    200 400 => Bearer Basic eyJhbGci _ - 1 12 999 null true None ... … truncated Cookie: Set-Cookie:
    Content-Type: 0000: 2026-11-28T12:00:00Z <ref fetch(" PS> $a= u@h$ | || && >> 2>&1 Object) () <html> <title>
    <error> &amp; &#x41; &lt; ;; a.b. [[a]] a=1 a="1" Zm9v Zm9v= == é 😀 к «code «code #9f2a41d07b 40ch»
    -----BEGIN --boundary realm="a", error="b" Missing parameter: status: code
"""
_SPACES = (" ", "\n", "\r\n", "\t", "\r", "\ud83d", "\x00", "\u2028", "\n\n", "\n ", ": ", ", ", "= ", "\n--> ", "\n< ")

PIECES = (*_WORDS.split(), *_SPACES)
"""Pieces that the grammars of the readers know."""


Look = Callable[[EntryPoint, str, Shape], Iterator[check.Breach]]


def main() -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser("python -m tests.hostile", description=__doc__)
    parser.add_argument("--long", action="store_true", help="random texts instead of the shapes alone")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--first", type=int, default=0, help="number of the first random text")
    parser.add_argument("--only", default="", help="a part of the names of the entry points to try")
    options = parser.parse_args()
    entries = [entry for entry in ENTRY_POINTS if options.only in entry.name]
    for entry in entries:
        entry.call("")
    cases = _random(entries, options.seed, options.first) if options.long else _all(entries)
    until = time.monotonic() + options.minutes * 60 if options.long else None
    return _run(cases, check.quick_breaches if options.long else check.breaches, until, options.seed)


def _run(cases: "Iterator[tuple[str, EntryPoint, str, Shape]]", look: Look, until: float | None, seed: int) -> int:
    tried: Counter[str] = Counter()
    breaches, told = 0, time.monotonic()
    for number, entry, name, shape in cases:
        if until is not None and time.monotonic() > until:
            break
        try:
            found = list(look(entry, name, shape))
        except BaseException:
            print(f"Stopped in {number} ({entry.name}, {name}), seed {seed}", flush=True)
            raise
        for breach in found:
            breaches += 1
            print(f"BREACH {number}: {breach.text}", flush=True)
        tried[entry.name] += 1
        if time.monotonic() > told + 30:
            told = time.monotonic()
            print(
                f"{tried.total():,} texts at {len(tried)} entry points, {breaches} breaches; now {number}", flush=True
            )
    for point, count in sorted(tried.items()):
        print(f"{count:>8,}  {point}")
    print(f"Seed {seed}: {tried.total():,} texts at {len(tried)} entry points, {breaches} breaches.")
    return 1 if breaches else 0


def _all(entries: list[EntryPoint]) -> "Iterator[tuple[str, EntryPoint, str, Shape]]":
    for entry in entries:
        for name, shape in SHAPES.items():
            yield name, entry, name, shape


def _random(entries: list[EntryPoint], seed: int, first: int) -> "Iterator[tuple[str, EntryPoint, str, Shape]]":
    number = first
    while True:
        chance = random.Random(f"{seed}:{number}")
        entry = chance.choice(entries)
        name, shape = random_shape(chance)
        yield str(number), entry, name, shape
        number += 1


def random_shape(chance: random.Random) -> tuple[str, Shape]:
    """Return a random shape with its description."""
    before, unit, after = (_text(chance, most) for most in (3, 5, 2))
    unit = unit or "a"
    kind = chance.randrange(4)
    if kind == 0:
        before = after = ""
    if kind == 1:  # two runs, one after the other: where one pattern hands over to the next
        other = _text(chance, 3) or "b"
        return (
            f"{before!r} + {unit!r} … {other!r} … {after!r}",
            lambda size: repeated(unit, before)(size // 2) + repeated(other, "", after)(size // 2),
        )
    if kind == 2:  # a shape with pieces strewn in
        name = chance.choice(list(SHAPES))
        return f"{name} with {unit!r}", _strewn(SHAPES[name], unit, chance.randrange(1, 2000))
    return f"{before!r} {unit!r} … {after!r}", repeated(unit, before, after)


def _text(chance: random.Random, most: int) -> str:
    return "".join(chance.choice(PIECES) for _ in range(chance.randint(0, most)))


def _strewn(shape: Shape, piece: str, every: int) -> Shape:
    def strewn(size: int) -> str:
        text = shape(size * every // (every + len(piece.encode("utf-8", "surrogatepass"))))
        return piece.join(text[start : start + every] for start in range(0, len(text), every))

    return strewn


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        traceback.print_exc()
        sys.exit(2)
