"""Chunks to the broker: at once when their call was committed, and later what was not published then.

The outbox decides: its rows are written with the call, and deleted once the broker has the chunk. What a node did not
publish, because it died or because the broker was away, is due after a moment, and any node publishes it.
A chunk that is published twice is harmless: what one worker claimed no other claims.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from heliograph.bus.nats.connection import BusAway
from heliograph.bus.nats.work import Way, Work
from heliograph.dispatch.shared.routes import Routes
from heliograph.model.message import Request
from heliograph.model.record import Accepted, Chunk, Owed
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

BUNDLE = 1_000  # destinations in one bundle, unless one chunk has more
BUNDLE_CHUNKS = 500
AT_ONCE = 64  # bundles on their way to the broker
WAITING = 100_000  # chunks that wait for that; more are left to the outbox
LOOK_SECONDS = 0.5
TAKE = 1_000  # rows of the outbox
TAKEN_MS = 10_000  # how long what was taken is not taken again
TIDY_SECONDS = 0.2  # how long what is published may stay in the outbox, where it is not due that soon
PAUSE_SECONDS = 0.5

Item = tuple[Chunk, Owed]


class Publisher:
    """Publishes what this node accepts, and what is due in the outbox."""

    def __init__(self, work: Work, store: Store, routes: Routes, clock_ms: Callable[[], int]) -> None:
        self._work = work
        self._store = store
        self._routes = routes
        self._clock_ms = clock_ms
        self._waiting: list[Item] = []
        self._kept: list[Owed] = []
        self._wake = asyncio.Event()
        self._some = asyncio.Event()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.counts = {"published": 0, "unpublished": 0, "relayed": 0}

    def offer(self, accepted: Accepted) -> None:
        """A call was committed. Without a broker its chunks stay in the outbox."""
        if not self._work.connected or len(self._waiting) > WAITING:
            self.counts["unpublished"] += len(accepted.owed)
            return
        self._waiting.extend((chunk_of(accepted.request, owed), owed) for owed in accepted.owed)
        self._wake.set()

    async def run(self) -> None:
        """Publish what is accepted, for ever; ends by cancellation."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            items, self._waiting = self._waiting, []
            for way, bundle in self._bundles(items):
                await self._room.acquire()
                task = asyncio.get_running_loop().create_task(self._publish(way, bundle))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _bundles(self, items: Iterable[Item]) -> Iterable[tuple[Way, list[Item]]]:
        """What goes the same way, together."""
        by_way: defaultdict[Way, list[Item]] = defaultdict(list)
        for item in items:
            by_way[self._routes.way(item[0])].append(item)
        for way, chosen in by_way.items():
            bundle: list[Item] = []
            size = 0
            for item in chosen:
                if bundle and (size + item[0].count > BUNDLE or len(bundle) == BUNDLE_CHUNKS):
                    yield way, bundle
                    bundle, size = [], 0
                bundle.append(item)
                size += item[0].count
            yield way, bundle

    async def _publish(self, way: Way, bundle: list[Item]) -> None:
        try:
            await self._work.publish(way, [chunk for chunk, _ in bundle], _name(bundle))
        except BusAway as error:
            self.counts["unpublished"] += len(bundle)
            log.debug("%d chunks stay in the outbox: %s", len(bundle), error)
        else:
            self.counts["published"] += len(bundle)
            self._kept.extend(owed for _, owed in bundle)
            self._some.set()
        finally:
            self._room.release()

    async def tidy(self) -> None:
        """Delete what is published from the outbox, for ever; ends by cancellation."""
        while True:
            await self._some.wait()
            await asyncio.sleep(TIDY_SECONDS)
            self._some.clear()
            await self._delete()

    async def _delete(self) -> None:
        rows, self._kept = self._kept, []
        try:
            await self._store.published(rows)
        except StoreUnavailable as error:
            log.warning("what is published is published again: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def relay(self) -> None:
        """Publish what is due in the outbox, for ever; ends by cancellation."""
        while True:
            try:
                more = self._work.connected and await self._relay_some()
            except (StoreUnavailable, BusAway) as error:
                log.warning("the outbox waits: %s", error)
                more = False
            if not more:
                await asyncio.sleep(LOOK_SECONDS)

    async def _relay_some(self) -> bool:
        """Whether there may be more."""
        now_ms = self._clock_ms()
        if not await self._store.outbox_due(now_ms):
            return False
        rows = await self._store.take_outbox(now_ms, TAKE, now_ms + TAKEN_MS)
        requests = await self._store.requests({row.request for row in rows})
        items = [(chunk_of(requests[row.request], row), row) for row in rows if row.request in requests]
        bundles = deque(self._bundles(items))
        try:
            while bundles:
                way, bundle = bundles[0]
                await self._work.publish(way, [chunk for chunk, _ in bundle], _name(bundle))
                bundles.popleft()
        except BusAway:
            await self._put_back([owed for _, bundle in bundles for _, owed in bundle], now_ms)
            raise
        self.counts["relayed"] += len(rows)
        await self._store.published(rows)
        return len(rows) == TAKE

    async def _put_back(self, rows: list[Owed], due_ms: int) -> None:
        """What was taken and not published is due at once: the brokers may have a leader again in a moment."""
        await self._store.owe([replace(row, due=due_ms) for row in rows])
        await self._store.published(rows)

    async def drained(self, seconds: float) -> None:
        """What was accepted is published, or stays in the outbox."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=seconds)
        await self._delete()


def chunk_of(request: Request, owed: Owed) -> Chunk:
    """The chunk of a row of the outbox."""
    message = request.messages[owed.element]
    content = message.content
    return Chunk(
        request.id, owed.element, owed.size, message.priority, message.expiry, request.tenant, request.service,
        content.channel, content.appid, owed.again,
    )  # fmt: skip


def _name(bundle: list[Item]) -> str:
    """Of one chunk its own; the stream keeps what has the same name once."""
    first = bundle[0][1]
    more = f"+{len(bundle) - 1}" if len(bundle) > 1 else ""
    return f"{first.request}.{first.element}.{first.due}{more}"
