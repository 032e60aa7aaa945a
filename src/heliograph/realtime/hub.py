"""The connections of this process, and what reaches them: kept messages, hints from other processes.

The table decides. A message is kept before anybody hears of it; those connected here are given it at once, other
processes are told that there is something and look for themselves.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Protocol

import msgspec

from heliograph.bus.signals import Signals
from heliograph.catalogue import keys
from heliograph.model.inapp import Delivery, Kept, Notification
from heliograph.model.outcome import SendError
from heliograph.realtime.frames import Close
from heliograph.realtime.rooms import Rooms
from heliograph.realtime.session import Need, Session
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.inapp import Joining, Keeping, KeptMessage, Leaving, Present

log = logging.getLogger(__name__)

WAITING = 1_000  # messages that may wait for one user
DEVICES = 10  # connections of one user on one process
CONNECTIONS = 50_000
KEPT_SUBJECT, HINT_SUBJECT = "inapp.kept", "inapp.hint"

User = tuple[str, str]
"""Lane and user id."""


class Notifier(Protocol):
    """Sends a push in the name of a message."""

    async def __call__(self, delivery: Delivery, notification: Notification) -> str:
        """Its transid, or why there is none."""


async def nobody_notifies(delivery: Delivery, notification: Notification) -> str:
    """For a process that sends nothing."""
    return "no push can be sent here"


Registrar = Callable[[str, str, str], Awaitable[None]]
"""Told of a device that was never here: lane, user id, device."""


async def nobody_registers(lane: str, user: str, device: str) -> None:
    """For a process that writes no profiles."""


class Busy(Exception):
    """No more connections are taken, or the store is away; the text says which."""


class Hub:
    """Users of apps: an `InApp`. `node` names this process where others share the store, "" where it is alone."""

    def __init__(
        self, store: Store, rooms: Rooms, signals: Signals, clock_ms: Callable[[], int], node: str = ""
    ) -> None:
        self.rooms = rooms
        self.notifier: Notifier = nobody_notifies
        self.registrar: Registrar = nobody_registers
        self.node = node
        self._store = store
        self._signals = signals
        self._clock_ms = clock_ms
        self._users: dict[User, list[Session]] = {}
        self._pulls: set[asyncio.Task[None]] = set()
        self._secrets: dict[str, tuple[bytes, ...]] = {}
        self.counts = {"connections": 0, "kept": 0, "given": 0, "caught_up": 0}
        self.count = 0
        signals.listen(KEPT_SUBJECT, self._heard_kept)
        signals.listen(HINT_SUBJECT, self._heard_hint)

    # What a connector asks for

    async def keep(self, delivery: Delivery) -> Kept | SendError:
        """See `InApp`."""
        now_ms, user = self._clock_ms(), (delivery.lane, delivery.user)
        item = Keeping(
            *user, delivery.request, delivery.ordinal, now_ms, delivery.expires_ms, delivery.body, WAITING
        )  # fmt: skip
        try:
            seq = await self._store.inapp_keep(item)
        except StoreUnavailable as error:
            return SendError(keys.FAILED_AT_PLATFORM, "soon", detail=f"it could not be kept: {error}")
        if not seq:
            detail = f"{WAITING} messages wait for this user"
            return SendError(keys.RATE_LIMIT_EXCEEDED, native_code="full", detail=detail)
        self.counts["kept"] += 1
        row = KeptMessage(seq, delivery.request, delivery.ordinal, now_ms, delivery.expires_ms, delivery.body)
        self._offer(user, row)
        if self.node:
            self._signals.signal(KEPT_SUBJECT, msgspec.json.encode([self.node, *user, seq]))
        return Kept(seq)

    async def present(self, lane: str, user: str) -> bool:
        """See `InApp`."""
        if (lane, user) in self._users:
            return True
        if not self.node:
            return False
        try:
            return bool(await self.devices(lane, user))
        except StoreUnavailable:  # what is kept reaches them all the same, if it can be kept
            return False

    async def registered(self, lane: str, user: str) -> bool:
        """See `InApp`."""
        try:
            return await self._store.inapp_registered((lane, user))
        except StoreUnavailable:
            return False

    async def notify(self, delivery: Delivery, notification: Notification) -> str:
        """See `InApp`."""
        return await self.notifier(delivery, notification)

    def ticket(self, lane: str, user: str) -> str:
        """See `InApp`."""
        return self.rooms.ticket(lane, user, self._clock_ms() / 1_000)

    # Connections

    async def join(self, session: Session, after: int | None) -> None:
        """A device is here. Raises `Busy`."""
        if self.count >= CONNECTIONS:
            raise Busy("there are too many connections")
        try:
            item = Joining(*session.key, session.device, self._clock_ms(), after, self.node)
            joined = await self._store.inapp_join(item)
            if joined.fresh:
                await self.registrar(*session.key, session.device)
        except StoreUnavailable as error:
            raise Busy(str(error)) from error
        others = self._users.setdefault(session.key, [])
        for other in [one for one in others if one.device == session.device]:
            self.leave(other, stays=True)
            other.end(Close.REPLACED)
        others = self._users.setdefault(session.key, [])
        if len(others) >= DEVICES:
            oldest = others[0]
            self.leave(oldest)
            oldest.end(Close.REPLACED)
            others = self._users.setdefault(session.key, [])
        others.append(session)
        if session.key[0] not in self._secrets and (room := self.rooms.get(session.key[0])) is not None:
            self._secrets[session.key[0]] = room.settings.secrets
        self.count += 1
        self.counts["connections"] += 1
        counted = after is not None and after <= joined.last  # else its numbers are of before the user was erased
        session.begin(after if after is not None and counted else joined.acked)

    def begin(self, session: Session) -> None:
        """It is welcomed: give it what is kept for it."""
        session.pulling = False
        self._pull(session)

    def leave(self, session: Session, *, stays: bool = False) -> None:
        """A device is gone; `stays` where it is here by another connection."""
        others = self._users.get(session.key, [])
        if session not in others:
            return
        others.remove(session)
        self.count -= 1
        if not others:
            del self._users[session.key]
        if self.node and not stays:
            self._run(self._gone(Leaving(*session.key, session.device, self.node)))

    async def _gone(self, item: Leaving) -> None:
        try:
            await self._store.inapp_leave(item)
        except StoreUnavailable as error:
            log.warning("it could not be kept that a device is gone: %s", error)

    def sessions(self) -> Iterator[Session]:
        """Every connection."""
        for found in list(self._users.values()):
            yield from found

    def of(self, user: User) -> list[Session]:
        """The connections of a user in this process."""
        return list(self._users.get(user, ()))

    async def devices(self, lane: str, user: str) -> list[Present]:
        """The connected devices of a user, in all processes. Raises `StoreUnavailable`."""
        if not self.node:
            return [Present(session.device, "", 0) for session in self.of((lane, user))]
        return await self._store.inapp_present((lane, user), self._clock_ms())

    # Messages on their way

    def _offer(self, user: User, row: KeptMessage) -> None:
        now = time.monotonic()
        for session in self._users.get(user, ()):
            if session.offer(row, now) is Need.PULL:
                self._pull(session)
            elif session.sent == row.seq:
                self.counts["given"] += 1

    def caught(self, session: Session) -> None:
        """There may be room for what a session is behind with."""
        if session.wants() is Need.PULL:
            self._pull(session)

    def _pull(self, session: Session) -> None:
        if not session.pulling and not session.closed:
            session.pulling = True
            self._run(self._catch_up(session))

    async def _catch_up(self, session: Session) -> None:
        while True:
            room = session.room()
            try:
                rows = await self._store.inapp_after(session.key, session.sent, self._clock_ms(), room)
            except StoreUnavailable as error:
                session.pulling = False
                log.warning("a device is not caught up: %s", error)
                return
            self.counts["caught_up"] += len(rows)
            if session.pulled(rows, room, time.monotonic()) is not Need.PULL:
                return
            session.pulling = True

    def hint(self, user: User, frame: str, *, but: Session | None = None) -> None:
        """Tell all devices of a user what may get lost."""
        self._hint_here(user, frame, but)
        if self.node:
            self._signals.signal(HINT_SUBJECT, msgspec.json.encode([self.node, *user, frame]))

    def _hint_here(self, user: User, frame: str, but: Session | None = None) -> None:
        for session in self.of(user):
            if session is not but:
                session.hint(frame)

    def _heard_kept(self, data: bytes) -> None:
        node, lane, user, _ = msgspec.json.decode(data, type=tuple[str, str, str, int])
        if node != self.node:
            self.look((lane, user))

    def look(self, user: User) -> None:
        """Something may be kept for a user that this process did not keep."""
        for session in self._users.get(user, ()):
            if session.pulling:
                session.again = True
            else:
                session.behind = True
                self.caught(session)

    def _heard_hint(self, data: bytes) -> None:
        node, lane, user, frame = msgspec.json.decode(data, type=tuple[str, str, str, str])
        if node != self.node:
            self._hint_here((lane, user), frame)

    # The end

    def expel(self) -> None:
        """The workspace changed: whose app is gone goes, whose app has other secrets comes again with a token."""
        for session in list(self.sessions()):
            lane = session.key[0]
            room = self.rooms.get(lane)
            if room is None or room.settings.secrets != self._secrets.setdefault(lane, room.settings.secrets):
                self.leave(session)
                session.end(Close.NO_APP if room is None else Close.BAD_TOKEN)
        self._secrets = {
            lane: room.settings.secrets
            for lane in {session.key[0] for session in self.sessions()}
            if (room := self.rooms.get(lane)) is not None
        }

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._pulls.add(task)
        task.add_done_callback(self._pulls.discard)

    async def close(self) -> None:
        """Send everybody away; they connect again elsewhere."""
        for session in list(self.sessions()):
            self.leave(session)
            session.end(Close.AWAY)
        await asyncio.gather(*self._pulls, return_exceptions=True)
