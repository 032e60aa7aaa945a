"""A store that fails, a process that ends: nothing is lost, nothing goes twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.outcome import SendError, State, Submitted

Numbers = Callable[..., list[str]]


@pytest.mark.parametrize("call", ["claim", "settle", "requests", "pending"])
async def test_a_store_that_fails_for_a_while_loses_nothing(
    desk: Any, some: Numbers, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.dispatch.rows.HOT_DESTINATIONS", 15)
    desk.store.weak[call] = 3
    calls = [await desk.call(*some(10, start)) for start in (0, 10, 20)]
    for request in calls:
        await desk.reach(request, State.SUBMITTED)

    assert sorted(desk.far["a"].numbers) == some(30)


@pytest.mark.parametrize("call", ["claim", "pending"])
async def test_a_store_that_fails_keeps_the_order_of_a_class(
    desk: Any, some: Numbers, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.dispatch.rows.HOT_DESTINATIONS", 0)
    monkeypatch.setattr("heliograph.dispatch.worker.LOAD_SLOTS", 2)
    desk.far["a"].up = False
    calls = [await desk.call(*some(2, start)) for start in range(0, 12, 2)]
    desk.store.weak[call] = 1
    desk.far["a"].rise()
    for request in calls:
        await desk.reach(request, State.SUBMITTED)

    assert desk.far["a"].numbers == some(12)


async def test_a_retry_is_not_lost_when_the_store_fails_as_it_is_due(desk: Any) -> None:
    far = desk.far["a"]
    far.script = lambda outbound: (
        SendError("failed_at_operator", "soon") if outbound.attempt == 1 else Submitted(("n",))
    )
    request = await desk.call("447700900001")
    await desk.until(lambda: desk.dispatcher.counts["retried"])
    await desk.reach(request, State.QUEUED)
    desk.store.weak["requests"] = 3
    desk.skew += 5
    await desk.reach(request, State.SUBMITTED)

    assert len(far.submits) == 2


async def test_an_expiry_is_not_lost_when_the_store_fails_as_it_comes(desk: Any) -> None:
    desk.far["a"].up = False
    request = await desk.call("447700900001", expiry=desk.ms() + 60)
    desk.store.weak["pending"] = 3
    [row] = await desk.reach(request, State.FAILED)

    assert row.key == "request_expired"


async def test_stock_is_not_lost_when_it_cannot_be_given_back(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(20))
    await desk.until(lambda: len(far.open) == desk.window)
    far.up = False
    desk.store.weak["settle"] = 4
    for outbound in list(far.open.values()):
        far.answer(outbound, Submitted((str(outbound.ordinal),)))
    lane = desk.lanes.lane(request, 0)
    await desk.until(lambda: not lane.stock)
    far.script = lambda outbound: Submitted((str(outbound.ordinal),))
    far.rise()
    await desk.reach(request, State.SUBMITTED)

    assert far.numbers == some(20)


async def test_a_claim_that_fails_after_some_rows_moved_sends_nothing_twice(desk: Any, some: Numbers) -> None:
    desk.far["a"].up = desk.far["b"].up = False
    moving, staying = await desk.call(*some(5)), await desk.call(*some(5, 10), service="spare")
    there, here = desk.lanes.lane(moving, 0), desk.lanes.lane(staying, 0)
    there.queue.drain()
    here.queue.drain()
    here.queue.join(3, [*await desk.rows(moving), *await desk.rows(staying)], desk.monotonic())
    desk.store.weak["claim"] = 1
    desk.far["a"].rise()
    desk.far["b"].rise()
    await desk.reach(moving, State.SUBMITTED)
    await desk.reach(staying, State.SUBMITTED)
    await desk.until(lambda: not here.queue and not there.queue)

    assert sorted(desk.far["a"].numbers + desk.far["b"].numbers) == some(5) + some(5, 10)


async def test_stopping_awaits_what_is_under_way_and_queues_the_stock_again(idle: Any, some: Numbers) -> None:
    await idle.dispatcher.start()
    far = idle.far["a"]
    far.script = None
    request = await idle.call(*some(30))
    await idle.until(lambda: len(far.open) == idle.window)
    stopping = asyncio.create_task(idle.dispatcher.stop(2))
    await idle.until(lambda: far.stopped)
    for outbound in list(far.open.values()):
        far.answer(outbound, Submitted((str(outbound.ordinal),)))
    await stopping
    rows = await idle.rows(request)

    assert [(row.state, row.attempt, row.duplicate) for row in rows] == [(State.SUBMITTED, 1, False)] * 10 + [
        (State.QUEUED, 0, False)
    ] * 20


async def test_stopping_ends_although_the_store_takes_nothing(idle: Any, some: Numbers) -> None:
    await idle.dispatcher.start()
    await idle.call(*some(3))
    await idle.until(lambda: len(idle.far["a"].submits) == 3)
    idle.store.weak["settle"] = 1 << 30
    await idle.call(*some(3, 3))
    async with asyncio.timeout(3):
        await idle.dispatcher.stop(0.2)


@pytest.mark.parametrize("elements", [1, 3])
async def test_a_new_process_sends_what_waited_once_and_in_order(idle: Any, some: Numbers, elements: int) -> None:
    await idle.dispatcher.start()
    idle.far["a"].up = False
    calls = [await idle.call(*some(3, start), elements=elements) for start in range(0, 60, 3)]
    await idle.dispatcher.stop(0.1)
    idle.begin()
    await idle.dispatcher.start()
    await idle.dispatcher.recover()
    for request in calls:
        await idle.reach(request, State.SUBMITTED)
    sent = idle.far["a"].numbers
    await idle.dispatcher.stop(0.1)

    assert sent == some(60)


async def test_a_new_process_sends_what_was_under_way_once_more_and_flags_it(idle: Any, some: Numbers) -> None:
    await idle.dispatcher.start()
    far = idle.far["a"]
    far.script = None
    request = await idle.call(*some(15))
    await idle.until(lambda: len(far.open) == idle.window)
    for task in (*idle.dispatcher._tasks, *(lane.feed for lane in idle.lanes.all())):
        task.cancel()  # as a process that is killed
    await idle.store.real.release_claims()
    idle.begin()
    await idle.dispatcher.start()
    await idle.dispatcher.recover()
    rows = await idle.reach(request, State.SUBMITTED)
    sent = idle.far["a"].submits
    await idle.dispatcher.stop(0.1)

    assert sorted(outbound.to for outbound in sent) == some(15)
    assert {(outbound.duplicate, outbound.attempt) for outbound in sent} == {(True, 2)}
    assert {row.duplicate for row in rows} == {True}


async def test_a_retry_that_waits_over_a_restart_keeps_its_moment(idle: Any) -> None:
    await idle.dispatcher.start()
    idle.far["a"].script = lambda outbound: SendError("failed_at_operator", "soon")
    request = await idle.call("447700900001")
    await idle.until(lambda: idle.dispatcher.counts["retried"])
    await idle.reach(request, State.QUEUED)
    await idle.dispatcher.stop(0.1)
    idle.begin()
    await idle.dispatcher.start()
    await idle.dispatcher.recover()
    await asyncio.sleep(0.1)
    early = list(idle.far["a"].submits)
    idle.skew += 5
    [row] = await idle.reach(request, State.SUBMITTED)
    await idle.dispatcher.stop(0.1)

    assert (early, row.attempt) == ([], 2)
