"""Every reader of foreign text takes a time that grows with the text, and not with its square."""

import pytest

from tests.hostile import check
from tests.hostile.entry_points import ENTRY_POINTS, EntryPoint
from tests.hostile.shapes import SHAPES


@pytest.mark.parametrize("entry", [pytest.param(entry, id=entry.name) for entry in ENTRY_POINTS])
def test_reading_is_linear_and_within_budget(entry: EntryPoint) -> None:
    entry.call("")
    assert [breach.text for name, shape in SHAPES.items() for breach in check.quick_breaches(entry, name, shape)] == []
