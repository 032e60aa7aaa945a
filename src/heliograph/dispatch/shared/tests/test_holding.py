"""What a worker holds has an end once each of its messages has, or once others have it; whatever comes between."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from heliograph.bus.nats.work import Bundle
from heliograph.dispatch.queue import PriorityQueue, slot_of
from heliograph.dispatch.shared.holding import NEAR_MS, STILL_MS, Shared
from heliograph.model.message import Address, Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Change, Chunk
from heliograph.policy.outcomes import Made

NOW = 1_000_000_000
FAR = NOW + NEAR_MS + 1
ROWS = 3
WAY = ("lane", 3)


def chunk(request: int, count: int = ROWS) -> Chunk:
    """A chunk of one element."""
    return Chunk(request, 0, count, 3, 0, "demo", "orders", "sms")


def bundle(number: int, *requests: int, deliveries: int = 1) -> Bundle:
    """Chunks that came together."""
    return Bundle(WAY, [chunk(request) for request in requests], number, deliveries, f"reply.{number}")


def row(request: int, ordinal: int, due: int = 0) -> Transaction:
    """A row of a request."""
    return Transaction(request, ordinal, 0, Address("msisdn", "447700900001"), State.QUEUED, due=due)


def loaded(held: Shared, request: int, ordinals: Any = range(ROWS)) -> None:
    """The rows of a request are here."""
    held.loaded([slot_of(request, 0)], [row(request, ordinal) for ordinal in ordinals])


def written(held: Shared, request: int, ordinal: int, state: State = State.SUBMITTED, *, took: bool = True) -> None:
    """A change of a row is durable."""
    held.written([Made(Change(request, ordinal, state, "", NOW), None, row(request, ordinal))], [took])


def begun(*requests: int) -> tuple[Shared, Bundle]:
    """A bundle of these is held and loaded."""
    held, came = Shared(lambda: NOW), bundle(1, *requests)
    held.take(came)
    for request in requests:
        loaded(held, request)
    return held, came


def test_a_bundle_is_done_when_the_last_message_of_its_last_chunk_has_an_end() -> None:
    held, came = begun(1, 2)
    for request in (1, 2):
        for ordinal in range(ROWS):
            assert held.finished == []
            written(held, request, ordinal)

    assert held.finished == [came]
    assert (held.count, held.bundles, held.stock[WAY]) == (0, {}, 0)


def test_what_goes_back_to_the_queue_has_no_end_unless_another_moved_it_on() -> None:
    held, _ = begun(1)
    written(held, 1, 0)
    written(held, 1, 1)
    written(held, 1, 2, State.QUEUED)
    assert held.finished == []

    written(held, 1, 2, State.QUEUED, took=False)
    assert len(held.finished) == 1


def test_a_chunk_without_a_queued_row_has_an_end_at_once() -> None:
    held = Shared(lambda: NOW)
    held.take(bundle(1, 1))
    loaded(held, 1, ())

    assert len(held.finished) == 1


def test_a_chunk_that_is_held_ends_with_the_bundle_it_came_with_first() -> None:
    held, first = begun(1)
    second = bundle(2, 1)

    assert held.take(second) == []
    assert held.finished == [second]
    assert held.bundles == {1: first}


def test_a_bundle_that_comes_again_is_known_and_answered_where_it_says() -> None:
    held, came = begun(1)
    again = bundle(1, 1, deliveries=2)
    again.reply = "reply.again"

    assert held.known(again)
    assert came.reply == "reply.again"


def test_a_chunk_of_which_all_waits_long_is_owed_and_is_ours_until_that_is_durable() -> None:
    held, came = begun(1)
    written(held, 1, 0)
    held.waits(row(1, 1), FAR + 5)
    assert held.giving == []
    held.waits(row(1, 2), FAR)

    [owed] = held.giving
    assert (owed.request, owed.element, owed.due) == (1, 0, FAR)
    assert held.holds(slot_of(1, 0))
    held.gave([owed])
    assert not held.holds(slot_of(1, 0))
    assert held.finished == [came]


def test_what_is_due_soon_is_waited_for_here() -> None:
    held, _ = begun(1)
    for ordinal in range(ROWS):
        held.waits(row(1, ordinal), NOW + NEAR_MS)

    assert held.giving == []


def test_a_row_that_waits_and_is_not_ours_is_owed() -> None:
    held = Shared(lambda: NOW)
    held.waits(row(7, 0), NOW + 5)

    assert [(owed.due, owed.request) for owed in held.giving] == [(NOW + 5, 7)]


def test_a_row_comes_back_from_waiting_once_and_only_while_it_is_ours() -> None:
    held, _ = begun(1)
    held.waits(row(1, 0, NOW + 5), NOW + 5)

    assert held.due([row(1, 0, NOW + 4)], exact=True) == []
    assert held.due([row(1, 0, NOW + 5)], exact=True) == [row(1, 0, NOW + 5)]
    assert held.due([row(1, 0, NOW + 5)]) == []
    assert held.due([row(9, 0)]) == []


@pytest.mark.parametrize(
    ("elsewhere", "idle", "passed", "gone"),
    [
        (True, False, 0, True),
        (False, True, STILL_MS, False),
        (False, True, STILL_MS + 1, True),
        (False, False, STILL_MS + 1, False),
    ],
)
def test_what_waits_for_a_connector_that_is_elsewhere_or_stands_still_goes_to_others(
    elsewhere: bool, idle: bool, passed: int, gone: bool
) -> None:
    now = NOW
    held = Shared(lambda: now)
    held.take(bundle(1, 1))
    queue = PriorityQueue()
    queue.add(slot_of(1, 0), 3, 0)
    lane: Any = FakeLane(elsewhere=elsewhere, idle=lambda: idle, queue=queue)
    if not elsewhere:
        held.elsewhere([lane], now)
    now += passed
    held.elsewhere([lane], now)

    assert [owed.request for owed in held.giving] == [1] * gone
    assert len(queue) == (not gone)


class FakeLane(SimpleNamespace):
    """A lane as far as this looks at it."""

    __hash__ = object.__hash__


class Holding(RuleBasedStateMachine):
    """Any course of events: what is held is what has not ended, and each bundle ends once."""

    def __init__(self) -> None:
        super().__init__()
        self.held = Shared(lambda: NOW)
        self.number = 0
        self.open: dict[int, set[int] | None] = {}
        self.ended = 0

    @rule(size=st.integers(1, 3))
    def take(self, size: int) -> None:
        requests = range(self.number + 1, self.number + 1 + size)
        self.number += size
        self.held.take(bundle(self.number, *requests))
        self.open.update(dict.fromkeys(requests))

    @precondition(lambda self: None in self.open.values())
    @rule(data=st.data(), count=st.integers(0, ROWS))
    def load(self, data: st.DataObject, count: int) -> None:
        request = data.draw(st.sampled_from([key for key, rows in self.open.items() if rows is None]))
        loaded(self.held, request, range(count))
        if count:
            self.open[request] = set(range(count))
        else:
            del self.open[request]

    @precondition(lambda self: any(self.open.values()))
    @rule(data=st.data(), took=st.booleans(), queued=st.booleans())
    def write(self, data: st.DataObject, took: bool, queued: bool) -> None:
        request = data.draw(st.sampled_from([key for key, rows in self.open.items() if rows]))
        ordinal = data.draw(st.sampled_from(sorted(self.open[request] or ())))
        written(self.held, request, ordinal, State.QUEUED if queued else State.SUBMITTED, took=took)
        if not (took and queued):
            self._end(request, ordinal)

    @precondition(lambda self: any(self.open.values()))
    @rule(data=st.data(), until=st.sampled_from([NOW, NOW + 1, FAR, FAR + 1]))
    def wait(self, data: st.DataObject, until: int) -> None:
        request = data.draw(st.sampled_from([key for key, rows in self.open.items() if rows]))
        self.held.waits(row(request, data.draw(st.sampled_from(sorted(self.open[request] or ())))), until)

    @rule()
    def give(self) -> None:
        rows, self.held.giving = self.held.giving, []
        self.held.gave(rows)
        for owed in rows:
            self.open.pop(owed.request, None)

    def _end(self, request: int, ordinal: int) -> None:
        rows = self.open[request]
        assert rows is not None
        rows.discard(ordinal)
        if not rows:
            del self.open[request]

    @invariant()
    def what_is_held_has_no_end(self) -> None:
        assert self.held.count == len(self.open)
        assert all(self.held.holds(slot_of(request, 0)) for request in self.open)
        assert self.held.stock[WAY] == ROWS * sum(rows is None for rows in self.open.values())
        covered = {found.request for came in self.held.bundles.values() for found in came.chunks}
        assert self.open.keys() <= covered
        assert len({id(came) for came in self.held.finished}) == len(self.held.finished)
        assert not {came.number for came in self.held.finished} & self.held.bundles.keys()


TestHolding = Holding.TestCase
TestHolding.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
