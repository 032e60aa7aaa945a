"""What time brings: tokens that die, devices that read nothing, messages that nobody came for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from heliograph.channels.rt.outcomes import TABLE
from heliograph.channels.rt.payload import native_id
from heliograph.model.outcome import Receipt
from heliograph.realtime.frames import Close
from heliograph.realtime.hub import Hub
from heliograph.realtime.saying import Receive
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.inapp import Acked, LapsedMessage

log = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
MARK_SECONDS = 1.0  # a message that is on the wire so long without an answer counts as handed over
UNANSWERED_SECONDS = 90.0  # before a device that acknowledges nothing is cut; it comes again and is given it again
SLICE = 500
NODE_MS = 15_000  # a process that does not say so for this long does not live
BEAT_SECONDS = 5.0
LOOK_SECONDS = 2.0  # how late a message is found whose hint from another process got lost
FORGET_MS = 40 * 86_400_000  # devices that stayed away
FORGET_EVERY_SECONDS = 3_600.0
EXPIRED = "expired"


class Keeper:
    """Looks every second. With `lapses` it ends messages that have expired."""

    def __init__(self, hub: Hub, store: Store, receive: Receive, clock_ms: Callable[[], int], lapses: bool) -> None:
        self._hub = hub
        self._store = store
        self._receive = receive
        self._clock_ms = clock_ms
        self._lapses = lapses
        self._beat = self._forget = self._looked = 0.0

    async def run(self) -> None:
        """For ever; ends by cancellation."""
        fresh = True
        while True:
            try:
                await self._tend(fresh)
                fresh = False
            except StoreUnavailable as error:
                log.warning("connections of apps are not tended: %s", error)
            await asyncio.sleep(EVERY_SECONDS)

    async def _tend(self, fresh: bool) -> None:
        now = time.monotonic()
        if self._hub.node and (fresh or now - self._beat >= BEAT_SECONDS):
            await self._store.inapp_beat(self._hub.node, self._clock_ms() + NODE_MS, fresh=fresh)
            self._beat = now
        if self._hub.node and now - self._looked >= LOOK_SECONDS:
            self._looked = now
            for user in await self._store.inapp_owed(self._hub.node):
                self._hub.look(user)
        self._end(now)
        await self._mark(now)
        if self._lapses:
            while await self.lapse():
                pass
            if now - self._forget >= FORGET_EVERY_SECONDS:
                now_ms = self._clock_ms()
                await self._store.inapp_forget(now_ms - FORGET_MS, now_ms - NODE_MS)
                self._forget = now

    def _end(self, now: float) -> None:
        """Who may not be here any more, or does not answer."""
        now_ms = self._clock_ms()
        for session in self._hub.sessions():
            unanswered = session.waiting and now - session.oldest >= UNANSWERED_SECONDS
            if session.ends_ms <= now_ms or unanswered:
                self._hub.leave(session)
                session.end(Close.TOO_SLOW if unanswered else Close.BAD_TOKEN)
            else:
                self._hub.caught(session)

    async def _mark(self, now: float) -> None:
        """What was put on a wire and not answered: its expiry is not that nobody came."""
        marks = []
        for session in self._hub.sessions():
            if session.waiting and session.sent > session.marked and now - session.oldest >= MARK_SECONDS:
                marks.append(Acked(*session.key, session.device, session.sent, self._clock_ms(), handed=True))
                session.marked = session.sent
        if marks:
            await self._store.inapp_ack(marks)

    async def lapse(self) -> bool:
        """End messages that have expired; whether there may be more."""
        found = await self._store.inapp_lapsed(self._clock_ms(), SLICE)
        missed = [item for item in found if item.missed]
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Future[bool]] = []
        for item in missed:
            future: asyncio.Future[bool] = loop.create_future()
            waiting.append(future)
            self._receive(item.lane, _expired(item), _answers(future))
        kept = await asyncio.gather(*waiting)
        done = {id(item) for item, stored in zip(missed, kept, strict=True) if stored}
        gone = [item for item in found if not item.missed or id(item) in done]
        if gone:
            await self._store.inapp_drop(gone)
        return len(gone) == SLICE


def _answers(future: asyncio.Future[bool]) -> Callable[[bool], None]:
    def stored(kept: bool) -> None:
        if not future.done():
            future.set_result(kept)

    return stored


def _expired(item: LapsedMessage) -> Receipt:
    outcome = TABLE[EXPIRED]
    identity = native_id(item.request, item.ordinal)
    return Receipt(item.lane, identity, outcome.key, EXPIRED, outcome.note, item.user)
