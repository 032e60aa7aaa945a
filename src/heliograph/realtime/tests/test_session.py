"""A session gives every message once, in order, and never more than a window without an acknowledgement."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from heliograph.realtime import frames
from heliograph.realtime.frames import Ack, Close, Ping
from heliograph.realtime.session import BURST, QUEUED, WINDOW, Need, Session
from heliograph.store.areas.inapp import KeptMessage


class Wire:
    """A connection that notes."""

    def __init__(self) -> None:
        self.flushed = 0
        self.ended: list[Close] = []

    def flush(self) -> None:
        """Frames wait."""
        self.flushed += 1

    def end(self, why: Close) -> None:
        """The end."""
        self.ended.append(why)


def kept(seq: int) -> KeptMessage:
    """A message."""
    return KeptMessage(seq, 1_000 + seq, 0, 0, 0, '{"id":"x"}')


def session(acked: int = 0) -> tuple[Session, Wire]:
    """A session that is caught up."""
    wire = Wire()
    made = Session(("lane", "ann"), "phone", 0, wire)
    made.begin(acked)
    assert made.pulled([], 1, 0.0) is Need.NOTHING
    return made, wire


def seqs(made: Session) -> list[int]:
    """The numbers of the messages that wait for the wire."""
    return [frame["seq"] for text in made.out if (frame := json.loads(text))["t"] == "message"]


def test_the_next_message_goes_out() -> None:
    made, wire = session(4)
    needs = [made.offer(kept(5), 0.0), made.offer(kept(6), 0.0)]

    assert (needs, seqs(made), wire.flushed) == ([Need.NOTHING] * 2, [5, 6], 2)


def test_a_gap_is_looked_for_in_what_is_kept() -> None:
    made, _ = session(4)

    assert made.offer(kept(6), 0.0) is Need.PULL
    made.pulling = True
    assert made.pulled([kept(6)], 9, 0.0) is Need.NOTHING
    assert (seqs(made), made.behind) == ([6], False)


def test_what_it_has_had_is_not_given_again() -> None:
    made, _ = session(4)

    assert (made.offer(kept(4), 0.0), seqs(made)) == (Need.NOTHING, [])


def test_what_comes_while_it_is_caught_up_is_looked_for_after_that() -> None:
    made, _ = session()
    made.pulling = True
    made.offer(kept(2), 0.0)

    assert made.pulled([kept(1)], 9, 0.0) is Need.PULL


def test_a_full_window_waits_until_half_of_it_is_acknowledged() -> None:
    made, _ = session()
    for number in range(1, WINDOW + 3):
        made.offer(kept(number), 0.0)
    made.acknowledged(WINDOW // 2 - 1, 0.0)
    before = made.wants()
    made.acknowledged(WINDOW // 2, 0.0)

    assert (seqs(made)[-1], before, made.wants()) == (WINDOW, Need.NOTHING, Need.PULL)


def test_an_acknowledgement_is_for_all_before_it_and_counts_once() -> None:
    made, _ = session()
    for number in (1, 2, 3):
        made.offer(kept(number), 0.0)

    assert [made.acknowledged(2, 0.0), made.acknowledged(2, 0.0), made.acknowledged(99, 0.0)] == [
        [(1, (1_001, 0)), (2, (1_002, 0))], [], [(3, (1_003, 0))],
    ]  # fmt: skip
    assert (made.acked, made.recent[3]) == (3, (1_003, 0))


def test_who_reads_nothing_is_cut_and_hears_no_hints() -> None:
    made, wire = session()
    for _ in range(QUEUED):
        made.hint("x")
    hints = len(made.out)
    for _ in range(QUEUED + WINDOW):
        made.say("x")

    assert (hints, wire.ended, made.closed) == (QUEUED // 4, [Close.TOO_SLOW], True)


@pytest.mark.parametrize(("frame", "count"), [(Ping(), BURST), (Ack(1), BURST * 50)])
def test_how_much_an_app_may_say(frame: frames.Frame, count: int) -> None:
    made, _ = session()

    assert all(made.allows(frame, 1.0) for _ in range(count))
    assert not all(made.allows(Ping(), 1.0) for _ in range(BURST + 1))
    assert made.allows(frame, 100.0)


@settings(max_examples=60, stateful_step_count=60, deadline=None)
class Traffic(RuleBasedStateMachine):
    """Messages are kept, offered or lost as hints are, pulled late, acknowledged in any steps."""

    def __init__(self) -> None:
        super().__init__()
        self.session, self.wire = session()
        self.table: list[int] = []
        self.next = 1
        self.wanted = False
        self.answered: list[int] = []
        self.given: list[int] = []

    def need(self, need: Need) -> None:
        """What the hub does with a need."""
        if need is Need.PULL:
            self.wanted = True
            self.session.pulling = True

    def drain(self) -> None:
        """The wire takes what waits."""
        self.given += seqs(self.session)
        self.session.out.clear()

    @rule(skipped=st.integers(0, 2), offered=st.booleans())
    def keep(self, skipped: int, offered: bool) -> None:
        """A message is kept; the hint of it may get lost."""
        self.next += skipped
        self.table.append(self.next)
        if offered:
            self.need(self.session.offer(kept(self.next), 0.0))
        self.next += 1

    @precondition(lambda self: self.wanted)
    @rule()
    def pull(self) -> None:
        """The table is read."""
        self.wanted = False
        room = self.session.room()
        found = [number for number in self.table if number > self.session.sent][:room]
        self.need(self.session.pulled([kept(number) for number in found], room, 0.0))

    @rule(share=st.floats(0, 1))
    def acknowledge(self, share: float) -> None:
        """The device says what it has."""
        self.drain()
        if self.given:
            found = self.session.acknowledged(self.given[int(share * (len(self.given) - 1))], 0.0)
            self.answered += [number for number, _ in found]
            self.need(self.session.wants())

    @invariant()
    def holds(self) -> None:
        """Order, once, within the window."""
        given = self.given + seqs(self.session)
        assert given == [number for number in self.table if number <= self.session.sent]
        assert len(self.session.waiting) <= WINDOW
        assert self.answered == given[: len(self.answered)]

    def teardown(self) -> None:
        """In the end everything is given: the keeper's look finds what hints lost."""
        while True:
            self.drain()
            if self.given:
                self.session.acknowledged(self.given[-1], 0.0)
            self.session.behind = True
            self.session.pulling = True
            room = self.session.room()
            found = [number for number in self.table if number > self.session.sent][:room]
            self.session.pulled([kept(number) for number in found], room, 0.0)
            self.drain()
            if not found:
                break
        assert self.given == self.table


TestTraffic: Any = Traffic.TestCase
