"""The time of day, as a process knows it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from heliograph.duties.leases import passed_seconds
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

EVERY_SECONDS = 5.0  # between two looks at the database's clock
WRONG_MS = 1_000  # from when on it is worth a word


def clock_ms() -> int:
    """Unix milliseconds of this machine."""
    return time.time_ns() // 1_000_000


class Clock:
    """Unix milliseconds. Of a process alone they are its machine's. Processes that share a database go by that one's
    clock, for each acts on moments that others have written: one whose machine is an hour ahead must not make its
    work wait an hour for the others. Between two looks counts what has passed, so nothing that is done to the
    machine's clock is noticed."""

    def __init__(self, wall_ms: Callable[[], int] = clock_ms, passed: Callable[[], float] = passed_seconds) -> None:
        self._wall_ms = wall_ms
        self._passed = passed
        self._ahead: float | None = None  # the database's milliseconds less those that have passed
        self._wrong = False

    def __call__(self) -> int:
        """Now."""
        return self._wall_ms() if self._ahead is None else int(self._ahead + self._passed() * 1_000)

    async def look(self, ask: Callable[[], Awaitable[int]]) -> None:
        """See what the database's clock shows, which `ask` gives, at some moment between question and answer. What is
        believed stays so as long as it can be true. Raises `StoreUnavailable`."""
        began = self._passed() * 1_000
        shown = await ask()
        latest, earliest = shown + 1 - began, shown - self._passed() * 1_000
        # Behind rather than ahead: what went out must not seem to be later than what the far end says of it.
        believed = earliest if self._ahead is None else self._ahead
        self._ahead = min(max(believed, earliest), latest)
        self._compare()

    def _compare(self) -> None:
        """Say once that the machine's clock is wrong, or right again."""
        off = self._wall_ms() - self()
        if (abs(off) > WRONG_MS) != self._wrong:
            self._wrong = not self._wrong
            log.warning("this machine's clock is %d ms ahead of the database's, by which we go", off)

    async def follow(self, ask: Callable[[], Awaitable[int]]) -> None:
        """Keep looking, for ever; ends by cancellation."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.look(ask)
            except StoreUnavailable as error:
                log.debug("the database's clock cannot be seen: %s", error)
