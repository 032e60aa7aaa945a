"""One connector's way: what waits for it, what is claimed, what is under way.

A lane keeps a small stock of claimed messages so that the far end's window never runs dry while the next claim
is on its way to the disk; the stock and the window together are the in-flight window that a crash may repeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from heliograph.dispatch.judge import Flight
from heliograph.dispatch.queue import PriorityQueue
from heliograph.dispatch.throughput import Bucket
from heliograph.model.channel import Connector
from heliograph.model.message import Transaction
from heliograph.model.workspace import ConnectorSpec

log = logging.getLogger(__name__)

STOCK = 256  # claimed ahead at most by a small window; about what a fast connector sends during one commit
AHEAD_SECONDS = 0.1  # of the far end's pace that are claimed ahead
PACE_SECONDS = 0.25  # how often its pace is looked at


class Lane:
    """A connector with its queue. `clock` gives monotonic seconds."""

    def __init__(
        self, name: str, spec: ConnectorSpec, connector: Connector, *, fast: bool, clock: Callable[[], float]
    ) -> None:
        self.name = name
        self.spec = spec
        self.connector = connector
        self.fast = fast
        self.queue = PriorityQueue()
        self.stock: deque[Flight] = deque()
        self.under_way: dict[tuple[int, int], Flight] = {}
        self.claiming: list[Transaction] = []  # on their way from the queue to the stock
        self.bucket = Bucket(spec.throughput)
        self.wake = asyncio.Event()
        window = spec.window * spec.binds
        self._least = min(window, max(1, int(spec.throughput))) if spec.throughput else window
        self._most = max(STOCK, window * 2)
        self.target = self._least  # messages to have in stock
        self._answers = 0
        self._since = clock()
        self.ahead = True
        """Whether more is claimed than can go out at once, as `ConnectorKind` says."""
        self.permitted: Callable[[], bool] | None = None
        """Whether this process may use the connector now; None: always. Asked before anything goes out."""
        self.elsewhere = False
        """Whether another process has the connector: nothing is taken from the queue then."""
        self.closed = False
        self.feed: asyncio.Task[None] | None = None
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None

    def want(self) -> int:
        """How many more should be claimed now; 0 while nothing can go out."""
        if self.idle():
            return 0
        target = self.target if self.ahead else min(self.target, self.connector.capacity())
        return max(0, target - len(self.stock))

    def idle(self) -> bool:
        """Nothing is under way and nothing can go out."""
        return not self.under_way and not self.connector.capacity()

    def answered(self, flight: tuple[int, int]) -> Flight:
        """The far end answered for one; the stock follows its pace, so that no more is claimed ahead than goes
        out soon: what is claimed cannot be overtaken by what is urgent."""
        self._answers += 1
        passed = (now := self._clock()) - self._since
        if passed >= PACE_SECONDS:
            ahead = int(self._answers / passed * AHEAD_SECONDS)
            self.target = min(max(self._least, ahead), self._most)
            self._answers, self._since = 0, now
        return self.under_way.pop(flight)

    def pump(self) -> None:
        """Send from the stock while the connector and its rate allow; runs on every answer."""
        stock, connector = self.stock, self.connector
        if stock and (room := connector.capacity()):
            if not self.may():
                return
            now = self._clock()
            count = min(len(stock), room, self.bucket.available(now))
            self.bucket.take(count)
            for _ in range(count):
                flight = stock.popleft()
                outbound = flight.outbound
                self.under_way[outbound.request, outbound.ordinal] = flight
                connector.submit(outbound)
            if not count:
                self._pump_later(self.bucket.wait(now))
        low = len(stock) * 2 < self.target
        if low and not self.wake.is_set() and len(self.queue) and self.want() and self.may():
            self.wake.set()

    def may(self) -> bool:
        """Whether anything may go out now."""
        return self.permitted is None or self.permitted()

    def _pump_later(self, delay: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(max(delay, 0.001), self._timed_pump)

    def _timed_pump(self) -> None:
        self._timer = None
        self.pump()

    def held(self) -> set[tuple[int, int]]:
        """The transactions that are not in the queue any more, as `(request, ordinal)`."""
        rows = [*self.claiming, *(flight.row for flight in self.stock)]
        return {(row.request, row.ordinal) for row in rows} | self.under_way.keys()

    async def close(self) -> None:
        """Let the feed end between two claims, never within one."""
        self.closed = True
        self.wake.set()
        if self.feed is not None:
            await self.feed

    def status(self) -> dict[str, object]:
        """For people: the connector's own status and what waits."""
        return {
            **self.connector.status(),
            "waiting": len(self.queue),
            "claimed": len(self.stock),
            "under_way": len(self.under_way),
        }
