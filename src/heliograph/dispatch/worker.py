"""The verb SEND: takes what is queued, judges it again, hands it to its connector, records what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from heliograph.bus.tasks import lasting
from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.judge import Flight, Judge, Judgement, Wait
from heliograph.dispatch.lane import Lane
from heliograph.dispatch.lanes import Lanes
from heliograph.dispatch.queue import Timers, element_of, request_of, slot_of
from heliograph.dispatch.results import Results
from heliograph.dispatch.rows import Clocks, Rows, open_elements, rows_by_element
from heliograph.dispatch.settler import Settler
from heliograph.dispatch.shared.holding import Alone
from heliograph.dispatch.story import Sampler
from heliograph.model.message import Request, Transaction
from heliograph.model.outcome import Refused, State
from heliograph.model.people import NOTHING_KNOWN, Known
from heliograph.model.record import Accepted, Change, Chunk, Settlement
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

LOAD_SLOTS = 200
HELD_MS = 500  # before an expired message that was being claimed is looked at again
ERROR_PAUSE = 0.5  # seconds a lane rests after the store refused a claim


class Dispatcher:
    """Owns the lanes. `offer` is called after a call's commit; everything else happens by itself."""

    def __init__(self, around: Surroundings, lanes: Lanes, holding: Alone | None = None) -> None:
        self._around = around
        self._store = around.store
        self._lanes = lanes
        self._holding = Alone() if holding is None else holding
        self.settler = Settler(around.store, around.tell, None if holding is None else holding.written)
        self._judge = Judge(around.directory, around.ids, around.lookup, around.codes)
        self._timers = Timers()
        self._results = Results(around, self.settler, self._judge, Sampler(around.monotonic), self._delay)
        self.counts = self._results.counts
        self._rows = Rows(around.store)
        self._clocks = Clocks(around.store, around.directory)
        self._tasks: list[asyncio.Task[None]] = []

    def offer(self, accepted: Accepted) -> None:
        """A call was committed: its queued transactions wait for their connectors from now on."""
        request = accepted.request
        for element, rows in rows_by_element(accepted).items():
            slot = slot_of(request.id, element)
            self._rows.keep(slot, rows)
            self._enqueue(request, element, slot)

    def take(self, chunk: Chunk) -> bool:
        """A chunk came from the broker: its messages wait for their connector, unless another process has that."""
        lane = self._lanes.route(chunk.tenant, chunk.service, chunk.channel, chunk.app)
        ends = self._clocks.ends(chunk, chunk.expiry)
        if not lane.elsewhere:
            self._wait(lane, slot_of(chunk.request, chunk.element), chunk.priority, ends)
        return not lane.elsewhere

    def _delay(self, rows: Iterable[Transaction]) -> None:
        for row in rows:
            self._timers.delay([row])
            self._holding.waits(row, row.due)

    def _enqueue(self, request: Request, element: int, slot: int) -> None:
        message = request.messages[element]
        ends = self._clocks.ends(request, message.expiry)
        self._wait(self._lanes.lane(request, element), slot, message.priority, ends)

    def _wait(self, lane: Lane, slot: int, priority: int, expiry: int) -> None:
        lane.queue.add(slot, priority, self._around.monotonic())
        self._timers.expire(expiry, slot)
        lane.wake.set()

    async def recover(self) -> int:
        """At start: queue again what the table holds; how many requests."""
        requests = set()
        async for found in open_elements(self._store, self._clocks):
            self._wait(self._lanes.route(*found.route), found.slot, found.priority, found.ends)
            requests.add(request_of(found.slot))
        return len(requests)

    async def _feed(self, lane: Lane) -> None:
        """Keeps one lane's stock filled until the lane is closed."""
        while not lane.closed:
            await lane.wake.wait()
            lane.wake.clear()
            try:
                if lane.stock and lane.idle():
                    await self._unclaim(lane)
                while not lane.closed and len(lane.queue) and (room := lane.want()):
                    await self._claim(lane, room)
                    lane.pump()
            except StoreUnavailable as error:
                log.warning("lane %s cannot claim, trying again: %s", lane.name, error)
                await asyncio.sleep(ERROR_PAUSE)
                lane.wake.set()
            lane.pump()

    async def _claim(self, lane: Lane, room: int) -> None:
        """Load what waits next or, when it is loaded, judge and claim it. What fails goes back where it was."""
        now = self._around.monotonic()
        priority = lane.queue.choose(now)
        rows = lane.queue.take_rows(priority, room, now)
        if not rows:
            await self._load(lane, priority)
            return
        lane.claiming = rows
        try:
            flights = await self._prepare(lane, rows)
            rows = [flight.row for flight in flights]  # the others were refused or moved
            flights, short = await self._judge.afford(flights, now_ms := self._around.clock_ms())
            rows = [flight.row for flight in flights]
            for flight, why, known in short:
                self._refuse(flight.judgement, flight.row, why, now_ms, known)
            if rows:
                claimed = await self._store.claim(_ranges(rows))
                lane.stock.extend(flights if claimed is None else self._holding.claimed(flights, claimed))
        except StoreUnavailable:
            lane.queue.load(priority, rows, front=True)
            raise
        finally:
            lane.claiming = []

    async def _load(self, lane: Lane, priority: int) -> None:
        now_ms = self._around.clock_ms()
        slots = lane.queue.take_slots(priority, LOAD_SLOTS)
        try:
            rows = await self._rows.of(slots)
        except StoreUnavailable:
            lane.queue.give_back(priority, slots)
            raise
        self._holding.loaded(slots, rows)
        self._delay(row for row in rows if row.due > now_ms)
        lane.queue.load(priority, [row for row in rows if row.due <= now_ms])

    async def _prepare(self, lane: Lane, rows: list[Transaction]) -> list[Flight]:
        """Judge rows again; the refused ones are settled, the rest is ready for the connector."""
        now_ms = self._around.clock_ms()
        requests = await self._store.requests({row.request for row in rows})
        known_of = await self._judge.known(rows, requests, now_ms)
        ready: list[Flight] = []
        for row in rows:
            request, known = requests[row.request], known_of.get((row.request, row.element), NOTHING_KNOWN)
            judgement, made = self._judge.decide(request, row, now_ms, known)
            if isinstance(made, Refused):
                self._refuse(judgement, row, made, now_ms, known)
            elif isinstance(made, Wait):
                self._rows.held.hold(row, made.until)
                self._holding.waits(row, made.until)
                self.settler.note(self._judge.gates(judgement, row, now_ms, known))
            elif self._lanes.lane(request, row.element) is not lane:
                self._move(request, row)
            else:
                ready.append(Flight(made.outbound, row, request, judgement, known, made.price))
        return ready

    def _move(self, request: Request, row: Transaction, *, front: bool = False) -> None:
        """The row waits where the workspace routes it by now."""
        lane = self._lanes.lane(request, row.element)
        lane.queue.join(request.messages[row.element].priority, [row], self._around.monotonic(), front=front)
        lane.wake.set()

    def _refuse(self, judgement: Judgement, row: Transaction, why: Refused, now_ms: int, known: Known) -> None:
        change = judgement.outcomes.change(row.ordinal, State.FAILED, why.key, now_ms, why.detail)
        self.settler.note(self._judge.gates(judgement, row, now_ms, known))
        self.settler.add(change, judgement.outcomes, row)

    async def _unclaim(self, lane: Lane) -> None:
        """What was claimed for a connector that is down or gone waits again, so that it may expire or move."""
        stock, now_ms = list(lane.stock), self._around.clock_ms()
        lane.stock.clear()
        try:
            await self._store.settle(Settlement(changes=[_queued_again(flight, now_ms) for flight in stock]))
        except StoreUnavailable:
            lane.stock.extendleft(reversed(stock))
            raise
        for flight in reversed(stock):
            ends = self._clocks.ends(flight.request, flight.request.messages[flight.row.element].expiry)
            self._timers.expire(ends, slot_of(flight.row.request, flight.row.element))
            self._move(flight.request, flight.row, front=True)

    async def tidy(self) -> None:
        """For ever: wakes what was delayed, ends what expired while it waited."""
        while True:
            await asyncio.sleep(self._timers.seconds_left(self._around.clock_ms()))
            now_ms = self._around.clock_ms()
            rows = self._timers.due(now_ms)
            slots = [slot for slot in self._timers.expired(now_ms) if self._holding.holds(slot)]
            try:
                held = await self._rows.due(now_ms)
                rows = self._holding.due(rows, exact=True) + self._holding.due(held)
                requests = await self._store.requests({row.request for row in rows})
                for row in reversed(rows):
                    self._move(requests[row.request], row, front=True)
                rows = []
                await self.end_expired(slots, now_ms)
                self._holding.elsewhere(self._lanes.all(), now_ms)
            except StoreUnavailable as error:
                log.warning("delayed messages cannot be looked up, trying again: %s", error)
                self._delay(rows)
                for slot in slots:
                    self._timers.expire(now_ms, slot)
                await asyncio.sleep(ERROR_PAUSE)
            for lane in self._lanes.all():
                lane.wake.set()

    async def end_expired(self, slots: list[int], now_ms: int) -> None:
        """Messages whose lane stands still are told that they expired, not left waiting."""
        if not slots:
            return
        rows = await self._rows.stored(slots)
        requests = await self._store.requests({row.request for row in rows})
        held = set().union(*(lane.held() for lane in self._lanes.all()))
        for row in rows:
            if (row.request, row.ordinal) in held:  # on its way by now, unless its claim fails
                self._timers.expire(now_ms + HELD_MS, slot_of(row.request, row.element))
                continue
            judgement, made = self._judge.decide(requests[row.request], row, now_ms)
            if isinstance(made, Refused):
                self._refuse(judgement, row, made, now_ms, NOTHING_KNOWN)

    async def start(self) -> None:
        """Begin: connectors, the settler and the clock."""
        self._tasks = [lasting(self.settler.run(), "settler"), lasting(self.tidy(), "tidy")]
        await self._lanes.start(self._results.events)
        for lane in self._lanes.all():
            self._ensure_fed(lane)

    async def reconfigure(self) -> None:
        """The workspace or our duties changed: lanes follow, and what waited in those that are gone goes on in
        others. One call at a time."""
        for lane in await self._lanes.reconfigure():
            await lane.close()
            await self._hand_on(lane)
        self._rows.held.release(self._around.clock_ms())
        await self._clocks.moved(self._timers.expire)
        for lane in self._lanes.all():
            self._ensure_fed(lane)
            lane.wake.set()

    async def _hand_on(self, lane: Lane) -> None:
        """What waits in a lane that was given up goes on in others, however long the store takes."""
        slots, rows = lane.queue.drain()
        wanted = {request_of(slot) for _, slot in slots} | {row.request for _, row in rows}
        while True:
            try:
                await self._unclaim(lane)
                requests = await self._store.requests(wanted)
                break
            except StoreUnavailable as error:
                log.warning("what waits for %s cannot be handed on, trying again: %s", lane.name, error)
                await asyncio.sleep(ERROR_PAUSE)
        for _, row in rows:
            self._move(requests[row.request], row)
        for _, slot in slots:
            self._enqueue(requests[request_of(slot)], element_of(slot), slot)

    def _ensure_fed(self, lane: Lane) -> None:
        if lane.feed is None:
            lane.feed = lasting(self._feed(lane), f"lane {lane.name}")

    async def stop(self, grace: float) -> None:
        """Drain: nothing new goes out, answers under way are awaited, what is claimed is queued again."""
        for lane in self._lanes.all():
            await lane.close()
        await self._lanes.stop(grace)
        now_ms = self._around.clock_ms()
        for lane in self._lanes.all():
            for flight in lane.stock:
                self.settler.add(_queued_again(flight, now_ms), None, flight.row)
            lane.stock.clear()
        await self.settler.drained(grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _queued_again(flight: Flight, now_ms: int) -> Change:
    """Claimed but never handed on: as if it had not been taken."""
    outbound, row = flight.outbound, flight.row
    return Change(row.request, row.ordinal, State.QUEUED, row.key, now_ms, attempt=outbound.attempt - 1)


def _ranges(rows: list[Transaction]) -> list[tuple[int, int, int]]:
    """Rows as ranges of consecutive ordinals of a request."""
    ranges: list[tuple[int, int, int]] = []
    for row in rows:
        if ranges and ranges[-1][0] == row.request and ranges[-1][2] == row.ordinal - 1:
            ranges[-1] = (row.request, ranges[-1][1], row.ordinal)
        else:
            ranges.append((row.request, row.ordinal, row.ordinal))
    return ranges
