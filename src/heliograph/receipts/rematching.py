"""Finds the messages of receipts that reached another process than the answers to their submits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from heliograph.duties.leases import always
from heliograph.model.ids import first_id_at
from heliograph.receipts.receiver import Receiver
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
LATELY_MS = 120_000  # receipts that came within that time are looked at each time
ALL_EVERY = 150  # each so manieth look is at all of them


class Rematching:
    """Looks at receipts that match nothing, again and again."""

    def __init__(
        self, store: Store, receiver: Receiver, clock_ms: Callable[[], int], on_duty: Callable[[], bool] = always
    ) -> None:
        """`on_duty` says whether it is this process that looks, of several."""
        self._store = store
        self._receiver = receiver
        self._clock_ms = clock_ms
        self._on_duty = on_duty

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        looks = 0
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if not self._on_duty():
                continue
            looks += 1
            since = first_id_at(self._clock_ms() - LATELY_MS) if looks % ALL_EVERY else 0
            try:
                if found := await self._receiver.recover(since):
                    log.info("%d receipts have found their messages", found)
            except StoreUnavailable as error:
                log.warning("receipts that match nothing cannot be looked at, trying again: %s", error)
