"""What the simulated SMSC has to deliver: it waits for a receiver, for room, and comes again when refused."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable

from heliograph.wire.smpp import constants as c
from heliograph.wire.smpp import events as ev
from heliograph.wire.smpp.pdus import ShortMessage
from heliograph.wire.smpp.server import ServerLink

AGAIN_AFTER = 1.0
"""Seconds before a delivery that the ESME refused comes again."""

MAX_WAITING = 1_000_000


class Timers:
    """Many things to do later under one timer of the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._handle: asyncio.TimerHandle | None = None

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it after so many seconds; at once for 0."""
        if seconds <= 0:
            do()
            return
        due = self._loop.time() + seconds
        if not self._heap or due < self._heap[0][0]:
            if self._handle is not None:
                self._handle.cancel()
            self._handle = self._loop.call_at(due, self._run)
        heapq.heappush(self._heap, (due, next(self._count), do))

    def clear(self) -> None:
        """Forget everything."""
        if self._handle is not None:
            self._handle.cancel()
        self._heap.clear()

    def _run(self) -> None:
        heap, self._handle = self._heap, None
        # What is due within this millisecond goes too: one write for many.
        until = self._loop.time() + 0.001
        while heap and heap[0][0] <= until:
            heapq.heappop(heap)[2]()
        if heap and self._handle is None:
            self._handle = self._loop.call_at(heap[0][0], self._run)


class Outbox:
    """Deliveries by system_id. `counts` says how many were answered, refused and sent again."""

    def __init__(self, timers: Timers) -> None:
        self.counts = {"delivered": 0, "refused": 0, "again": 0}
        self._timers = timers
        self._waiting: dict[str, deque[ShortMessage]] = {}
        self._receivers: dict[str, list[ServerLink]] = {}

    def bound(self, link: ServerLink) -> None:
        """An ESME bound; it may take what waits."""
        if link.bind_kind != c.BIND_TRANSMITTER:
            self._receivers.setdefault(link.system_id, []).append(link)
            self.drain(link.system_id)

    def closed(self, link: ServerLink, unanswered: tuple[ev.Pending, ...]) -> None:
        """An ESME is gone; what it did not answer waits for the next."""
        receivers = self._receivers.get(link.system_id, [])
        if link in receivers:
            receivers.remove(link)
        self._back(link.system_id, unanswered)

    def timed_out(self, link: ServerLink, unanswered: tuple[ev.Pending, ...]) -> None:
        """No answer came in time; the delivery comes again."""
        self._back(link.system_id, unanswered)
        self.drain(link.system_id)

    def _back(self, system_id: str, unanswered: tuple[ev.Pending, ...]) -> None:
        waiting = self._waiting.setdefault(system_id, deque(maxlen=MAX_WAITING))
        again = [pending.context for pending in unanswered if pending.context is not None]
        waiting.extendleft(reversed(again))
        self.counts["again"] += len(again)

    def send(self, system_id: str, message: ShortMessage) -> None:
        """Deliver now or when somebody takes it."""
        waiting = self._waiting.setdefault(system_id, deque(maxlen=MAX_WAITING))
        link = None if waiting else self._free(system_id)
        if link is None:
            waiting.append(message)
        else:
            link.deliver(message, message)

    def answered(self, link: ServerLink, event: ev.DeliverAnswered) -> None:
        """The ESME answered; a refused delivery comes again."""
        if event.status == c.ESME_ROK:
            self.counts["delivered"] += 1
        elif not event.late:
            self.counts["refused"] += 1
            system_id, message = link.system_id, event.context
            self._timers.after(AGAIN_AFTER, lambda: self.send(system_id, message))
        if self._waiting.get(link.system_id):
            self.drain(link.system_id)

    def drain(self, system_id: str) -> None:
        """Send what waits while somebody has room."""
        waiting = self._waiting.get(system_id)
        while waiting and (link := self._free(system_id)) is not None:
            message = waiting.popleft()
            link.deliver(message, message)

    def _free(self, system_id: str) -> ServerLink | None:
        """The receiver with most room, if any has some."""
        links = self._receivers.get(system_id, ())
        best = links[0] if len(links) == 1 else max(links, key=lambda link: link.room, default=None)
        return best if best is not None and best.room > 0 else None
