from datetime import UTC, datetime, timedelta

import pytest

from oauth_sandbox.clock import Clock

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_moves_add_up_and_reset_ends_them() -> None:
    clock = Clock(lambda: START)
    clock.move(600)
    clock.move(-0.5)
    assert clock.now() == START + timedelta(seconds=599.5)
    assert clock.offset == timedelta(seconds=599.5)
    clock.reset()
    assert clock.now() == START


@pytest.mark.parametrize("seconds", [4e9, -4e9, 1e300, float("inf"), float("nan")])
def test_clock_stays_within_a_hundred_years(seconds: float) -> None:
    clock = Clock(lambda: START)
    with pytest.raises(ValueError, match="cannot be moved"):
        clock.move(seconds)
    assert clock.now() == START


def test_small_steps_stay_within_a_hundred_years() -> None:
    clock = Clock(lambda: START)
    clock.move(3e9)
    with pytest.raises(ValueError, match="100 years"):
        clock.move(3e9)
