"""Strict priority without starvation, first in first out, nothing lost; timers give once."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.dispatch.queue import PriorityQueue, Timers, element_of, request_of, slot_of
from heliograph.model.message import PRIORITIES, Address, Transaction


def row(number: int, due: int = 0) -> Transaction:
    """A queued transaction."""
    return Transaction(number, 0, 0, Address("msisdn", str(number)), due=due)


def served(queue: PriorityQueue, now: float, room: int = 1) -> tuple[int, list[Transaction]]:
    """One turn as the dispatcher takes it, where every slot holds one row."""
    priority = queue.choose(now)
    rows = queue.take_rows(priority, room, now)
    if not rows:
        queue.load(priority, [row(request_of(slot)) for slot in queue.take_slots(priority, 200)])
    return priority, rows


def test_the_highest_class_goes_first() -> None:
    queue = PriorityQueue()
    for priority in (1, 4, 2, 5, 3):
        queue.join(priority, [row(priority)], 0.0)

    taken = [served(queue, 0.0)[0] for _ in PRIORITIES]

    assert taken == [5, 4, 3, 2, 1]


def test_a_class_that_waited_four_seconds_goes_before_higher_ones() -> None:
    queue = PriorityQueue()
    queue.join(5, [row(number) for number in range(100)], 0.0)
    queue.join(1, [row(1000)], 0.0)

    assert [served(queue, now)[0] for now in (0.0, 3.9, 4.1, 4.2)] == [5, 5, 1, 5]


def test_a_class_that_waited_and_must_be_loaded_first_is_sent_within_five_seconds() -> None:
    queue = PriorityQueue()
    queue.join(5, [row(number) for number in range(1_000)], 0.0)
    queue.add(slot_of(7, 0), 1, 0.0)

    turns = [(tick / 10, *served(queue, tick / 10)) for tick in range(100)]
    sent = [now for now, priority, rows in turns if priority == 1 and rows]

    assert sent[0] <= 5.0


def test_a_class_that_was_empty_has_not_waited() -> None:
    queue = PriorityQueue()
    queue.join(5, [row(1)], 100.0)
    queue.join(1, [row(2)], 100.0)

    assert queue.choose(100.0) == 5


@pytest.mark.parametrize("classes", [PRIORITIES, PRIORITIES[:2]])
def test_no_class_waits_more_than_five_seconds(classes: tuple[int, ...]) -> None:
    queue, last, longest = PriorityQueue(), dict.fromkeys(classes, 0.0), 0.0
    for priority in classes:
        queue.join(priority, [row(number) for number in range(5_000)], 0.0)
    for tick in range(300):
        now = tick / 10
        priority, rows = served(queue, now)
        if rows:
            longest, last[priority] = max(longest, now - last[priority]), now

    assert longest <= 5.0


def test_what_comes_back_is_sent_next_in_its_old_order() -> None:
    queue = PriorityQueue()
    queue.join(3, [row(3), row(4)], 0.0)
    queue.join(3, [row(1), row(2)], 0.0, front=True)

    assert [item.request for item in queue.take_rows(3, 9, 0.0)] == [1, 2, 3, 4]


def test_slots_that_could_not_be_loaded_go_back_where_they_were() -> None:
    queue = PriorityQueue()
    for slot in (1, 2, 3):
        queue.add(slot, 3, 0.0)
    queue.give_back(3, queue.take_slots(3, 2))

    assert queue.take_slots(3, 9) == [1, 2, 3]


def test_an_empty_queue_has_no_class_to_serve() -> None:
    with pytest.raises(LookupError):
        PriorityQueue().choose(0.0)


def test_a_queue_that_is_given_up_gives_everything_in_order() -> None:
    queue = PriorityQueue()
    queue.add(8, 2, 0.0)
    queue.join(5, [row(1)], 0.0)
    queue.join(2, [row(2)], 0.0)

    slots, rows = queue.drain()

    assert (slots, [(priority, item.request) for priority, item in rows], len(queue)) == (
        [(2, 8)],
        [(5, 1), (2, 2)],
        0,
    )


@given(st.integers(0, 2**52), st.integers(0, 999))
def test_a_slot_is_a_request_and_its_element(request_id: int, element: int) -> None:
    slot = slot_of(request_id, element)

    assert (request_of(slot), element_of(slot)) == (request_id, element)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(PRIORITIES)),
        st.tuples(st.just("take"), st.integers(1, 4)),
        st.tuples(st.just("fail"), st.integers(1, 4)),
        st.tuples(st.just("wait"), st.integers(0, 6)),
    ),
    max_size=60,
)


@given(steps)
def test_nothing_is_lost_and_a_class_keeps_its_order(script: list[tuple[str, int]]) -> None:
    queue, now, number = PriorityQueue(), 0.0, 0
    given_in: dict[int, list[int]] = defaultdict(list)
    out: dict[int, list[int]] = defaultdict(list)

    def turn(room: int, fails: bool) -> None:
        priority = queue.choose(now)
        rows = queue.take_rows(priority, room, now)
        slots = [] if rows else queue.take_slots(priority, room)
        if fails:
            queue.load(priority, rows, front=True)
            queue.give_back(priority, slots)
        elif rows:
            out[priority] += [item.request for item in rows]
        else:
            queue.load(priority, [row(request_of(slot)) for slot in slots])

    for word, value in script:
        if word == "wait":
            now += value
        elif word == "add":
            number += 1
            queue.add(slot_of(number, 0), value, now)
            given_in[value].append(number)
        elif len(queue):
            turn(value, word == "fail")
    while len(queue):
        turn(3, False)

    assert out == given_in


def test_two_rows_due_at_one_moment_are_both_given_in_order() -> None:
    timers = Timers()
    timers.delay([row(1, due=5), row(2, due=5), row(3, due=4)])

    assert [item.request for item in timers.due(5)] == [3, 1, 2]


def test_what_is_due_is_given_once() -> None:
    timers = Timers()
    timers.delay([row(1, due=5)])
    timers.expire(5, 9)

    assert [(len(timers.due(now)), timers.expired(now)) for now in (4, 5, 6)] == [(0, []), (1, [9]), (0, [])]


def test_a_message_without_expiry_never_expires() -> None:
    timers = Timers()
    timers.expire(0, 9)

    assert timers.expired(1 << 60) == []
