"""Ends the wait for receipts that never came; a later one is still kept, shown and told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from heliograph.catalogue import keys
from heliograph.duties.leases import always
from heliograph.model.ids import Ids
from heliograph.model.outcome import State
from heliograph.model.record import Notice, Settlement
from heliograph.policy.directory import Directory
from heliograph.policy.outcomes import Made, OutcomeBook, notices_owed, reports_of
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
WINDOWS = 500  # closed at once

# decisions 8: a silent SMS route ends 7200, the others 7303.
LAPSED_AS = {"sms": keys.UNKNOWN_STATUS}
OTHERWISE = keys.RECEIPT_EXPIRED
DETAIL = "no final receipt came within the receipt window"


class Sweeper:
    """Looks at windows that ended and settles what still waits in them."""

    def __init__(
        self,
        store: Store,
        directory: Callable[[], Directory],
        ids: Ids,
        clock_ms: Callable[[], int],
        tell: Callable[[list[Notice]], None],
        on_duty: Callable[[], bool] = always,
    ) -> None:
        """`on_duty` says whether it is this process that sweeps, of several."""
        self._on_duty = on_duty
        self._store = store
        self._book = OutcomeBook(directory, ids.next)
        self._clock_ms = clock_ms
        self._tell = tell

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                while self._on_duty() and await self.sweep():
                    await asyncio.sleep(0)
            except StoreUnavailable as error:
                log.warning("receipt windows cannot be closed, trying again: %s", error)

    async def sweep(self) -> int:
        """Settle what lapsed; 0 when no window is over."""
        now_ms = self._clock_ms()
        edge = await self._store.window_edge(now_ms, WINDOWS)
        if not edge:
            return 0
        rows = await self._store.lapsed(edge)
        requests = await self._store.requests({row.request for row in rows})
        made: list[Made] = []
        for row in rows:
            request = requests[row.request]
            channel = request.messages[row.element].content.channel
            outcomes = self._book.of(request, row.element)
            key = LAPSED_AS.get(channel, OTHERWISE)
            made.append(Made(outcomes.change(row.ordinal, State.LAPSED, key, now_ms, DETAIL), outcomes, row))
        if made:
            applied = await self._store.settle(
                Settlement(changes=[each.change for each in made], occurrences=reports_of(made))
            )
            self._tell(notices_owed(made, applied))
        await self._store.close_windows(edge)
        return edge
