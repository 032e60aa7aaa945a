"""The token bucket: never faster than the rate, slower when the far end says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.dispatch.throughput import SLOW_SECONDS, Bucket


def used(bucket: Bucket, start: float, seconds: float, step: float = 0.01) -> int:
    """Messages that go in a span when everything that may go does."""
    total = 0
    for tick in range(int(seconds / step)):
        count = bucket.available(start + tick * step)
        bucket.take(count)
        total += count
    return total


@pytest.mark.parametrize("rate", [0.5, 1, 10, 200])
def test_the_rate_is_kept(rate: float) -> None:
    assert 0.9 * rate * 20 <= used(Bucket(rate), 1.0, 20.0) <= rate * 20 + max(1.0, rate / 10)


def test_a_rate_of_zero_is_no_limit() -> None:
    assert Bucket(0).available(1.0) > 1_000_000


@pytest.mark.parametrize("rate", [0, 10])
def test_a_throttled_bucket_stands_still_for_the_pause(rate: float) -> None:
    bucket = Bucket(rate)
    bucket.throttled(1.0, 2.0)

    assert (bucket.available(2.9), bucket.wait(2.0)) == (0, 1.0)


def test_a_throttled_bucket_is_slower_for_a_while_then_recovers() -> None:
    bucket = Bucket(100)
    bucket.throttled(1.0, 0.0)
    slow = used(bucket, 1.0, 10.0)
    later = used(bucket, 2.0 + SLOW_SECONDS, 10.0)

    assert (slow, later) == (pytest.approx(850, abs=12), pytest.approx(1000, abs=12))


def test_however_often_it_is_throttled_a_tenth_of_the_rate_is_left() -> None:
    bucket = Bucket(100)
    for _ in range(500):
        bucket.throttled(1.0, 0.0)

    assert used(bucket, 1.0, 10.0) == pytest.approx(100, abs=11)


def test_after_the_wait_there_is_a_token() -> None:
    bucket = Bucket(4)
    bucket.take(bucket.available(1.0))
    wait = bucket.wait(1.0)

    assert (bucket.available(1.0 + wait - 0.01), bucket.available(1.0 + wait + 0.001)) == (0, 1)


@given(st.floats(0.5, 500), st.lists(st.floats(0.001, 2.0), max_size=40))
def test_no_span_holds_more_than_rate_and_burst(rate: float, gaps: list[float]) -> None:
    bucket, now, total = Bucket(rate), 1.0, 0
    for gap in gaps:
        now += gap
        count = bucket.available(now)
        bucket.take(count)
        total += count

    assert total <= rate * (now - 1.0) + max(1.0, rate / 10) + 1e-6
