"""Work that processes share: what is accepted goes to the broker, and workers take it from there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from heliograph.bus.nats.connection import BusAway, Connection
from heliograph.bus.nats.work import Work
from heliograph.dispatch.lanes import Lanes
from heliograph.dispatch.rows import Clocks
from heliograph.dispatch.shared.expiry import Expiry
from heliograph.dispatch.shared.holding import Shared
from heliograph.dispatch.shared.publisher import Publisher
from heliograph.dispatch.shared.routes import Routes
from heliograph.dispatch.shared.taker import Taker
from heliograph.dispatch.worker import Dispatcher
from heliograph.model.record import Accepted
from heliograph.policy.directory import Directory
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

PUBLISH_SECONDS = 2.0  # how long a stop waits for what is on its way to the broker
PAUSE_SECONDS = 0.5
REFILL = 5_000  # requests in one commit

COUNTS = ("published", "unpublished", "relayed", "taken", "again", "given", "parked")

Run = Callable[[Coroutine[Any, Any, None], str], None]


class Working:
    """Publishes on every process, and takes on workers. Of a process alone, which has no connection, everything here
    is trivial: what is accepted is queued at once. `held` is for the dispatcher."""

    def __init__(
        self,
        connection: Connection | None,
        store: Store,
        directory: Callable[[], Directory],
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock_ms = clock_ms
        self._refill = asyncio.Event()
        self.held: Shared | None = None
        self._work: Work | None = None
        self._publisher: Publisher | None = None
        self._taker: Taker | None = None
        self._expiry: Expiry | None = None
        if connection is not None:
            self.held = Shared(clock_ms)
            self._work = Work(connection)
            self._work.emptied = self._refill.set
            self._publisher = Publisher(self._work, store, Routes(directory), clock_ms)

    def queued(
        self, dispatcher: Dispatcher, lanes: Lanes, *, works: bool, on_duty: Callable[[], bool]
    ) -> Callable[[Accepted], None]:
        """What is to be called with what was accepted; of a worker the dispatcher is fed. `on_duty` says whether this
        process keeps house."""
        if self._work is None or self.held is None or self._publisher is None:
            return dispatcher.offer if works else lambda accepted: None
        if works:
            self._taker = Taker(self._work, self._store, self.held, lanes.all, dispatcher.take, self._clock_ms)
            self._work.came = self._taker.came
            clocks = Clocks(self._store, self._directory)
            end = dispatcher.end_expired
            self._expiry = Expiry(self._store, clocks, self.held, end, on_duty, self._clock_ms)
        return self._publisher.offer

    async def start(self, run: Run) -> None:
        """Begin; the connection and the store are there, and the lanes of a worker."""
        if self._work is None or self._publisher is None:
            return
        try:
            await self._work.ensure()
        except BusAway as error:
            log.warning("what is accepted stays in the outbox for now: %s", error)
        run(self._publisher.run(), "publisher")
        run(self._publisher.tidy(), "outbox")
        run(self._publisher.relay(), "relay")
        run(self._refilling(), "refill")
        if self._taker is not None:
            await self._work.open()
            run(self._taker.run(), "taker")
            run(self._taker.keep(), "held work")
        if self._expiry is not None:
            run(self._expiry.run(), "expiry")

    async def changed(self) -> None:
        """The workspace changed: what waits for a moment to come may wait no longer."""
        if self._work is None:
            return
        try:
            await self._store.hasten_outbox(self._clock_ms())
        except StoreUnavailable as error:
            log.warning("what waits for a moment waits on: %s", error)
        if self._taker is not None:
            self._taker.changed()

    async def _refilling(self) -> None:
        """The stream is new, or lost everything: what is open is owed to it. Of what another process may be sending
        right now it is better to say that it may be a duplicate than to lose it."""
        while True:
            await self._refill.wait()
            self._refill.clear()
            after = 0
            try:
                while after := await self._store.refill_outbox(after, REFILL, self._clock_ms()):
                    log.warning("the broker has nothing of what is open; it is published again, up to %d", after)
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
        if self._publisher is not None:
            await self._publisher.drained(PUBLISH_SECONDS)
        if self._taker is not None:
            await self._taker.leave()

    @property
    def count(self) -> int:
        """Chunks that are held."""
        return self.held.count if self.held is not None else 0

    def numbers(self) -> dict[str, float]:
        """What `/metrics` shows."""
        counts: dict[str, float] = dict.fromkeys(COUNTS, 0)
        counts |= self._publisher.counts if self._publisher else {}
        return counts | (self._taker.counts if self._taker else {})
