"""One person at a time: messages to one thread go out in their order, and a thread that is flooded rests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

PAUSES_KEPT = 10_000


class Threads:
    """The threads of one connector. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, asyncio.Future[None]] = {}
        self._pauses: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, to: str) -> AsyncIterator[None]:
        """Wait until everything that was sent to them before is done."""
        before = self._last.get(to)
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._last[to] = mine
        try:
            if before is not None:
                await asyncio.wait([before])
            yield
        finally:
            mine.set_result(None)
            if self._last[to] is mine:
                del self._last[to]

    def pause(self, to: str, seconds: float) -> None:
        """Send them nothing for so long."""
        now = self._clock()
        if len(self._pauses) >= PAUSES_KEPT:
            self._pauses = {name: until for name, until in self._pauses.items() if until > now}
        self._pauses[to] = now + seconds

    def paused(self, to: str) -> float:
        """Seconds for which they rest; 0 when they do not."""
        until = self._pauses.get(to) if self._pauses else None
        if until is None:
            return 0.0
        left = until - self._clock()
        if left <= 0:
            del self._pauses[to]
        return max(left, 0.0)
