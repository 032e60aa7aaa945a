"""Work that processes share: what is accepted goes to the broker, and workers take it from there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from heliograph.bus.nats.connection import BusAway, Connection
from heliograph.bus.nats.work import Work
from heliograph.dispatch.lanes import Lanes
from heliograph.dispatch.shared.holding import Shared
from heliograph.dispatch.shared.publisher import Publisher
from heliograph.dispatch.shared.routes import Routes
from heliograph.dispatch.shared.taker import Taker
from heliograph.dispatch.worker import Dispatcher
from heliograph.policy.directory import Directory
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

PUBLISH_SECONDS = 2.0  # how long a stop waits for what is on its way to the broker
PAUSE_SECONDS = 0.5

NO_WORK = dict.fromkeys(("published", "unpublished", "relayed", "taken", "again", "given", "parked"), 0)
"""What `/metrics` shows of a process alone."""

Run = Callable[[Coroutine[Any, Any, None], str], None]


class Working:
    """Publishes on every process, and takes on workers. `held` goes to the dispatcher, which is tied in later."""

    def __init__(
        self, connection: Connection, store: Store, directory: Callable[[], Directory], clock_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._work = Work(connection)
        self._work.emptied = self._lost
        self._refill = asyncio.Event()
        self.held = Shared(clock_ms)
        self.publisher = Publisher(self._work, store, Routes(directory), clock_ms)
        self._taker: Taker | None = None

    def feed(self, dispatcher: Dispatcher, lanes: Lanes) -> None:
        """This process is a worker."""
        self._taker = Taker(self._work, self._store, self.held, lanes.all, dispatcher.take, self._clock_ms)
        self._work.came = self._taker.came

    async def start(self, run: Run) -> None:
        """Begin; the connection and the store are there, and the lanes of a worker."""
        try:
            await self._work.ensure()
        except BusAway as error:
            log.warning("what is accepted stays in the outbox for now: %s", error)
        run(self.publisher.run(), "publisher")
        run(self.publisher.tidy(), "outbox")
        run(self.publisher.relay(), "relay")
        run(self._refilling(), "refill")
        if self._taker is not None:
            await self._work.open()
            run(self._taker.run(), "taker")
            run(self._taker.keep(), "held work")

    async def changed(self) -> None:
        """The workspace changed: what waits for a moment to come may wait no longer."""
        try:
            await self._store.hasten_outbox(self._clock_ms())
        except StoreUnavailable as error:
            log.warning("what waits for a moment waits on: %s", error)

    def _lost(self) -> None:
        self._refill.set()

    async def _refilling(self) -> None:
        """The stream is new, or lost everything: what is open is owed to it. Of what another process may be sending
        right now it is better to be told that it may be a duplicate than to lose it."""
        while True:
            await self._refill.wait()
            self._refill.clear()
            try:
                if count := await self._store.refill_outbox(self._clock_ms()):
                    log.warning("the broker has nothing of %d chunks that are open; they are published again", count)
            except StoreUnavailable as error:
                log.warning("what is open cannot be published again yet: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                self._refill.set()

    async def stop_taking(self) -> None:
        """Before the dispatcher drains."""
        if self._taker is not None:
            await self._taker.stop()

    async def leave(self) -> None:
        """After the dispatcher drained: all that is left is for others."""
        await self.publisher.drained(PUBLISH_SECONDS)
        if self._taker is not None:
            await self._taker.leave()

    def numbers(self) -> dict[str, float]:
        """What `/metrics` shows."""
        return {**NO_WORK, **self.publisher.counts, **(self._taker.counts if self._taker else {})}
