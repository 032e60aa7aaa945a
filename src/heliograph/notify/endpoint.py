"""One endpoint (an origin): its queue in memory, its lanes, and the circuit that lets it rest."""

from __future__ import annotations

import asyncio
from collections import deque
from random import Random
from typing import Any

from heliograph.model.record import Notice
from heliograph.notify.seams import Settings
from heliograph.notify.slots import Share

FIRST_LIMIT = 2  # calls at once to an endpoint that has not answered yet; doubles with each answer


class Lane:
    """Notices that go one after the other, and the task that sends them."""

    __slots__ = ("queue", "quiet", "task", "wakeup")

    def __init__(self) -> None:
        self.queue: deque[Notice] = deque()
        self.task: asyncio.Task[None] | None = None
        self.wakeup: asyncio.Future[bool] | None = None
        self.quiet = False

    def put(self, notice: Notice) -> None:
        """Add a notice and wake the task if it waits."""
        self.queue.append(notice)
        self.rouse(True)

    async def wait(self) -> bool:
        """Wait for work; False when the task should end."""
        self.wakeup = asyncio.get_running_loop().create_future()
        try:
            return await self.wakeup
        finally:
            self.wakeup = None
            self.quiet = False

    def rouse(self, to_work: bool) -> None:
        """End the wait of the task, to work or to end."""
        if self.wakeup is not None and not self.wakeup.done():
            self.wakeup.set_result(to_work)

    def tire(self) -> None:
        """End the task if it has been waiting since the last time this was called."""
        if self.wakeup is None:
            return
        if self.quiet:
            self.rouse(False)
        self.quiet = True


class Endpoint:
    """What is known of an origin. `held` are the ids in memory, from queueing until the outcome is durable;
    `more` says that the table has, or may have, due notices that are not in memory."""

    def __init__(self, origin: str, settings: Settings) -> None:
        self.origin = origin
        self.lanes = tuple(Lane() for _ in range(settings.lanes))
        self.share = Share(min(FIRST_LIMIT, settings.lanes))
        self.held: set[int] = set()
        self.queued = 0
        self.more = False
        self.failures = 0
        self.rests = 0
        self.rest_until = 0
        self.error = ""
        self._settings = settings
        self._let_go: set[int] | None = None

    def room(self) -> int:
        """How many more notices may be in memory."""
        return self._settings.queue - len(self.held)

    def put(self, notice: Notice) -> Lane | None:
        """Queue a notice behind the earlier ones of its transaction; None when it is in memory already."""
        if notice.id in self.held or (self._let_go and notice.id in self._let_go):
            return None
        self.held.add(notice.id)
        self.queued += 1
        same = (notice.request, notice.ordinal) if notice.request else notice.address.value or notice.id
        lane = self.lanes[hash(same) % len(self.lanes)]
        lane.put(notice)
        return lane

    def take(self, lane: Lane) -> Notice:
        """The next notice of a lane."""
        self.queued -= 1
        return lane.queue.popleft()

    def let_go(self, notice_id: int) -> None:
        """A notice is no longer in memory."""
        self.held.discard(notice_id)
        if self._let_go is not None:
            self._let_go.add(notice_id)

    def fetching(self, begins: bool) -> None:
        """Between the two calls the table is read; what is let go meanwhile must not come back with it."""
        self._let_go = set() if begins else None

    def drain(self) -> list[Notice]:
        """Empty the queue; the notices stay held until they are let go."""
        drained = [notice for lane in self.lanes for notice in lane.queue]
        for lane in self.lanes:
            lane.queue.clear()
        self.queued = 0
        return drained

    def resting(self, now_ms: int) -> bool:
        """Whether nothing may be tried now."""
        return now_ms < self.rest_until

    def answered(self) -> bool:
        """An answer came, whatever its status; whether that ends a time of rests."""
        self.failures = 0
        self.share.limit = min(self.share.limit * 2, len(self.lanes))
        ends, self.rests, self.rest_until = self.rests > 0, 0, 0
        return ends

    def failed(self, error: str, now_ms: int, rng: Random) -> bool:
        """No answer came; whether the endpoint begins to rest."""
        self.failures += 1
        self.error = error
        self.share.limit = max(1, self.share.limit // 2)
        if self.failures < self._settings.trip or self.resting(now_ms):
            return False
        rest = min(self._settings.rest * 2**self.rests, self._settings.longest_rest)
        self.rests = min(self.rests + 1, 16)
        self.rest_until = now_ms + round(rest * 1000 * rng.uniform(0.8, 1.2))
        self.share.limit = 1
        return True

    def report(self, now_ms: int) -> dict[str, Any]:
        """For people: how it stands, and why it rests."""
        return {
            "origin": self.origin,
            "queued": self.queued,
            "in_flight": self.share.held,
            "failures": self.failures,
            "rests_until": self.rest_until if self.resting(now_ms) else 0,
            "error": self.error if self.failures else "",
        }

    def idle(self, now_ms: int) -> bool:
        """Whether it can be forgotten."""
        return not (self.held or self.more or self.resting(now_ms) or any(lane.task for lane in self.lanes))
