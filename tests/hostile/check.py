"""The check that both forms of the hostile tests share: one entry point, one shape, growing sizes."""

from collections.abc import Iterator, Sequence

from tests.hostile.budget import BudgetExceeded, cost
from tests.hostile.entry_points import EntryPoint
from tests.hostile.shapes import Shape

KIB = 1024
SIZES = (64 * KIB, 128 * KIB, 256 * KIB)

FLOOR = 0.1
"""Seconds of processor time from which a measurement tells growth from noise; what takes less is not measured again."""

MOST_GROWTH = 2.2
"""Growth of the time for an octet when the size is four times as large: a square has 4, a line 1."""

SECONDS = 8.0
"""Processor time that 1 MiB may take; a text shorter than 64 KiB may take that of 64 KiB."""

MEMORY = 400 * KIB * KIB
"""Octets by which the process may grow."""


def problems(entry: EntryPoint, name: str, shape: Shape, sizes: Sequence[int] = SIZES) -> Iterator[str]:
    """Yield what is wrong with the time and the memory of an entry point for a shape, and what it raises."""
    first: tuple[int, float] | None = None
    for size in sizes:
        text = shape(min(size, entry.most))
        allowed = SECONDS * max(size, SIZES[0]) / (KIB * KIB)
        where = f"{entry.name}, {name}, {size // KIB} KiB"
        try:
            spent = min(_spent(entry, text, allowed) for _ in range(2 if first else 1))
        except BudgetExceeded as error:
            yield f"{where}: {error}"
            return
        except Exception as error:  # noqa: BLE001 - each is reported
            yield f"{where}: {type(error).__name__} left the reader: {str(error)[:200]}"
            return
        if spent[1] > MEMORY:
            yield f"{where}: {spent[1] // KIB // KIB} MiB"
        if first is None:
            if spent[0] < FLOOR or size >= entry.most:
                return
            first = size, spent[0]
        elif spent[0] / size > MOST_GROWTH * first[1] / first[0]:
            yield f"{where}: {first[1]:.2f} s grew to {spent[0]:.2f} s"
            return


def _spent(entry: EntryPoint, text: str, allowed: float) -> tuple[float, int]:
    spent = cost(lambda: entry.call(text), allowed)
    return spent.seconds, spent.octets
