"""Signals to other processes, over subjects of NATS that nobody keeps."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable

from nats.aio.msg import Msg

from heliograph.bus.nats.connection import BusAway, Connection
from heliograph.bus.signals import Handler, LocalSignals

log = logging.getLogger(__name__)

PREFIX = "hg.signal."
WAITING = 10_000  # signals that wait to be sent; then the oldest are lost
TAG_BYTES = 8
GREATEST = 512 * 1024  # bytes of one signal; a server takes a megabyte


class NatsSignals(LocalSignals):
    """Signals within this process, and from and to all others on the same NATS. Each carries a tag of its process,
    for a server gives everything back to who sent it."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._tag = os.urandom(TAG_BYTES)
        self._out: deque[tuple[str, bytes]] = deque(maxlen=WAITING)
        self._some = asyncio.Event()
        self._changed: set[str] = set()

    def signal(self, subject: str, data: bytes = b"") -> None:
        """See `Signals`."""
        super().signal(subject, data)
        if len(data) > GREATEST:
            raise ValueError(f"a signal of {len(data)} bytes is too large")
        self._out.append((subject, data))
        self._some.set()

    def listen(self, subject: str, handler: Handler) -> Callable[[], None]:
        """See `Signals`."""
        forget = super().listen(subject, handler)
        self._follow(subject)

        def end() -> None:
            forget()
            self._follow(subject)

        return end

    async def run(self) -> None:
        """Send and subscribe, for ever; ends by cancellation."""
        while True:
            await self._some.wait()
            self._some.clear()
            await self._subscribe()
            await self.flush()

    async def flush(self) -> None:
        """Hand over what waits; without a server it is lost."""
        while self._out:
            subject, data = self._out.popleft()
            try:
                await self._connection.publish(PREFIX + subject, self._tag + data)
            except BusAway as error:
                log.debug("the signal %s is lost: %s", subject, error)

    async def _subscribe(self) -> None:
        changed, self._changed = self._changed, set()
        for subject in changed:
            if self.heard(subject):
                await self._connection.subscribe(PREFIX + subject, self._came)
            else:
                await self._connection.unsubscribe(PREFIX + subject)

    async def _came(self, message: Msg) -> None:
        tag, data = message.data[:TAG_BYTES], message.data[TAG_BYTES:]
        if tag != self._tag and len(tag) == TAG_BYTES:
            super().signal(message.subject.removeprefix(PREFIX), data)

    def _follow(self, subject: str) -> None:
        self._changed.add(subject)
        self._some.set()
