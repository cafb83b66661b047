"""Durations for people."""

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def duration(milliseconds: int) -> str:
    """Format a measured time: ``84 ms``, ``2.31 s``, ``1 min 5 s``."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    return f"{milliseconds / 1000:.2f} s" if milliseconds < 60_000 else span(milliseconds / 1000)


def span(seconds: float) -> str:
    """Format a time in its largest unit and the next, rounded down: ``14 min 12 s``, ``2 h``, ``29 d 23 h``."""
    remaining = max(0, int(seconds))
    first = next((index for index, (_, size) in enumerate(_UNITS) if remaining >= size), len(_UNITS) - 1)
    parts: list[str] = []
    for unit, size in _UNITS[first : first + 2]:
        amount, remaining = divmod(remaining, size)
        if amount or not parts:
            parts.append(f"{amount} {unit}")
    return " ".join(parts)
