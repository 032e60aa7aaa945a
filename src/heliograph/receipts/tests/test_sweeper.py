"""What is silent ends after its window, and only that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.outcome import Receipt, State
from heliograph.store import StoreUnavailable

Make = Callable[..., Receipt]


async def test_a_silent_route_ends_after_its_window_and_is_told(desk: Any) -> None:
    message = await desk.message("n1", due=desk.now + 500)
    desk.now += 500
    await desk.sweeper.sweep()

    assert await desk.state(message) == (State.LAPSED, "unknown_status")
    assert [notice.key for notice in desk.told] == ["unknown_status"]


async def test_nothing_ends_before_its_window(desk: Any) -> None:
    message = await desk.message("n1", due=desk.now + 500)
    desk.now += 499

    assert await desk.sweeper.sweep() == 0
    assert await desk.state(message) == (State.SUBMITTED, "submitted")


async def test_only_what_is_silent_ends(desk: Any, receipt: Make) -> None:
    due = desk.now + 500
    heard, silent, later = (
        await desk.message("n1", due=due), await desk.message("n2", due=due), await desk.message("n3", due=due + 1),
    )  # fmt: skip
    await desk.come(receipt("n1"))
    desk.now = due
    await desk.sweeper.sweep()

    assert [(await desk.state(message))[0] for message in (heard, silent, later)] == [
        State.DELIVERED,
        State.LAPSED,
        State.SUBMITTED,
    ]


async def test_a_window_is_closed_once(desk: Any) -> None:
    await desk.message("n1", due=desk.now)

    assert [await desk.sweeper.sweep() > 0, await desk.sweeper.sweep() > 0] == [True, False]


async def test_a_message_without_window_never_ends(desk: Any) -> None:
    message = await desk.message("n1")
    desk.now += 1 << 40

    assert await desk.sweeper.sweep() == 0
    assert (await desk.state(message))[0] is State.SUBMITTED


async def test_a_receipt_after_the_end_is_kept_and_told(desk: Any, receipt: Make) -> None:
    message = await desk.message("n1", due=desk.now)
    await desk.sweeper.sweep()
    await desk.come(receipt("n1"))

    assert (await desk.state(message))[0] is State.DELIVERED
    assert [notice.key for notice in desk.told] == ["unknown_status", "delivered"]


@pytest.mark.parametrize("call", ["window_edge", "lapsed", "requests", "settle", "close_windows"])
async def test_a_store_that_fails_ends_it_the_next_time(desk: Any, call: str) -> None:
    message = await desk.message("n1", due=desk.now)
    desk.store.weak[call] = 1
    with pytest.raises(StoreUnavailable):
        await desk.sweeper.sweep()
    await desk.sweeper.sweep()

    assert (await desk.state(message))[0] is State.LAPSED
    assert len(desk.told) == 1
