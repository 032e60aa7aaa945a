"""Outcomes of tries, gathered over some milliseconds into one durable write."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from heliograph.model.record import Told
from heliograph.notify.endpoint import Endpoint
from heliograph.notify.seams import NoticeStore

log = logging.getLogger(__name__)

RETRY_PAUSE = 0.5  # seconds before a write that failed is tried again

Settled = Callable[[Endpoint, Told], None]


class Settling:
    """Takes outcomes without waiting; `settled` is called for each once it is durable."""

    def __init__(self, store: NoticeStore, batch: float, settled: Settled) -> None:
        self._store = store
        self._batch = batch
        self._settled = settled
        self._waiting: list[tuple[Endpoint, Told]] = []
        self._some = asyncio.Event()
        self._closing = False

    def add(self, endpoint: Endpoint, told: Told) -> None:
        """Take one outcome."""
        self._waiting.append((endpoint, told))
        self._some.set()

    async def run(self) -> None:
        """Write until `close`, and then what is left."""
        while not self._closing or self._waiting:
            await self._some.wait()
            self._some.clear()
            if not self._closing:
                await asyncio.sleep(self._batch)
            await self._write()

    def close(self) -> None:
        """Let `run` end when all is written."""
        self._closing = True
        self._some.set()

    async def _write(self) -> None:
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        try:
            await self._store.told([told for _, told in batch])
        except Exception:  # the verb's loop: the outcomes are kept and written later
            log.exception("writing the outcomes of %d notices failed", len(batch))
            self._waiting[:0] = batch
            self._some.set()
            await asyncio.sleep(RETRY_PAUSE)
            return
        for endpoint, told in batch:
            self._settled(endpoint, told)
