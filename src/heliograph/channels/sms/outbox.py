"""What the simulated SMSC has to deliver: it waits for a receiver, for room, and comes again when refused."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from functools import partial

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
    """Deliveries that wait, by the link they belong to or, without one, by system_id. `counts` says how many
    were answered, refused and sent again."""

    def __init__(self, timers: Timers) -> None:
        self.counts = {"delivered": 0, "refused": 0, "again": 0}
        self._timers = timers
        self._waiting: dict[ServerLink | str, deque[ShortMessage]] = {}
        self._receivers: dict[str, list[ServerLink]] = {}

    def bound(self, link: ServerLink) -> None:
        """An ESME bound; it may take what waits."""
        if link.bind_kind != c.BIND_TRANSMITTER:
            self._receivers.setdefault(link.system_id, []).append(link)
            self.drain(link)

    def closed(self, link: ServerLink, unanswered: tuple[ev.Pending, ...]) -> None:
        """An ESME is gone; what it did not answer waits for the next of its system_id."""
        receivers = self._receivers.get(link.system_id, [])
        if link in receivers:
            receivers.remove(link)
        self._queue(link.system_id).extend(self._waiting.pop(link, ()))
        self.back(link.system_id, unanswered)

    def back(self, system_id: str, unanswered: tuple[ev.Pending, ...]) -> None:
        """Deliveries without an answer come again, first of all."""
        again = [pending.context for pending in unanswered]
        self._queue(system_id).extendleft(reversed(again))
        self.counts["again"] += len(again)
        for link in self._receivers.get(system_id, ()):
            self.drain(link)

    def send(self, system_id: str, message: ShortMessage, link: ServerLink | None = None) -> None:
        """Deliver now or when somebody takes it: on `link` if that receives, for several may share a system_id."""
        if link is not None and (link.closed or link.bind_kind == c.BIND_TRANSMITTER):
            link = None
        waiting = self._queue(link or system_id)
        to = link or max(self._receivers.get(system_id, ()), key=lambda one: one.room, default=None)
        if waiting or to is None or not to.room:
            waiting.append(message)
        else:
            to.deliver(message, message)

    def answered(self, link: ServerLink, event: ev.DeliverAnswered) -> None:
        """The ESME answered; a refused delivery comes again."""
        if event.status == c.ESME_ROK:
            self.counts["delivered"] += 1
        elif not event.late:
            self.counts["refused"] += 1
            again = partial(self.send, link.system_id, event.context, link)
            self._timers.after(AGAIN_AFTER, again)
        self.drain(link)

    def drain(self, link: ServerLink) -> None:
        """Send what waits for this link while it has room."""
        for key in (link, link.system_id):
            waiting = self._waiting.get(key)
            while waiting and link.room:
                message = waiting.popleft()
                link.deliver(message, message)

    def _queue(self, key: ServerLink | str) -> deque[ShortMessage]:
        found = self._waiting.get(key)
        if found is None:
            found = self._waiting[key] = deque(maxlen=MAX_WAITING)
        return found
