"""The verb TELL: pending notices become calls to their URLs, each endpoint apart from all others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from itertools import islice
from random import Random
from typing import Any

from heliograph.model.record import Delivery, Notice, Told
from heliograph.notify.alarms import Alarms
from heliograph.notify.attempt import Attempts, Tried
from heliograph.notify.endpoint import Endpoint, Lane
from heliograph.notify.seams import ClockMs, NoticeStore, Services, Settings
from heliograph.notify.settling import Settling
from heliograph.notify.shares import Shares
from heliograph.notify.slots import Slots
from heliograph.wire.http import Client

log = logging.getLogger(__name__)

PROBE_READ = 200  # notices read when an endpoint has rested: one is tried, the rest shares its fate
READ_AHEAD = 64  # notices of a lane whose requests are read together


class Teller:
    """Tells callers. Fresh notices come by `offer`; the table behind them has all, and is looked at when
    memory runs low, when a retry is due, and every `poll` seconds. `mine`: which origins are told here; None: all."""

    def __init__(
        self, store: NoticeStore, client: Client, services: Services, clock_ms: ClockMs, rng: Random,
        settings: Settings = Settings(),  # noqa: B008 - frozen
        mine: Callable[[str], bool] | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock_ms = clock_ms
        self._rng = rng
        self._settings = settings
        self._attempts = Attempts(store, client, services, clock_ms, rng, settings.timeout)
        self._slots = Slots(settings.connections)
        self._settling = Settling(store, settings.batch, self._settled)
        self._endpoints: dict[str, Endpoint] = {}
        self.shares = Shares(mine, self._endpoints)
        self._low = settings.queue // 4
        self._soon = round(settings.poll * 2000)  # milliseconds; later retries are found by polling
        self._alarms = Alarms()
        self._next_poll = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._running: asyncio.Task[None] | None = None
        self._counts = dict.fromkeys(("sent", "failed", "retried", "parked", "in_flight"), 0)

    def offer(self, notices: Sequence[Notice]) -> None:
        """Take notices that have just been committed. Those that find no room stay in the table alone."""
        if self._stopping:
            return
        now = self._clock_ms()
        for notice in notices:
            endpoint = self._endpoint(notice.origin)
            if endpoint.more or endpoint.rests or endpoint.room() <= 0:
                if not endpoint.more and not endpoint.resting(now):
                    self._wake.set()
                endpoint.more = True  # behind those that wait in the table already
            else:
                self._put(endpoint, notice)

    def look(self) -> None:
        """Look at the table now: there may be origins that were another's."""
        self._next_poll = 0
        self._wake.set()

    def wake(self, origin: str) -> None:
        """Look at an origin's pending notices now, even if it rests."""
        endpoint = self._endpoint(origin)
        endpoint.more = True
        endpoint.rest_until = 0
        self._wake.set()

    async def run(self) -> None:
        """Tell until `stop`."""
        self._running = asyncio.current_task()
        settling = asyncio.create_task(self._settling.run())
        try:
            while not self._stopping:
                self._wake.clear()
                try:
                    await self._round()
                except Exception:  # the verb's loop: the table is looked at again at the next poll
                    log.exception("reading pending notices failed")
                await self._pause()
            await settling  # ends when `stop` has closed it and all is written
        finally:
            settling.cancel()

    async def stop(self, grace: float) -> None:
        """Finish the calls under way, for up to `grace` seconds; the rest stays pending in the table."""
        self._stopping = True
        self._wake.set()
        tasks = self._tasks()
        for endpoint in self._endpoints.values():
            endpoint.drain()
            for lane in endpoint.lanes:
                lane.rouse(False)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._settling.close()
        if self._running is not None:
            _, late = await asyncio.wait([self._running], timeout=max(grace, 1))
            for task in late:  # the store does not take the outcomes; they will be told again
                task.cancel()

    def stats(self) -> dict[str, int]:
        """Counts since the start (sent, failed tries, retried, parked), and what is under way and queued."""
        return self._counts | {"queued": sum(endpoint.queued for endpoint in self._endpoints.values())}

    def endpoints(self) -> list[dict[str, Any]]:
        """For people: each endpoint that has something to do, and why it rests."""
        now = self._clock_ms()
        return [endpoint.report(now) for endpoint in self._endpoints.values()]

    # filling the queues

    async def _round(self) -> None:
        now = self._clock_ms()
        for origin in self._alarms.past(now):
            self._endpoint(origin).more = True
        if now >= self._next_poll:
            self._next_poll = now + round(self._settings.poll * 1000)
            self._forget_idle(now)
            for origin in filter(self.shares.has, await self._store.notice_origins(now)):
                self._endpoint(origin).more = True
        self.shares.abandon()
        for endpoint in list(self._endpoints.values()):
            if not endpoint.more or endpoint.queued > self._low or self._stopping:
                continue
            try:
                await self._fill(endpoint)
            except Exception:  # the verb's loop: what is wrong with one endpoint's rows stops no other
                log.exception("reading the pending notices of %s failed", endpoint.origin)

    async def _fill(self, endpoint: Endpoint) -> None:
        now = self._clock_ms()
        probing = endpoint.rests > 0
        limit = min(PROBE_READ, endpoint.room()) if probing else endpoint.room()
        if endpoint.resting(now) or limit <= 0 or (probing and endpoint.held):
            return
        endpoint.more = False
        endpoint.fetching(True)
        try:
            found = await self._store.due_notices(endpoint.origin, now, limit, frozenset(endpoint.held))
            for notice in found if not self._stopping else ():
                self._put(endpoint, notice)
        except BaseException:
            endpoint.more = True
            raise
        finally:
            endpoint.fetching(False)
        endpoint.more |= len(found) >= limit

    def _put(self, endpoint: Endpoint, notice: Notice) -> None:
        lane = endpoint.put(notice)
        if lane is not None and lane.task is None:
            lane.task = asyncio.create_task(self._work(endpoint, lane))

    async def _pause(self) -> None:
        seconds = (self._alarms.next(self._next_poll) - self._clock_ms()) / 1000
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.001, seconds)):
                await self._wake.wait()

    # emptying them

    async def _work(self, endpoint: Endpoint, lane: Lane) -> None:
        try:
            while not self._stopping:
                if lane.queue:
                    await self._next(endpoint, lane)
                elif not await lane.wait() and not lane.queue:
                    return
        finally:
            lane.task = None

    async def _next(self, endpoint: Endpoint, lane: Lane) -> None:
        notice = endpoint.take(lane)
        if endpoint.more and endpoint.queued == self._low:
            self._wake.set()
        if not self._slots.take(endpoint.share):
            await self._slots.wait(endpoint.share)
        try:
            if self._stopping or endpoint.resting(self._clock_ms()) or not self.shares.has(endpoint.origin):
                self._set_aside(endpoint, notice)
                return
            tried = await self._try(notice, lane)
        finally:
            self._slots.give(endpoint.share)
        self._judge(endpoint, tried)

    async def _try(self, notice: Notice, lane: Lane) -> Tried:
        self._counts["in_flight"] += 1
        try:
            return await self._attempts.tell(notice, islice(lane.queue, READ_AHEAD))
        except Exception:  # the verb's loop: a fault of ours ends this try, not the lane
            log.exception("telling notice %d failed", notice.id)
            return self._attempts.broken(notice)
        finally:
            self._counts["in_flight"] -= 1

    def _judge(self, endpoint: Endpoint, tried: Tried) -> None:
        told = tried.told
        self._count(told)
        self._settling.add(endpoint, told)
        if tried.answered:
            if endpoint.answered():
                self._wake.set()
            self._slots.grant(endpoint.share)
        elif tried.answered is False and endpoint.failed(told.error, told.at, self._rng):
            self._rest(endpoint)

    def _rest(self, endpoint: Endpoint) -> None:
        for notice in endpoint.drain():
            self._set_aside(endpoint, notice)
        endpoint.more = True
        self._alarm(endpoint.rest_until, endpoint)

    def _set_aside(self, endpoint: Endpoint, notice: Notice) -> None:
        """Leave a notice to the table; or end it, if it is older than its ladder and its endpoint is dead."""
        ended = None
        if not self._stopping and self.shares.has(endpoint.origin):
            ended = self._attempts.overdue(notice, f"the endpoint does not answer ({endpoint.error})")
        if ended is None:
            endpoint.let_go(notice.id)
        else:
            self._count(ended)
            self._settling.add(endpoint, ended)

    def _count(self, told: Told) -> None:
        counts = self._counts
        counts["sent" if told.delivery is Delivery.DONE else "failed"] += 1
        if told.delivery is not Delivery.DONE:
            counts["parked" if told.delivery is Delivery.PARKED else "retried"] += 1

    def _settled(self, endpoint: Endpoint, told: Told) -> None:
        endpoint.let_go(told.id)
        self.shares.told(told.id)
        if told.delivery is Delivery.PENDING and told.due - told.at < self._soon:
            self._alarm(told.due, endpoint)
        if endpoint.more and endpoint.queued <= self._low:
            self._wake.set()

    def _alarm(self, due: int, endpoint: Endpoint) -> None:
        if self._alarms.add(due, endpoint.origin):
            self._wake.set()

    # housekeeping

    def _endpoint(self, origin: str) -> Endpoint:
        endpoint = self._endpoints.get(origin)
        if endpoint is None:
            endpoint = self._endpoints[origin] = Endpoint(origin, self._settings)
        return endpoint

    def _forget_idle(self, now_ms: int) -> None:
        for endpoint in list(self._endpoints.values()):
            for lane in endpoint.lanes:
                lane.tire()
            if endpoint.idle(now_ms):
                del self._endpoints[endpoint.origin]

    def _tasks(self) -> set[asyncio.Task[None]]:
        lanes = (lane for endpoint in self._endpoints.values() for lane in endpoint.lanes)
        return {lane.task for lane in lanes if lane.task is not None}
