"""Who tells whom: notices go to the process that has their endpoint, and what happens to the live logs of all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from heliograph import catalogue
from heliograph.bus.local import Tail
from heliograph.cli.parts.cluster import Cluster
from heliograph.duties.leases import TELL, tell_lease
from heliograph.model.record import Notice
from heliograph.notify.teller import Teller
from heliograph.store import Store

log = logging.getLogger(__name__)

SLICE = 200  # notices in one signal
WAKE, WANTED, EVENTS = "wake", "tail.wanted", "tail.events"
WANTED_SECONDS = 5.0  # how often a process whose live log is listened to says so
WANTED_FOR = 15.0  # how long that holds

_encode = msgspec.msgpack.Encoder().encode
_notices = msgspec.msgpack.Decoder(list[Notice]).decode
_events = msgspec.msgpack.Decoder(list[dict[str, Any]]).decode


class Telling:
    """`tell` is called after notices were committed, whichever process owes the calls."""

    def __init__(self, cluster: Cluster, teller: Teller, tail: Tail, store: Store, *, works: bool) -> None:
        self._cluster = cluster
        self._signals = cluster.signals
        self._teller = teller
        self._tail = tail
        self._store = store
        self._works = works
        self._heard: dict[str, Callable[[], None]] = {}
        self._wanted_until = 0.0
        if cluster.shared:
            tail.began = self._want
            if works:
                self._signals.listen(WAKE, lambda data: self._teller.wake(data.decode(errors="replace")))
            self._signals.listen(WANTED, self._is_wanted)
            self._signals.listen(EVENTS, self._publish)

    def tell(self, notices: list[Notice]) -> None:
        """Callers are told, and listeners of the live log."""
        if not self._cluster.shared:
            if self._works:
                self._teller.offer(notices)
            if self._tail.heard:
                for notice in notices:
                    self._tail.publish(self._event(notice))
            return
        others: defaultdict[str, list[Notice]] = defaultdict(list)
        mine: list[Notice] = []
        for notice in notices:
            lease = tell_lease(notice.origin)
            (mine if self._works and self._cluster.leases.holds(lease) else others[lease]).append(notice)
        self._teller.offer(mine)
        for lease, owed in others.items():
            self._send(lease, owed)
        if time.monotonic() < self._wanted_until:
            for start in range(0, len(notices), SLICE):
                self._signals.signal(EVENTS, _encode([self._event(one) for one in notices[start : start + SLICE]]))

    def wake(self, origin: str) -> None:
        """An origin is owed something again."""
        if self._cluster.shared:
            self._signals.signal(WAKE, origin.encode())
        else:
            self._teller.wake(origin)

    async def follow(self) -> None:
        """Endpoints came or went: hear of those that are ours, and look at the table."""
        for lease in TELL:
            held = self._cluster.leases.holds(lease)
            if held and lease not in self._heard:
                self._heard[lease] = self._signals.listen(lease, self._came)
            elif not held and lease in self._heard:
                self._heard.pop(lease)()
        self._teller.look()

    async def run(self) -> None:
        """For ever: say whether anyone listens to our live log."""
        while True:
            await asyncio.sleep(WANTED_SECONDS)
            if self._tail.heard:
                self._want()

    def _send(self, lease: str, notices: Sequence[Notice]) -> None:
        """Hand notices to whoever has them. What is too large for a signal is found in the table."""
        for start in range(0, len(notices), SLICE):
            try:
                self._signals.signal(lease, _encode(notices[start : start + SLICE]))
            except ValueError as error:
                log.debug("notices are left to the table: %s", error)

    def _came(self, data: bytes) -> None:
        self._teller.offer(self._teller.shares.fresh(_notices(data)))

    def _want(self) -> None:
        self._signals.signal(WANTED)

    def _is_wanted(self, _: bytes) -> None:
        self._wanted_until = time.monotonic() + WANTED_FOR

    def _publish(self, data: bytes) -> None:
        if self._tail.heard:
            for event in _events(data):
                self._tail.publish(event)

    def _event(self, notice: Notice) -> dict[str, Any]:
        request = self._store.cached_request(notice.request)
        return {
            "at": notice.at,
            "transid": request.transid(notice.ordinal) if request else "",
            "service": notice.service,
            "state": notice.state.name.lower(),
            "code": catalogue.code(notice.key) if request else "",
            "description": catalogue.receipt_text(notice.key) if request else notice.key,
            "detail": notice.detail,
        }
