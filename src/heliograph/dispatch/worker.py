"""The verb SEND: takes what is queued, judges it again, hands it to its connector, records what came of it."""

from __future__ import annotations

import asyncio
import heapq
import logging

from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.judge import Judge
from heliograph.dispatch.lane import Flight, Lane
from heliograph.dispatch.lanes import Lanes
from heliograph.dispatch.queue import element_of, request_of, slot_of
from heliograph.dispatch.results import Results
from heliograph.dispatch.rows import Rows, rows_by_element
from heliograph.dispatch.settler import Settler
from heliograph.dispatch.story import Sampler
from heliograph.model.message import Request, Transaction
from heliograph.model.outcome import Refused, State
from heliograph.model.record import Accepted, Change, Queued, Settlement
from heliograph.store import StoreUnavailable

log = logging.getLogger(__name__)

LOAD_SLOTS = 200
OPEN_PAGE = 50_000
TIDY_SECONDS = 0.5
ERROR_PAUSE = 0.5  # seconds a lane rests after the store refused a claim


class Dispatcher:
    """Owns the lanes. `offer` is called after a call's commit; everything else happens by itself."""

    def __init__(self, around: Surroundings, lanes: Lanes) -> None:
        self._around = around
        self._store = around.store
        self._lanes = lanes
        self.settler = Settler(around.store, around.tell)
        self._judge = Judge(around.directory, around.ids)
        self._results = Results(around, self.settler, self._judge, Sampler(around.monotonic), self._back)
        self.counts = self._results.counts
        self._rows = Rows(around.store)
        self._delayed: list[tuple[int, int, Transaction]] = []
        self._expiring: list[tuple[int, int]] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    # Coming in

    def offer(self, accepted: Accepted) -> None:
        """A call was committed: its queued transactions wait for their connectors from now on."""
        request = accepted.request
        for element, rows in rows_by_element(accepted).items():
            slot = slot_of(request.id, element)
            self._rows.keep(slot, rows)
            self._enqueue(request, element, slot)

    def _enqueue(self, request: Request, element: int, slot: int) -> None:
        message = request.messages[element]
        self._wait(self._lane_of(request, element), slot, message.priority, message.expiry)

    def _wait(self, lane: Lane, slot: int, priority: int, expiry: int) -> None:
        lane.queue.add(slot, priority, self._around.monotonic())
        if expiry:
            heapq.heappush(self._expiring, (expiry, slot))
        lane.wake.set()

    def _lane_of(self, request: Request, element: int) -> Lane:
        lane = self._lanes.lane(request, element)
        self._ensure_fed(lane)
        return lane

    async def recover(self) -> int:
        """At start: queue again what the table holds; how many requests."""
        after, count = 0, 0
        while page := await self._store.open_requests(after, OPEN_PAGE):
            after = page[-1].request
            count += len(page)
            await self._recover_page(page)
        return count

    async def _recover_page(self, page: list[Queued]) -> None:
        several = [entry.request for entry in page if entry.elements > 1]
        requests = await self._store.requests(several)
        for entry in page:
            if entry.elements > 1:
                request = requests[entry.request]
                for element in range(entry.elements):
                    self._enqueue(request, element, slot_of(request.id, element))
            else:
                lane = self._lanes.route(entry.tenant, entry.service, entry.channel)
                self._wait(lane, slot_of(entry.request, 0), entry.priority, entry.expiry)

    # Going out

    async def _feed(self, lane: Lane) -> None:
        """Keeps one lane's stock filled, for ever."""
        while True:
            await lane.wake.wait()
            lane.wake.clear()
            if lane.stock and lane.idle():
                await self._unclaim(lane)
            while not self._stopping and len(lane.queue) and (room := lane.want()):
                try:
                    if not await self._claim(lane, room):
                        break
                except StoreUnavailable as error:
                    log.warning("lane %s cannot claim, trying again: %s", lane.name, error)
                    await asyncio.sleep(ERROR_PAUSE)
                lane.pump()
            lane.pump()

    async def _claim(self, lane: Lane, room: int) -> bool:
        now = self._around.monotonic()
        priority = lane.queue.choose(now)
        if priority is None:
            return False
        rows = lane.queue.take_rows(priority, room)
        if not rows:
            slots = lane.queue.take_slots(priority, LOAD_SLOTS)
            try:
                await self._load(lane, priority, slots)
            except StoreUnavailable:
                for slot in slots:
                    lane.queue.add(slot, priority, now)
                raise
            return True
        outs = await self._prepare(lane, rows)
        if outs:
            try:
                await self._store.claim(_ranges([flight.row for flight in outs]))
            except StoreUnavailable:
                lane.queue.load(priority, [flight.row for flight in outs], front=True)
                raise
            lane.stock.extend(outs)
        return True

    async def _load(self, lane: Lane, priority: int, slots: list[int]) -> None:
        now_ms, ready = self._around.clock_ms(), []
        for row in await self._rows.of(slots):
            if row.due > now_ms:
                self._back(row)
            else:
                ready.append(row)
        lane.queue.load(priority, ready)

    async def _prepare(self, lane: Lane, rows: list[Transaction]) -> list[Flight]:
        """Judge rows again; the refused ones are settled, the rest is ready for the connector."""
        now_ms = self._around.clock_ms()
        requests = await self._store.requests({row.request for row in rows})
        ready: list[Flight] = []
        for row in rows:
            request = requests[row.request]
            made = self._judge.outbound(request, row, now_ms)
            if isinstance(made, Refused):
                self._refuse(request, row, made, now_ms)
            elif (other := self._lanes.lane(request, row.element)) is not lane:
                self._move(other, request, row)
            else:
                ready.append(Flight(made, row, request))
        return ready

    def _move(self, lane: Lane, request: Request, row: Transaction) -> None:
        """The workspace routes this message elsewhere by now."""
        lane = self._lane_of(request, row.element)
        lane.queue.load(request.messages[row.element].priority, [row])
        lane.wake.set()

    def _refuse(self, request: Request, row: Transaction, refused: Refused, now_ms: int) -> None:
        outcomes = self._judge.outcomes(request, row.element)
        change = outcomes.change(row.ordinal, State.FAILED, refused.key, now_ms, refused.value)
        for line in self._judge.gates(request, row, now_ms):
            self.settler.note(line)
        self.settler.add(change, outcomes, row)

    def _back(self, row: Transaction) -> None:
        """A row is durably queued again, to be sent from its `due` on."""
        heapq.heappush(self._delayed, (row.due, row.request, row))

    async def _unclaim(self, lane: Lane) -> None:
        """The connector is down: what was claimed for it goes back, so that it may expire or move."""
        stock, now_ms = list(lane.stock), self._around.clock_ms()
        lane.stock.clear()
        await self._store.settle(Settlement(changes=[_queued_again(flight, now_ms) for flight in stock]))
        for flight in stock:
            row, message = flight.row, flight.request.messages[flight.row.element]
            lane.queue.load(message.priority, [row], front=True)
            if message.expiry:
                heapq.heappush(self._expiring, (message.expiry, slot_of(row.request, row.element)))

    # Time

    async def tidy(self) -> None:
        """For ever: wakes what was delayed, ends what expired while it waited."""
        while True:
            await asyncio.sleep(self._until_next())
            now_ms = self._around.clock_ms()
            await self._wake_delayed(now_ms)
            await self._end_expired(now_ms)
            for lane in self._lanes.all():
                lane.wake.set()

    def _until_next(self) -> float:
        if not self._delayed:
            return TIDY_SECONDS
        return min(TIDY_SECONDS, max(0.01, (self._delayed[0][0] - self._around.clock_ms()) / 1000))

    async def _wake_delayed(self, now_ms: int) -> None:
        due = []
        while self._delayed and self._delayed[0][0] <= now_ms:
            due.append(heapq.heappop(self._delayed)[2])
        if due:
            requests = await self._store.requests({row.request for row in due})
            for row in due:
                request = requests[row.request]
                lane = self._lane_of(request, row.element)
                lane.queue.load(request.messages[row.element].priority, [row], front=True)
                lane.wake.set()

    async def _end_expired(self, now_ms: int) -> None:
        """Messages whose lane stands still are told that they expired, not left waiting."""
        slots = []
        while self._expiring and self._expiring[0][0] <= now_ms:
            slots.append(heapq.heappop(self._expiring)[1])
        if not slots:
            return
        rows = await self._rows.stored(slots)
        requests = await self._store.requests({row.request for row in rows})
        for row in rows:
            made = self._judge.outbound(requests[row.request], row, now_ms)
            if isinstance(made, Refused):
                self._refuse(requests[row.request], row, made, now_ms)

    # Life

    async def start(self) -> None:
        """Begin: connectors, the settler and the clock."""
        self._tasks["settler"] = asyncio.create_task(self.settler.run(), name="settler")
        self._tasks["tidy"] = asyncio.create_task(self.tidy(), name="tidy")
        await self._lanes.start(self._results.events)
        for lane in self._lanes.all():
            self._ensure_fed(lane)

    async def reconfigure(self) -> None:
        """The workspace changed: lanes follow it, and what waited in lanes that are gone goes on in others."""
        for lane in await self._lanes.reconfigure():
            if task := self._tasks.pop(lane.name, None):
                task.cancel()
            if lane.stock:
                await self._unclaim(lane)
            slots, rows = lane.queue.drain()
            requests = await self._store.requests(
                {request_of(slot) for _, slot in slots} | {row.request for _, row in rows}
            )
            for _, slot in slots:
                self._enqueue(requests[request_of(slot)], element_of(slot), slot)
            for _, row in rows:
                self._move(self._lanes.lane(requests[row.request], row.element), requests[row.request], row)
        for lane in self._lanes.all():
            self._ensure_fed(lane)
            lane.wake.set()

    def _ensure_fed(self, lane: Lane) -> None:
        if lane.name not in self._tasks:
            self._tasks[lane.name] = asyncio.create_task(self._feed(lane), name=f"lane {lane.name}")

    async def stop(self, grace: float) -> None:
        """Drain: nothing new goes out, answers under way are awaited, what is claimed is queued again."""
        self._stopping = True
        await self._lanes.stop(grace)
        now_ms = self._around.clock_ms()
        for lane in self._lanes.all():
            for flight in lane.stock:
                self.settler.add(_queued_again(flight, now_ms), None, flight.row)
            lane.stock.clear()
        await self.settler.drained()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


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
