"""What apps say: receipts, read marks, messages of their users; nothing is taken as done before it is durable."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from heliograph.catalogue import keys
from heliograph.channels.rt.outcomes import key_of
from heliograph.channels.rt.payload import native_id
from heliograph.model.channel import Report
from heliograph.model.outcome import Inbound, Receipt
from heliograph.realtime import frames
from heliograph.realtime.frames import Close
from heliograph.realtime.hub import Hub
from heliograph.realtime.rooms import CHANNEL
from heliograph.realtime.session import Session
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.inapp import Acked

log = logging.getLogger(__name__)

COUNTED = ("acknowledged", "read", "refused", "written")
GATHER_SECONDS = 0.02  # acknowledgements of this long are one write
ACKED_SECONDS, READ_SECONDS = 0.05, 0.1  # that receipts wait

Receive = Callable[[str, Report, Callable[[bool], None]], None]
Numbered = list[tuple[int, tuple[int, int]]]


class Sayings:
    """Takes what apps say. `receive` is the verb that keeps reports."""

    def __init__(self, hub: Hub, store: Store, receive: Receive, clock_ms: Callable[[], int]) -> None:
        self._hub = hub
        self._store = store
        self._receive = receive
        self._clock_ms = clock_ms
        self._acked: dict[tuple[str, str, str], int] = {}
        self._waiting: dict[float, list[tuple[str, Receipt, Callable[[bool], None]]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.counts = dict.fromkeys(COUNTED, 0)

    async def heard(self, session: Session, frame: frames.Frame) -> None:
        """One frame of a session."""
        now = time.monotonic()
        if not session.allows(frame, now):
            session.end(Close.TOO_FAST)
        elif isinstance(frame, frames.Ack):
            self._acknowledge(session, session.acknowledged(frame.seq, now), keys.DELIVERED)
        elif isinstance(frame, frames.Fail):
            self._fail(session, frame, now)
        elif isinstance(frame, frames.Read):
            await self._read(session, frame)
        elif isinstance(frame, frames.Send):
            self._write(session, frame)
        elif isinstance(frame, frames.Typing):
            hint = frames.said("typing", thread=frame.thread, on=frame.on, by=session.user)
            self._hub.hint(session.key, hint, but=session)
        elif isinstance(frame, frames.Ping):
            session.say(frames.said("pong"))
        else:
            session.end(Close.BAD_FRAME)

    def _fail(self, session: Session, frame: frames.Fail, now: float) -> None:
        found = session.acknowledged(frame.seq, now)
        self._acknowledge(session, [one for one in found if one[0] < frame.seq], keys.DELIVERED)
        failed = [one for one in found if one[0] == frame.seq]
        if not failed and (identity := session.recent.get(frame.seq)):
            failed = [(frame.seq, identity)]  # it was acknowledged and then could not be shown
        self._acknowledge(session, failed, key_of(frame.reason), frame.reason)

    def _acknowledge(self, session: Session, found: Numbered, key: str, reason: str = "") -> None:
        """Receipts of messages; once they are durable it is kept that the device has had them."""
        if not found:
            return
        self.counts["acknowledged" if key == keys.DELIVERED else "refused"] += len(found)
        left, fine = len(found), True

        def stored(kept: bool) -> None:
            nonlocal left, fine
            left, fine = left - 1, fine and kept
            if not left and fine:
                self._had(session, found[-1][0])

        for _, identity in found:
            self._tell(session, self._receipt(session, identity, key, reason), stored, ACKED_SECONDS)
        self._hub.caught(session)

    def _tell(self, session: Session, receipt: Receipt, stored: Callable[[bool], None], after: float) -> None:
        """A device is often quicker than the commit that says that it was given something: its receipts wait a
        moment, so that callers are told of one state after the other."""
        waiting = self._waiting.setdefault(after, [])
        if not waiting:
            asyncio.get_running_loop().call_later(after, self._tell_all, after)
        waiting.append((session.key[0], receipt, stored))

    def _tell_all(self, after: float) -> None:
        for told in self._waiting.pop(after, ()):
            self._receive(*told)

    def _receipt(self, session: Session, identity: tuple[int, int], key: str, reason: str = "") -> Receipt:
        detail = f"by {session.device}" if key != keys.DELIVERED else ""
        return Receipt(
            session.key[0], native_id(*identity), key, reason, detail, session.user, raw=f"device {session.device}"
        )

    def _had(self, session: Session, seq: int) -> None:
        device = (*session.key, session.device)
        self._acked[device] = max(self._acked.get(device, 0), seq)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        found, self._acked = self._acked, {}
        if found:
            task = asyncio.get_running_loop().create_task(self._keep(found))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _keep(self, found: dict[tuple[str, str, str], int]) -> None:
        now_ms = self._clock_ms()
        try:
            await self._store.inapp_ack([Acked(*device, seq, now_ms) for device, seq in found.items()])
        except StoreUnavailable as error:  # the devices are given those messages again, and know them
            log.warning("it could not be kept what devices have had: %s", error)

    async def _read(self, session: Session, frame: frames.Read) -> None:
        found = {seq: session.recent[seq] for seq in frame.seqs if seq in session.recent}
        missing = [seq for seq in frame.seqs if seq not in found and 0 < seq <= session.sent]
        if missing:
            try:
                found |= await self._store.inapp_find(session.key, missing)
            except StoreUnavailable as error:
                log.warning("a read mark could not be taken: %s", error)
        self.counts["read"] += len(found)
        for identity in found.values():
            self._tell(session, self._receipt(session, identity, keys.READ), _forgotten, READ_SECONDS)
        if found:
            self._hub.hint(session.key, frames.said("seen", seqs=sorted(found)), but=session)

    def _write(self, session: Session, frame: frames.Send) -> None:
        room = self._hub.rooms.get(session.key[0])
        if room is None:
            session.end(Close.NO_APP)
            return
        more = {"attachments": frame.attachment, "extras": frame.extras, "thread": frame.thread}
        native: dict[str, Any] = {"appId": room.settings.app, "event": "MO", "device": session.device}
        native |= {name: value for name, value in more.items() if value}
        name = f"{session.user} {session.device} {frame.ref}"
        item = Inbound(session.key[0], CHANNEL, session.user, room.settings.app, frame.text, native, name)

        def stored(kept: bool) -> None:
            if not kept:
                session.say(frames.said("refused", ref=frame.ref, why="it could not be kept; send it again"))
                return
            self.counts["written"] += 1
            session.say(frames.said("sent", ref=frame.ref))
            own = frames.said("own", ref=frame.ref, text=frame.text, thread=frame.thread, attachment=frame.attachment)
            self._hub.hint(session.key, own, but=session)

        self._receive(session.key[0], item, stored)

    async def drained(self) -> None:
        """What was said is kept."""
        for after in sorted(self._waiting):
            self._tell_all(after)
        if self._timer is not None:
            self._timer.cancel()
            self._flush()
        await asyncio.gather(*self._tasks)


def _forgotten(stored: bool) -> None:
    """A read mark that could not be kept comes again when the user looks again."""
