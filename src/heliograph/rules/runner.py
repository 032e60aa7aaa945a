"""The verb RUN: what happened is matched, its runs are carried out step by step, and nothing is done twice.

Offered in memory after a commit; found in the table at start, and by a look at it from time to time, which also
finds what other processes took in and what they left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterable

from heliograph.bus.tasks import lasting
from heliograph.model.automation import Run, RunState
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.rules.acting import Actor, Held
from heliograph.rules.carrying import Carrier
from heliograph.rules.matching import HOLD_MS, Found, Matcher
from heliograph.rules.seams import Means
from heliograph.rules.watching import Watcher
from heliograph.rules.wordings import Wordings
from heliograph.store import StoreUnavailable
from heliograph.store.areas.automation.runs import Matched

log = logging.getLogger(__name__)

GROUP = 256  # occurrences matched in one commit
AT_ONCE = 128  # runs that are carried out at the same time
WAITING = 20_000  # runs in memory that wait for their turn; more stay in the table
PAGE = 500
LOOK_SECONDS = 0.5
APART_SECONDS = 0.05  # of two looks at the table at least
WATCH_SECONDS = 0.2
PAUSE_SECONDS = 0.5  # after the store failed


class Runner:
    """Runs rules. `offer` is for what happened, after its commit."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._matcher = Matcher(means)
        self._wordings = Wordings(means.store)
        self._watcher = Watcher(means.store, means.clock_ms)
        self._actor = Actor(means, self.offer)
        self._carrier = Carrier(means, self._actor, self._watcher)
        self._new: deque[Occurrence] = deque()
        self._known: set[int] = set()  # occurrences in hand
        self._ready: deque[Held] = deque()
        self._held: set[int] = set()  # runs in hand
        self._came, self._called = asyncio.Event(), asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def counts(self) -> dict[str, int]:
        """What came so far."""
        return {**self._matcher.counts, **self._carrier.counts, **self._actor.counts}

    def waiting(self) -> dict[str, int]:
        """What is in hand now."""
        return {
            "new": len(self._new),
            "runs": len(self._ready) + len(self._under_way),
            "awaiting": len(self._watcher),
        }

    def offer(self, occurrences: Iterable[Occurrence]) -> None:
        """These were kept and are new."""
        for one in occurrences:
            if one.id not in self._known and len(self._new) < WAITING:
                self._known.add(one.id)
                self._new.append(one)
        self._came.set()

    def look(self) -> None:
        """There is something in the table."""
        self._called.set()

    async def left(self) -> int:
        """A process is gone and nobody knows which runs it had in hand: all are taken up. Those that another still
        carries on are looked at twice, and only time is lost; how many. Raises `StoreUnavailable`."""
        freed = await self._means.store.free_runs(self._means.clock_ms())
        self.look()
        return freed

    async def start(self, *, alone: bool) -> int:
        """Begin. Where no other process is, what an earlier one had in hand is taken up at once; how many runs."""
        freed = await self.left() if alone else 0
        for work, name in ((self._match(), "match"), (self._look(), "look"), (self._watch(), "watch")):
            self._tasks.append(lasting(work, f"rules: {name}"))
        return freed

    async def stop(self, grace: float) -> None:
        """Begin nothing more and let what is under way come to its next commit; the rest is in the table."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # What happened

    async def _match(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self._new:
                group = [self._new.popleft() for _ in range(min(GROUP, len(self._new)))]
                try:
                    await self._keep([await self._found(one) for one in group])
                except StoreUnavailable as error:
                    log.warning("what happened cannot be matched now, trying again: %s", error)
                    self._new.extendleft(reversed(group))
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _found(self, one: Occurrence) -> Found:
        try:
            return await self._matcher.match(one)
        except StoreUnavailable:
            raise
        except Exception:  # the verb's loop: a fault of ours leaves this one unresolved, not the others
            log.exception("rules for %s %s could not be looked for", one.trigger, one.name)
            return Found(one, Matched(one.id, OccurrenceState.UNRESOLVED, note="internal error, see the log"), [])

    async def _keep(self, found: list[Found]) -> None:
        took = await asyncio.gather(*(self._means.store.match(one.matched) for one in found))
        for one, fresh in zip(found, took, strict=True):
            self._known.discard(one.occurrence.id)
            for run, rule in zip(one.matched.runs, one.rules, strict=True):
                if fresh and run.state is RunState.OPEN:
                    self._wordings.know(run.tenant, rule)
                    self._take(Held(run, one.occurrence, rule))

    # Runs

    def _take(self, held: Held) -> None:
        if held.run.id in self._held or len(self._ready) >= WAITING:
            return
        self._held.add(held.run.id)
        self._ready.append(held)
        self._pump()

    def _pump(self) -> None:
        while self._ready and len(self._under_way) < AT_ONCE and not self._stopping:
            task = asyncio.create_task(self._carry(self._ready.popleft()))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _carry(self, held: Held) -> None:
        try:
            await self._carrier.carry(held)
        finally:
            self._held.discard(held.run.id)
            asyncio.get_running_loop().call_soon(self._pump)

    async def _watch(self) -> None:
        """Runs whose message got there, or did not."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                seen = await self._watcher.look()
            except StoreUnavailable as error:
                log.warning("what rules wait for cannot be looked at now: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            for one in seen:
                self._take(self._carrier.awaited(one))

    async def _look(self) -> None:
        """What is in the table and due, whoever left it there."""
        while True:
            try:
                await self._look_for_new()
                await self._look_for_due()
            except StoreUnavailable as error:
                log.warning("runs of rules cannot be read now: %s", error)
                await asyncio.sleep(PAUSE_SECONDS)
            await asyncio.sleep(min(APART_SECONDS, LOOK_SECONDS))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._called.wait()
            self._called.clear()

    async def _look_for_new(self) -> None:
        after = 0
        while len(self._new) < PAGE:
            page = await self._means.store.open_occurrences(OccurrenceState.NEW, after, PAGE)
            self.offer(page)
            if len(page) < PAGE:
                return
            after = page[-1].id

    async def _look_for_due(self) -> None:
        while len(self._ready) < PAGE:
            now_ms = self._means.clock_ms()
            due = await self._means.store.next_run_due()
            if not due or due > now_ms:
                return
            runs = await self._means.store.lease_runs(now_ms, now_ms + HOLD_MS, PAGE)
            await self._take_up([run for run in runs if run.id not in self._held])

    async def _take_up(self, runs: list[Run]) -> None:
        wanted = {run.occurrence for run in runs}
        occurrences = {one.id: one for one in await self._means.store.occurrences(wanted)} if wanted else {}
        rules = await self._wordings.rules({(run.tenant, run.digest) for run in runs})
        for run in runs:
            occurrence, rule = occurrences.get(run.occurrence), rules.get((run.tenant, run.digest))
            if occurrence is None or rule is None:
                await self._carrier.give_up(run, "what it follows from is no longer kept")
            else:
                self._take(Held(run, occurrence, rule))
