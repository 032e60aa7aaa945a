"""Old requests go, with all that belongs to them, a slice at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from heliograph.model.ids import first_id_at
from heliograph.model.record import KEPT_MS
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
EVERY_SECONDS = 600.0
SLICE = 500  # requests deleted in one commit, so that no caller waits long behind it
PAUSE_SECONDS = 0.05


class Retention:
    """Deletes what is older than `days` and settled; what still waits is never touched."""

    def __init__(
        self, store: Store, days: int, clock_ms: Callable[[], int], on_duty: Callable[[], bool] = lambda: True
    ) -> None:
        """`on_duty` says whether it is this process that deletes, of several."""
        self._on_duty = on_duty
        self._store = store
        self._days = days
        self._clock_ms = clock_ms
        self._runs_went = False
        self._texts_due = 0

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        while True:
            try:
                if self._on_duty():
                    await self.purge()
            except StoreUnavailable as error:
                log.warning("old messages cannot be deleted, trying again later: %s", error)
            await asyncio.sleep(EVERY_SECONDS)

    async def purge(self) -> int:
        """Delete what is due; how many requests went."""
        now_ms = self._clock_ms()
        kept_until = first_id_at(now_ms - KEPT_MS)
        while await self._store.forget(now_ms - 2 * DAY_MS, kept_until, SLICE):
            await asyncio.sleep(PAUSE_SECONDS)
        await self._store.forget_links(now_ms - 2 * DAY_MS)
        await self._store.forget_wishes(now_ms)
        if left := await self._store.tidy_reservations():
            log.warning("%d messages had money set aside that nobody settled; that is done now", left)
        before = first_id_at(now_ms - self._days * DAY_MS)
        while await self._store.purge_profile_jobs(before, SLICE):
            await asyncio.sleep(PAUSE_SECONDS)
        while await self._store.purge_runs(before, SLICE):
            self._runs_went = True
            await asyncio.sleep(PAUSE_SECONDS)
        while await self._store.purge_occurrences(before, SLICE):
            await asyncio.sleep(PAUSE_SECONDS)
        if dropped := await self._store.maintain(now_ms, before):
            log.info("old messages are gone with %d partitions, %s the last", len(dropped), dropped[-1])
        gone = 0
        while count := await self._store.purge(before, SLICE):
            gone += count
            await asyncio.sleep(PAUSE_SECONDS)
        await self._purge_texts(now_ms)
        return gone

    async def _purge_texts(self, now_ms: int) -> None:
        """Wordings of rules that no run follows any more: last, and once a day, for all runs are looked through, and
        where there are very many that takes longer than the database is waited for."""
        if self._runs_went and now_ms >= self._texts_due:
            self._runs_went, self._texts_due = False, now_ms + DAY_MS
            await self._store.purge_rule_texts(first_id_at(now_ms - DAY_MS))
