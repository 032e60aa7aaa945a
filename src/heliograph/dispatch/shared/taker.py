"""From the broker into the lanes: bundles are asked for while lanes want more, held alive, and said to be done."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from heliograph.bus.nats.connection import BusAway
from heliograph.bus.nats.work import Bundle, Way, Work, token_of
from heliograph.dispatch.lane import Lane
from heliograph.dispatch.shared.holding import Shared
from heliograph.model.message import PRIORITIES
from heliograph.model.record import Chunk, Parked
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

LEAST = 512  # destinations of a lane and priority that are held and not claimed yet: below that more is asked for
AHEAD = 4  # the same as a multiple of what the lane claims ahead
ASK = 4  # bundles asked for at once
LOOK_SECONDS = 0.5
STRAYS_SECONDS = 10.0  # how often the stream is searched for what waits for lanes that are no more
AWAY_SECONDS = 1.0
PAUSE_SECONDS = 0.5
SHARE_OF_WAIT = 3  # that many signs of life in the time after which work goes to another


class Taker:
    """Feeds a dispatcher. `lanes` are those there are now; `queue` is given a chunk, and says whether its lane is
    here."""

    def __init__(
        self,
        work: Work,
        store: Store,
        held: Shared,
        lanes: Callable[[], list[Lane]],
        queue: Callable[[Chunk], bool],
        clock_ms: Callable[[], int],
    ) -> None:
        self._work = work
        self._store = store
        self._held = held
        self._lanes = lanes
        self._queue = queue
        self._clock_ms = clock_ms
        self._arrived: list[Bundle] = []
        self._strays: set[Way] = set()
        self._searched = -STRAYS_SECONDS
        self._taking = True
        self.counts = {"taken": 0, "again": 0, "given": 0, "parked": 0}

    def came(self, bundle: Bundle) -> None:
        """A bundle came from the broker."""
        self._arrived.append(bundle)
        self._held.wake.set()

    def changed(self) -> None:
        """The workspace is another: lanes may be gone, and what waits for those is searched for at once."""
        self._searched = -STRAYS_SECONDS
        self._held.wake.set()

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        wake = self._held.wake
        wake.set()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await wake.wait()
            wake.clear()
            try:
                await self.step()
            except StoreUnavailable as error:
                log.warning("chunks cannot be taken or given, trying again: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                wake.set()

    async def step(self) -> None:
        """Everything that there is to do now. Raises `StoreUnavailable`."""
        await self._take()
        await self._give()
        await self._finish()
        if self._taking:
            await self._ask()

    async def _take(self) -> None:
        arrived, self._arrived = self._arrived, []
        fresh = [bundle for bundle in arrived if not self._held.known(bundle)]
        try:
            fresh = [bundle for bundle in fresh if not await self._parked(bundle)]
            again = [
                (chunk.request, chunk.element)
                for bundle in fresh
                for chunk in bundle.chunks
                if (bundle.deliveries > 1 or chunk.again) and not self._held.has(chunk)
            ]
            if again and (released := await self._store.release_chunks(again)):
                self.counts["again"] += released
                log.warning("%d messages were being sent by a process that is gone; queued again, flagged", released)
        except StoreUnavailable:
            await self._work.later(fresh, PAUSE_SECONDS)
            raise
        for bundle in fresh:
            if self._held.known(bundle):  # it came twice at once
                continue
            for chunk in self._held.take(bundle):
                self.counts["taken"] += 1
                if not self._queue(chunk):
                    self._held.give(chunk, self._clock_ms() + int(AWAY_SECONDS * 1_000))

    async def _parked(self, bundle: Bundle) -> bool:
        """Whether a bundle was given too often; then it is kept aside, and its messages stay queued."""
        if bundle.deliveries <= self._work.most:
            return False
        now_ms = self._clock_ms()
        await self._store.park(
            [Parked(chunk.request, chunk.element, now_ms, bundle.deliveries) for chunk in bundle.chunks]
        )
        await self._work.end(bundle)
        self.counts["parked"] += len(bundle.chunks)
        log.error(
            "%d chunks came %d times without an end and are parked; see `GET /admin/v1/parked`",
            len(bundle.chunks), bundle.deliveries,
        )  # fmt: skip
        return True

    async def _give(self) -> None:
        if rows := self._held.giving:
            await self._store.owe(rows)
            self._held.giving = self._held.giving[len(rows) :]
            self._held.gave(rows)
            self.counts["given"] += len(rows)

    async def _finish(self) -> None:
        finished, self._held.finished = self._held.finished, []
        await self._work.done(finished)

    async def _ask(self) -> None:
        if not self._work.connected:
            return
        try:
            wanted: dict[Way, int] = {}
            for lane in self._lanes():
                if not lane.elsewhere and not self._held.still(lane):
                    wanted |= self._wanted(lane)
            await self._search()
            for way in self._strays - wanted.keys():
                wanted[way] = 1 if self._work.asked(way) < 1 else 0
            for way, count in wanted.items():
                if count:
                    await self._work.ask(way, count)
        except BusAway as error:
            log.warning("nothing can be asked for: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    def _wanted(self, lane: Lane) -> dict[Way, int]:
        """Bundles to be asked for, by priority, while few of its messages wait here."""
        token = token_of(lane.spec.channel, lane.name)
        enough = max(LEAST, AHEAD * lane.target)
        wanted = {}
        for priority in PRIORITIES:
            way = token, priority
            here = self._held.stock[way] + lane.queue.at_hand(priority)
            asked = self._work.asked(way)
            wanted[way] = ASK if here < enough and asked <= ASK // 2 else 0
        return wanted

    async def _search(self) -> None:
        """What waits for lanes that the workspace has no more is for anyone; it goes by the lanes there are now."""
        now = asyncio.get_running_loop().time()
        if now - self._searched < STRAYS_SECONDS:
            return
        self._searched = now
        known = {token_of(lane.spec.channel, lane.name) for lane in self._lanes()}
        self._strays = {way for way in await self._work.waiting() if way[0] not in known}

    async def keep(self) -> None:
        """Say of what is held that it is alive, for ever, and at once when the broker is back; ends by
        cancellation."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._work.wait / SHARE_OF_WAIT):
                    await self._work.back.wait()
            self._work.back.clear()
            await self._work.alive(list(self._held.bundles.values()))

    async def stop(self) -> None:
        """Take nothing any more."""
        self._taking = False
        await self._work.close()

    async def leave(self) -> None:
        """Give everything that is left to others; what was sent of it is durable by now."""
        try:
            await self._give()
        except StoreUnavailable as error:
            log.error("what waits for a moment comes back by the broker: %s", error)
        await self._finish()
        await self._work.later([*self._held.bundles.values(), *self._arrived])
