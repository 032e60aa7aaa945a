"""Receipts that came to another process than the answer to the submit: found in the table, by one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from heliograph.model.outcome import State
from heliograph.receipts import rematching
from heliograph.receipts.rematching import LATELY_MS, Rematching
from heliograph.store.correlator import Correlator

HOUR_MS = 3_600_000


@asynccontextmanager
async def looking(desk, on_duty: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
    """While it looks."""
    looks = Rematching(desk.store, desk.receiver, lambda: desk.now, on_duty)
    task = asyncio.create_task(looks.run())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look each hundredth of a second, at all each third time."""
    monkeypatch.setattr(rematching, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(rematching, "ALL_EVERY", 3)


async def elsewhere(desk, receipt) -> object:
    """A message whose receipt came here before another process wrote the far end's answer."""
    message = await desk.message(known=False)
    await desk.come(receipt("n1"))
    answered, desk.correlator = desk.correlator, Correlator()
    await desk.answer(message, "n1")  # in the other process, whose correlator is not ours
    desk.correlator = answered
    return message


async def test_a_receipt_finds_a_message_that_another_process_sent(desk, receipt) -> None:
    message = await elsewhere(desk, receipt)
    assert (await desk.state(message))[0] is State.SUBMITTED

    async with looking(desk):
        await desk.until(message, (State.DELIVERED, "delivered"))
    assert len(desk.told) == 1
    assert await desk.store.unmatched(0, 10) == []


async def test_only_the_process_on_duty_looks(desk, receipt) -> None:
    message = await elsewhere(desk, receipt)

    async with looking(desk, lambda: False):
        await asyncio.sleep(0.1)

    assert (await desk.state(message))[0] is State.SUBMITTED


async def test_one_that_came_long_ago_is_found_when_all_are_looked_at(desk, receipt) -> None:
    message = await elsewhere(desk, receipt)
    desk.now += max(HOUR_MS, 2 * LATELY_MS)

    async with looking(desk):
        await desk.until(message, (State.DELIVERED, "delivered"))


async def test_a_store_that_fails_is_asked_again(desk, receipt) -> None:
    message = await elsewhere(desk, receipt)
    desk.store.weak["rematched"] = 2

    async with looking(desk):
        await desk.until(message, (State.DELIVERED, "delivered"))
