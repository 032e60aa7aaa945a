"""The bucket never lets more through than its rate and one second of burst, and forgets nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heliograph.policy import bucket

RATES = st.integers(1, 5_000)
STEPS = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 50)), max_size=60)  # (milliseconds, cost)
NOW = 1_700_000_000_000


def run(rate: int, steps: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What was taken and when."""
    level, now, taken = bucket.full(rate, NOW), NOW, []
    for passed, cost in steps:
        now += passed
        left = bucket.take(level, rate, cost, now)
        if left is not None:
            level = left
            taken.append((now, cost))
    return taken


@given(RATES, STEPS)
def test_no_span_of_time_lets_through_more_than_rate_and_burst(rate: int, steps: list[tuple[int, int]]) -> None:
    taken = run(rate, steps)
    for first, (begin, _) in enumerate(taken):
        total = 0
        for end, cost in taken[first:]:
            total += cost
            assert total * 1_000 <= rate * 1_000 + rate * (end - begin)


@given(RATES, STEPS)
def test_what_fits_is_taken(rate: int, steps: list[tuple[int, int]]) -> None:
    level, now = bucket.full(rate, NOW), NOW
    for passed, cost in steps:
        now += passed
        holds = bucket.filled(level, rate, now).tokens
        left = bucket.take(level, rate, cost, now)
        assert (left is not None) == (cost <= holds)
        level = left or level


@given(RATES, STEPS)
def test_a_bucket_is_never_below_empty_nor_above_full(rate: int, steps: list[tuple[int, int]]) -> None:
    level, now = bucket.full(rate, NOW), NOW
    for passed, cost in steps:
        now += passed
        level = bucket.take(level, rate, cost, now) or level
        assert 0 <= level.thousandths <= rate * 1_000


@given(RATES, st.integers(0, 5_000))
def test_it_is_full_when_it_says_so_and_not_before(rate: int, cost: int) -> None:
    level = bucket.take(bucket.full(rate, NOW), rate, min(cost, rate), NOW)
    assert level is not None
    when = bucket.full_at_ms(level, rate)

    assert bucket.filled(level, rate, when).tokens == rate
    assert when == NOW or bucket.filled(level, rate, when - 1).thousandths < rate * 1_000


@given(RATES, st.integers(1, 10_000_000))
def test_a_clock_that_goes_back_fills_nothing(rate: int, back: int) -> None:
    empty = bucket.take(bucket.full(rate, NOW), rate, rate, NOW)
    assert empty is not None

    assert bucket.filled(empty, rate, NOW - back).tokens == 0


def test_a_lower_rate_holds_less_at_once() -> None:
    level = bucket.full(100, NOW)

    assert bucket.filled(level, 10, NOW).tokens == 10
