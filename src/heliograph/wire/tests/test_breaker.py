"""The circuit breaker, second by second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.wire.breaker import Breaker


def opened(failures: int = 3) -> Breaker:
    breaker = Breaker(failures=failures, pause=1.0, longest=4.0)
    for _ in range(failures):
        breaker.failed(0.0)
    return breaker


def test_it_lets_everything_through_at_first() -> None:
    assert Breaker().room(0.0, 10) == 10


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(failures=2, pause=1.0)
    assert [breaker.failed(0.0), breaker.failed(0.0)] == [0.0, 1.0]
    assert breaker.state(0.5) == "open"
    assert breaker.room(0.5, 10) == 0


def test_it_says_when_a_call_may_be_tried() -> None:
    breaker = opened()
    assert [breaker.opens_in(now) for now in (0.25, 1.0, 2.0)] == [0.75, 0.0, 0.0]
    assert Breaker().opens_in(0.0) == 0.0


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker(failures=2)
    breaker.failed(0.0)
    breaker.succeeded()
    breaker.failed(0.0)
    assert breaker.state(0.0) == "closed"


def test_one_probe_goes_out_after_the_pause() -> None:
    breaker = opened()
    assert breaker.room(1.0, 10) == 1
    breaker.started(1.0)
    assert breaker.room(1.0, 10) == 0


def test_an_answered_probe_closes_it() -> None:
    breaker = opened()
    breaker.started(1.0)
    breaker.succeeded()
    assert breaker.room(1.0, 10) == 10


@pytest.mark.parametrize(("probes", "pause"), [(1, 2.0), (2, 4.0), (3, 4.0)])
def test_each_failed_probe_doubles_the_pause_up_to_the_longest(probes: int, pause: float) -> None:
    breaker, now, given_pause = opened(), 0.0, 1.0
    for _ in range(probes):
        now += given_pause
        breaker.started(now)
        given_pause = breaker.failed(now)
    assert given_pause == pause


def test_a_hold_stops_everything_at_once() -> None:
    breaker = Breaker()
    assert breaker.hold(5.0, 30.0) == 30.0
    assert (breaker.state(34.9), breaker.state(35.0)) == ("open", "half-open")


@given(st.lists(st.sampled_from(["fail", "work", "wait"]), max_size=60))
def test_it_always_lets_a_call_through_in_the_end(steps: list[str]) -> None:
    breaker, now = Breaker(failures=2, pause=1.0, longest=8.0), 0.0
    for step in steps:
        if step == "wait":
            now += 0.7
        elif breaker.room(now, 1):
            breaker.started(now)
            breaker.failed(now) if step == "fail" else breaker.succeeded()
    assert breaker.room(now + 8.0, 1) == 1
