"""Takes, keeps and gives back the duties of this process, as leases in a table that all processes share.

A lease is believed only while it runs by our own clock, counted from before it was asked for. So a process that was
paused, or that the database does not answer, stops acting on a duty before another may have it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any

from heliograph.bus.signals import Signals
from heliograph.duties.leases import WORKER, Group, passed_seconds
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.cluster.duties import Claim, Leased

log = logging.getLogger(__name__)

TTL_SECONDS = 8.0
EVERY_SECONDS = 2.0  # between two renewals
MARGIN_SECONDS = 0.5  # by which we stop believing in a lease before others may
LATER_SECONDS = 0.5  # by which a process with its share leaves what is free to others
DRAIN_SECONDS = 2.0  # for changes that are being followed when the process ends
RETRY_SECONDS = 0.5  # after the database did not answer
SUBJECT = "leases"

Rows = Mapping[str, Leased]


class Keeper:
    """Keeps the leases of one process, called `owner`. Add to `groups` what it may have, and to `departed` what is
    awaited after another worker has ended, however it did."""

    def __init__(
        self, store: Store, signals: Signals, owner: str, clock: Callable[[], float] = passed_seconds
    ) -> None:
        self._store = store
        self._signals = signals
        self._owner = owner
        self._clock = clock
        self.groups: list[Group] = []
        self.departed: list[Callable[[], Awaitable[None]]] = []
        self._workers: frozenset[str] = frozenset()
        self._until: dict[str, float] = {}
        self._leaving: set[str] = set()
        self._wake = asyncio.Event()
        self._following: set[asyncio.Task[None]] = set()
        self._draining = False

    def holds(self, name: str) -> bool:
        """Whether this process has the duty, now."""
        return self._clock() < self._until.get(name, 0.0) and name not in self._leaving

    def held(self) -> list[str]:
        """All duties of this process."""
        return sorted(filter(self.holds, self._until))

    def look(self, _: bytes = b"") -> None:
        """Something may be free, or wanted, by now."""
        self._wake.set()

    async def begin(self) -> None:
        """The first look, after which this process is known to the others. Raises `StoreUnavailable`."""
        self._signals.listen(SUBJECT, self.look)
        await self._round()
        self._signals.signal(SUBJECT)

    async def run(self) -> None:
        """Keep, for ever; ends by cancellation."""
        pause = 0.0
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            try:
                pause = await self._round()
            except StoreUnavailable as error:
                log.warning("duties cannot be kept, trying again: %s", error)
                pause = RETRY_SECONDS

    async def watch(self) -> None:
        """For ever: see when a lease has run out, though the database does not answer."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            self._follow()

    async def take_one(self, names: Iterable[str]) -> str | None:
        """One of these duties, that which nobody has had for longest; None when all are taken. It is kept if a group
        has it from now on. Raises `StoreUnavailable`."""
        left = {row.name: row.left for row in await self._store.leases()}
        free = [name for name in names if left.get(name, -math.inf) <= 0]
        for name in sorted(free, key=lambda name: left.get(name, -math.inf)):
            if name in await self._claim([name]):
                return name
        return None

    async def drain(self) -> None:
        """Take nothing more; what is held is kept until it is given back. Returns when all changes so far were
        followed, or that takes too long."""
        self._draining = True
        if self._following:
            _, late = await asyncio.wait(tuple(self._following), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    async def give_back(self, *beginnings: str) -> None:
        """While draining: give back the duties whose names begin so, and tell the others."""
        given = [name for name in self._until if name.startswith(beginnings)]
        for name in given:
            del self._until[name]
        self.groups = [group for group in self.groups if group.held.isdisjoint(given)]
        try:
            await self._store.claim_leases(Claim(self._owner, [], given, 0))
        except StoreUnavailable as error:
            log.warning("duties cannot be given back and run out by themselves: %s", error)
        self._signals.signal(SUBJECT)

    async def _round(self) -> float:
        """Renew what is held, take what is free and wanted, give back what is too much; seconds to the next look."""
        rows = {row.name: row for row in await self._store.leases()}
        for name in [name for name in self._until if name in rows and rows[name].owner != self._owner]:
            log.warning("the duty %s is another process's by now and is given up", name)
            del self._until[name]
        wanted = {name for group in self.groups for name in group.names()}
        mine = {name for name in wanted if name in rows and self._is_mine(rows[name])} - self._leaving
        free, over, soon = (set(), set(), EVERY_SECONDS) if self._draining else self._chosen(rows, mine)
        for name in over | (self._until.keys() - wanted - self._leaving):
            self._leaving.add(name)
            self._task(self._give_back(name))
        await self._claim(sorted(((mine - over) | free) if not self._draining else mine & self._until.keys()))
        self._follow()
        self._follow_workers(rows)
        return soon

    def _follow_workers(self, rows: Rows) -> None:
        workers = frozenset(row.owner for row in rows.values() if row.left > 0 and row.name.startswith(WORKER))
        before, self._workers = self._workers, workers
        if before - workers - {self._owner} and not self._draining:
            for departed in self.departed:
                self._task(departed())

    def _is_mine(self, row: Leased) -> bool:
        return row.owner == self._owner and row.left > -EVERY_SECONDS * 1_000

    def _chosen(self, rows: Rows, mine: set[str]) -> tuple[set[str], set[str], float]:
        """What to take, what to give back, and when to look again: just after the next lease of others runs out."""
        free: set[str] = set()
        over: set[str] = set()
        ends = [row.left / 1_000 + 0.01 for row in rows.values() if row.left > 0 and row.name.startswith(WORKER)]
        soon = min([EVERY_SECONDS, *ends])
        for group in self.groups:
            names = sorted(group.names(), key=lambda name: hash((self._owner, name)))
            has = sum(name in mine for name in names)
            share = _share(group, rows, len(names))
            if group.fair:
                over.update([name for name in names if name in mine][share:])
            for name in names:
                if name in mine or name in self._leaving or (group.fair and has >= share):
                    continue
                left = rows[name].left / 1_000 if name in rows else -math.inf
                wait = left + (LATER_SECONDS if has >= share else 0)
                if wait > 0:
                    soon = min(soon, wait + 0.01)
                else:
                    free.add(name)
                    has += 1
        return free, over, soon

    async def _claim(self, take: list[str]) -> frozenset[str]:
        began = self._clock()
        held = await self._store.claim_leases(Claim(self._owner, take, [], round(TTL_SECONDS * 1_000)))
        for name in held:
            self._until[name] = began + TTL_SECONDS - MARGIN_SECONDS
        return held

    async def _give_back(self, name: str) -> None:
        """Finish what is under way, then let another have it. The lease is not renewed meanwhile, so that it runs out
        by itself should this take too long."""
        try:
            for group in self.groups:
                if name in group.held and group.leaving is not None:
                    await group.leaving(name)
            await self._store.claim_leases(Claim(self._owner, [], [name], 0))
        except StoreUnavailable as error:
            log.warning("the duty %s cannot be given back and runs out by itself: %s", name, error)
        finally:
            self._until.pop(name, None)
            self._leaving.discard(name)
        self._follow()
        self._signals.signal(SUBJECT)

    def _follow(self) -> None:
        """Tell each group of duties that came or went."""
        now = self._clock()
        for name in [name for name, until in self._until.items() if until <= now]:
            log.warning("the duty %s was not renewed in time and is given up", name)
            del self._until[name]
        for group in self.groups:
            held = frozenset(filter(self.holds, group.names()))
            if held != group.held:
                group.held = held
                if group.changed is not None and not self._draining:
                    self._task(group.changed())

    def _task(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(_awaited(work))
        self._following.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._following.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a change of duties could not be followed", exc_info=error)


async def _awaited(work: Coroutine[Any, Any, None]) -> None:
    await work


def _share(group: Group, rows: Rows, count: int) -> int:
    """How many of so many duties are one process's."""
    if not group.share:
        return count
    sharing = sum(row.left > 0 for row in rows.values() if row.name.startswith(group.share))
    return math.ceil(count / max(1, sharing))
