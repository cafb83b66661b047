"""The check that both forms of the hostile tests share: one entry point, one shape, growing sizes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.hostile.budget import BudgetExceeded, Cost, cost
from tests.hostile.entry_points import EntryPoint
from tests.hostile.shapes import Shape

KIB = 1024
SIZES = (64 * KIB, 128 * KIB, 256 * KIB)
SMALL = (4 * KIB, 16 * KIB)

MOST_GROWTH = 2.2
"""Growth of the time for an octet when the size is four times as large: a square has 4, a line 1."""

SECONDS = 40.0
"""Processor time that 1 MiB may take; a text shorter than 64 KiB may take that of 64 KiB."""

MEMORY = 200 * KIB * KIB
"""Octets by which the process may grow."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A text that took more than its budget, or raised; ``is_growth`` when the time grows faster than the text."""

    text: str
    is_growth: bool = False


def quick_breaches(entry: EntryPoint, name: str, shape: Shape) -> Iterator[Breach]:
    """Yield what is wrong with short texts; the long ones are tried only where the time of short ones grows."""
    for breach in breaches(entry, name, shape, SMALL, floor=0.006):
        if breach.is_growth:
            yield from breaches(entry, name, shape)
        else:
            yield breach


def breaches(
    entry: EntryPoint, name: str, shape: Shape, sizes: Sequence[int] = SIZES, floor: float = 0.1
) -> Iterator[Breach]:
    """Yield what is wrong with the time and the memory of an entry point for a shape, and what it raises.

    A time below ``floor`` seconds does not tell growth from noise: longer texts are not tried then.
    """
    first: tuple[int, float] | None = None
    for size in sizes:
        text = shape(min(size, entry.most))
        where = f"{entry.name}, {name}, {size // KIB} KiB"
        try:
            spent = _spent(entry, text, size, repeat=first is not None)
        except BudgetExceeded as error:
            yield Breach(f"{where}: {error}")
            return
        except Exception as error:  # noqa: BLE001 - each is reported
            yield Breach(f"{where}: {type(error).__name__} left the reader: {str(error)[:200]}")
            return
        if spent.octets > MEMORY:
            yield Breach(f"{where}: {spent.octets // KIB // KIB} MiB")
        if first is None:
            if spent.seconds < floor or size >= entry.most:
                return
            first = size, spent.seconds
        elif spent.seconds / size > MOST_GROWTH * first[1] / first[0]:
            yield Breach(f"{where}: {first[1]:.3f} s grew to {spent.seconds:.3f} s", is_growth=True)
            return


def _spent(entry: EntryPoint, text: str, size: int, *, repeat: bool) -> Cost:
    allowed = SECONDS * max(size, SIZES[0]) / (KIB * KIB)
    costs = [cost(lambda: entry.call(text), allowed) for _ in range(2 if repeat else 1)]
    return Cost(min(item.seconds for item in costs), max(item.octets for item in costs))
