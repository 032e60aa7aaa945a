"""The workspace changes while messages wait: they follow it, each goes once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.outcome import SendError, State, Submitted

Numbers = Callable[..., list[str]]


async def test_waiting_messages_move_to_another_connector(desk: Any, some: Numbers) -> None:
    desk.far["a"].up = False
    calls = [await desk.call(*some(10, start)) for start in (0, 10)]
    await desk.change(connector="b")
    for request in calls:
        await desk.reach(request, State.SUBMITTED)

    assert (desk.far["a"].numbers, desk.far["b"].numbers) == ([], some(20))


async def test_claimed_messages_move_too_and_those_under_way_stay(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(30))
    await desk.until(lambda: len(far.open) == desk.window)
    changing = asyncio.create_task(desk.change(connector="b"))
    await desk.until(lambda: far.stopped)
    for outbound in list(far.open.values()):
        far.answer(outbound, Submitted((str(outbound.ordinal),)))
    await changing
    rows = await desk.reach(request, State.SUBMITTED)

    assert (far.numbers, desk.far["b"].numbers) == (some(10), some(20, 10))
    assert {(row.attempt, row.duplicate) for row in rows} == {(1, False)}


async def test_a_connector_with_other_settings_is_replaced(desk: Any, some: Numbers) -> None:
    desk.far["a"].up = False
    old = desk.far["a"]
    request = await desk.call(*some(10))
    await desk.change(password="other")
    await desk.reach(request, State.SUBMITTED)

    assert (old.stopped, old.numbers, desk.far["a"].numbers) == (True, [], some(10))


async def test_a_change_that_leaves_the_connector_alone_does_not_disturb_it(desk: Any) -> None:
    before = desk.far["a"]
    await desk.change(service={"notify": {"url": "http://elsewhere/dr"}})

    assert (desk.far["a"] is before, before.stopped) == (True, False)


async def test_without_the_service_what_waits_is_refused(desk: Any, some: Numbers) -> None:
    desk.far["a"].up = False
    request = await desk.call(*some(10))
    await desk.change(service={"without": "orders"})
    rows = await desk.reach(request, State.FAILED)

    assert {row.key for row in rows} == {"channel_not_configured"}
    assert desk.built[0].numbers == []


@pytest.mark.parametrize("call", ["settle", "requests"])
async def test_a_store_that_fails_while_messages_move_loses_nothing(desk: Any, some: Numbers, call: str) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(30))
    waiting = await desk.call(*some(10, 30))
    await desk.until(lambda: len(far.open) == desk.window)
    desk.store.weak[call] = 2
    changing = asyncio.create_task(desk.change(connector="b"))
    await desk.until(lambda: far.stopped)
    for outbound in list(far.open.values()):
        far.answer(outbound, Submitted((str(outbound.ordinal),)))
    await changing
    await desk.reach(request, State.SUBMITTED)
    await desk.reach(waiting, State.SUBMITTED)

    assert sorted(far.numbers + desk.far["b"].numbers) == some(40)


async def test_calls_accepted_while_the_workspace_changes_go_out_once(desk: Any, some: Numbers) -> None:
    calls = []

    async def accept() -> None:
        for number in range(60):
            calls.append(await desk.call(*some(1, number)))

    accepting = asyncio.create_task(accept())
    for name in ("b", "a", "b", "a"):
        await asyncio.sleep(0.01)
        await desk.change(connector=name)
    await accepting
    for request in calls:
        await desk.reach(request, State.SUBMITTED)

    assert sorted(number for far in desk.built for number in far.numbers) == some(60)


async def test_a_retry_goes_where_the_workspace_says_by_then(desk: Any) -> None:
    far = desk.far["a"]
    far.script = lambda outbound: SendError("failed_at_operator", "soon")
    request = await desk.call("447700900001")
    await desk.until(lambda: desk.dispatcher.counts["retried"])
    await desk.reach(request, State.QUEUED)
    await desk.change(connector="b")
    desk.skew += 5
    [row] = await desk.reach(request, State.SUBMITTED)

    assert (far.numbers, row.connector, row.attempt) == (["447700900001"], "demo/b", 2)
