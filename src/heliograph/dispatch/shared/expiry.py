"""Messages that expire while nobody has them: their chunks wait at the broker for a connector that stands still."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from heliograph.dispatch.rows import Clocks, open_elements
from heliograph.dispatch.shared.holding import Shared
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
GRACE_MS = 5_000  # by then no process sends it any more, were its clock late
AT_ONCE = 500
SHARE = 20  # of the time a look may take one part in so many


class Expiry:
    """Ends them. Of several processes the one that keeps house does, as `on_duty` says; `end` is given slots and now
    (Unix milliseconds)."""

    def __init__(
        self,
        store: Store,
        clocks: Clocks,
        held: Shared,
        end: Callable[[list[int], int], Awaitable[None]],
        on_duty: Callable[[], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._clocks = clocks
        self._held = held
        self._end = end
        self._on_duty = on_duty
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        pause, loop = EVERY_SECONDS, asyncio.get_running_loop()
        while True:
            await asyncio.sleep(pause)
            began = loop.time()
            try:
                if self._on_duty():
                    await self.look()
            except StoreUnavailable as error:
                log.warning("what has expired cannot be ended yet: %s", error)
            pause = max(EVERY_SECONDS, SHARE * (loop.time() - began))

    async def look(self) -> None:
        """End what has expired by now, but for what this process holds, which it ends itself. Raises
        `StoreUnavailable`."""
        now_ms = self._clock_ms()
        slots: list[int] = []
        async for found in open_elements(self._store, self._clocks):
            if 0 < found.ends <= now_ms - GRACE_MS and not self._held.holds(found.slot):
                slots.append(found.slot)
        for start in range(0, len(slots), AT_ONCE):
            await self._end(slots[start : start + AT_ONCE], now_ms)
