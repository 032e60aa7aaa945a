"""What is written together is told apart again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, cast

from heliograph.dispatch.settler import Settler
from heliograph.model.message import Address, Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Change, Notice, Settlement

ADDRESS = Address("userid", "ann")


class Kept:
    """A store that takes every change, and of what is owed by device every second."""

    async def settle(self, settlement: Settlement) -> list[bool]:
        return [True] * len(settlement.changes) + [place % 2 == 0 for place in range(len(settlement.owed))]


async def test_who_counts_changes_is_not_given_the_notices_of_devices() -> None:
    written: list[tuple[int, list[bool]]] = []
    told: list[Notice] = []

    def count(batch: Sequence[Any], applied: Sequence[bool]) -> None:
        written.append((len(batch), list(applied)))

    settler = Settler(cast(Any, Kept()), told.extend, count)
    running = asyncio.create_task(settler.run())
    owed = [
        Notice(
            number, 1, 0, 0, ADDRESS, State.SUBMITTED, "submitted", "", 5, "http://c/", "http://c", "demo", "orders"
        )
        for number in (1, 2)
    ]
    settler.devices([], owed)
    settler.add(Change(1, 0, State.SUBMITTED, "submitted", 5), None, Transaction(1, 0, 0, ADDRESS))
    await settler.drained(2)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running

    assert written == [(1, [True])]
    assert [notice.id for notice in told] == [1]
