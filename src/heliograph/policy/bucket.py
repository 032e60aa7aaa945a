"""A token bucket as a value: it holds one second of its rate. Pure, whole numbers, time in milliseconds.

Tokens are counted in thousandths: a rate of n a second is n thousandths a millisecond, so nothing is rounded.
"""

from __future__ import annotations

from typing import NamedTuple

THOUSAND = 1_000


class Level(NamedTuple):
    """How full a bucket was at a moment, in thousandths of a token."""

    thousandths: int
    at_ms: int

    @property
    def tokens(self) -> int:
        """Whole tokens in it."""
        return self.thousandths // THOUSAND


def full(rate: int, now_ms: int) -> Level:
    """A bucket nobody has taken from."""
    return Level(rate * THOUSAND, now_ms)


def filled(level: Level, rate: int, now_ms: int) -> Level:
    """The bucket by now; a clock that went back fills nothing."""
    passed = max(0, now_ms - level.at_ms)
    return Level(min(rate * THOUSAND, level.thousandths + rate * passed), now_ms)


def take(level: Level, rate: int, cost: int, now_ms: int) -> Level | None:
    """The bucket without the tokens of `cost`; None when it does not hold them all."""
    now = filled(level, rate, now_ms)
    left = now.thousandths - cost * THOUSAND
    return now._replace(thousandths=left) if left >= 0 else None


def full_at_ms(level: Level, rate: int) -> int:
    """When it is full again if nobody takes."""
    return level.at_ms + -((level.thousandths - rate * THOUSAND) // rate)
