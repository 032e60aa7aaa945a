"""Retry classes are data: how many tries, which delays."""

from __future__ import annotations

import pytest

from heliograph.dispatch import retry
from heliograph.dispatch.retry import delay_of


def delays(name: str, fast: bool, chance: float = 0.5) -> list[float]:
    """Every delay of a class until it gives up, without jitter at 0.5."""
    found: list[float] = []
    while (delay := delay_of(name, len(found) + 1, fast, lambda: chance)) is not None:
        found.append(round(delay, 3))
    return found


@pytest.mark.parametrize(
    ("name", "fast", "expected"),
    [
        ("soon", False, [1, 2, 4, 8]),
        ("late", False, [30, 60, 120, 240, 480, 960, 1920]),
        ("once", False, [60]),
        ("no", False, []),
        ("unknown", False, []),
        ("soon", True, [0.1, 0.2]),
        ("late", True, [0.1, 0.2]),
        ("once", True, [0.1, 0.2]),
        ("no", True, []),
    ],
)
def test_a_class_has_its_delays(name: str, fast: bool, expected: list[float]) -> None:
    assert delays(name, fast) == expected


@pytest.mark.parametrize("name", sorted(retry.CLASSES))
@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_jitter_is_a_fifth(name: str, chance: float, factor: float) -> None:
    assert delays(name, False, chance) == [round(delay * factor, 3) for delay in delays(name, False)]


def test_no_delay_is_longer_than_the_longest() -> None:
    assert retry.Backoff(50, 1.0, 60.0).delay(40, lambda: 0.5) == 60.0


def test_every_wait_of_the_sandbox_is_over_in_twenty_seconds() -> None:
    assert sum(delays("soon", True, 1.0)) + retry.SANDBOX_THROTTLES * retry.SANDBOX_THROTTLE_PAUSE < 20
