"""What went out to whom and when, and what came before: the table's side of marks, references and repeats."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.model.outcome import State
from heliograph.model.record import Change, Sent, Settlement
from heliograph.store import Store
from heliograph.store.areas import threads
from heliograph.store.areas.threads import SKEW_MS, Mark

from .conftest import Accept

DELIVERED, READ = State.DELIVERED, State.READ


async def send(store: Store, accepted: Accept, *moments: int, thread: str = "p", connector: str = "c") -> int:
    """A request whose destinations went to a person, each at a moment; its id."""
    call = accepted([f"4477009000{index:02d}" for index in range(len(moments))])
    await store.accept(call)
    request = call.request.id
    changes = [
        Change(request, ordinal, State.SUBMITTED, "submitted", 1, attempt=1, connector=connector)
        for ordinal in range(len(moments))
    ]
    sent = [Sent(request, ordinal, connector, thread, at) for ordinal, at in enumerate(moments)]
    await store.settle(Settlement(changes=changes, sent=sent))
    return request


async def moved(store: Store, *marks: Mark) -> list[tuple[int, int]]:
    """Index of the mark and ordinal of what it moves."""
    return [(index, row.ordinal) for index, row in await store.sent_until(marks)]


async def test_what_went_until_then_is_found_oldest_first(store: Store, accepted: Accept) -> None:
    await send(store, accepted, 30, 10, 20, 40)

    assert await moved(store, Mark("c", "p", 30, DELIVERED)) == [(0, 1), (0, 2), (0, 0)]


async def test_several_marks_are_asked_at_once(store: Store, accepted: Accept) -> None:
    await send(store, accepted, 10, thread="p")
    await send(store, accepted, 10, thread="q")
    marks = [Mark("c", "q", 10, DELIVERED), Mark("c", "nobody", 10, READ), Mark("c", "p", 9, READ)]

    assert await moved(store, *marks) == [(0, 0)]
    assert await store.threads_known(marks) == {0}
    assert (await moved(store), await store.threads_known([])) == ([], set())


@pytest.mark.parametrize(
    ("state", "delivered", "read"),
    [
        (State.SUBMITTED, True, True),
        (State.LAPSED, True, True),
        (State.FAILED, False, False),
        (State.DELIVERED, False, True),
        (State.READ, False, False),
    ],
)
async def test_only_what_may_still_move_is_found(
    store: Store, accepted: Accept, state: State, delivered: bool, read: bool
) -> None:
    request = await send(store, accepted, 10)
    await store.settle(Settlement(changes=[Change(request, 0, state, state.name, 2)]))

    assert bool(await moved(store, Mark("c", "p", 10, DELIVERED))) is delivered
    assert bool(await moved(store, Mark("c", "p", 10, READ))) is read


async def test_a_moment_that_is_known_better_replaces_the_first(store: Store, accepted: Accept) -> None:
    request = await send(store, accepted, 100)
    better = [Sent(request, 0, "c", "p", 70), Sent(request, 0, "c", "p", 50)]
    await store.settle(Settlement(changes=[], sent=better))

    assert await moved(store, Mark("c", "p", 50, READ)) == [(0, 0)]


def by_us(request: int, at: int, connector: str = "c") -> Sent:
    """What we say ourselves of when a message went out."""
    return Sent(request, 0, connector, "p", at, theirs=False)


@pytest.mark.parametrize(
    "order", [[[False], [True]], [[True], [False]], [[True, False]], [[False, True]]],
    ids=["echo after", "echo before", "together, echo first", "together, echo last"],
)  # fmt: skip
@pytest.mark.parametrize("ours", [40_000, 60_000, 80_000], ids=["behind", "equal", "ahead"])
async def test_the_clock_of_the_far_end_counts_whenever_its_echo_comes(
    store: Store, accepted: Accept, order: list[list[bool]], ours: int
) -> None:
    call = accepted(["1"])
    await store.accept(call)
    request, number = call.request.id, 60_000
    change = Change(request, 0, State.SUBMITTED, "submitted", 1, attempt=1, connector="c")
    await store.settle(Settlement(changes=[change]))
    for together in order:
        sent = [Sent(request, 0, "c", "p", number) if theirs else by_us(request, ours) for theirs in together]
        await store.settle(Settlement(changes=[], sent=sent))

    assert await moved(store, Mark("c", "p", number - 1, READ)) == []
    assert await moved(store, Mark("c", "p", number, READ)) == [(0, 0)]


async def test_without_an_echo_our_clock_may_be_a_little_ahead(store: Store, accepted: Accept) -> None:
    request = await send(store, accepted, 100_000, connector="other")
    await store.settle(Settlement(changes=[], sent=[by_us(request, 100_000)]))

    assert await moved(store, Mark("c", "p", 100_000 - SKEW_MS - 1, READ)) == []
    assert await moved(store, Mark("c", "p", 100_000 - SKEW_MS, READ)) == [(0, 0)]


async def test_a_message_that_went_another_way_is_in_the_thread_of_that_way(store: Store, accepted: Accept) -> None:
    request = await send(store, accepted, 10_000, connector="first")
    await store.settle(Settlement(changes=[], sent=[by_us(request, 30_000)]))

    assert await moved(store, Mark("first", "p", 40_000, READ), Mark("c", "p", 40_000, READ)) == [(1, 0)]


async def test_a_long_thread_is_closed_in_slices(
    store: Store, accepted: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "CLOSED_AT_ONCE", 2)
    await send(store, accepted, 1, 2, 3)

    assert await moved(store, Mark("c", "p", 9, DELIVERED)) == [(0, 0), (0, 1)]


async def test_transactions_are_found_by_their_numbers(store: Store, accepted: Accept) -> None:
    request = await send(store, accepted, 1, 2)
    found = await store.referred({(request, 1), (request, 7), (5, 0)})

    assert {identity: row.state for identity, row in found.items()} == {(request, 1): State.SUBMITTED}


@pytest.mark.parametrize(("before", "applied"), [(State.SENDING, True), (State.SUBMITTED, False)])
async def test_giving_up_waiting_for_an_answer_undoes_nothing(
    store: Store, accepted: Accept, before: State, applied: bool
) -> None:
    call = accepted(["447700900001"])
    await store.accept(call)
    request = call.request.id
    await store.claim([(request, 0, 0)])
    if before is State.SUBMITTED:
        await store.settle(Settlement(changes=[Change(request, 0, before, "submitted", 1, attempt=1)]))
    gave_up = Change(request, 0, State.LAPSED, "endpoint_unreachable", 2, attempt=1)

    assert await store.settle(Settlement(changes=[gave_up])) == [applied]


async def test_what_came_before_is_not_kept_again(store: Store) -> None:
    def row(number: int) -> tuple[Any, ...]:
        return (number, "demo", "orders", "c", "fb", "1", "2", "hi", "{}", 5)

    kept = [
        await store.keep_inbound(row(1), "m_1", None),
        await store.keep_inbound(row(2), "m_1", None),
        await store.keep_inbound(row(3), "", None),
        await store.keep_inbound(row(4), "m_2", None),
    ]

    assert [one.fresh for one in kept] == [True, False, True, True]
