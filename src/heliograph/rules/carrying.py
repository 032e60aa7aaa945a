"""Carries one run from step to step until it waits or ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from msgspec.structs import replace as run_replaced

from heliograph.model.automation import Entry, Run, RunState
from heliograph.model.events import Occurrence
from heliograph.policy.automation import Scope, Step, Wait
from heliograph.policy.automation.program import END, Stop
from heliograph.rules.acting import Actor, Held
from heliograph.rules.person import with_profile
from heliograph.rules.seams import Means
from heliograph.rules.watching import Seen, Watcher
from heliograph.store import StoreUnavailable
from heliograph.store.areas.automation.runs import NO_EFFECTS, Advance

log = logging.getLogger(__name__)

TRIES = 3  # at once
LEAVE = 6  # times that a run is taken up for a step that cannot be kept
PAUSE_SECONDS = 0.3
LATER_MS = 15_000  # until a step that cannot be kept is tried again
REACHED, NOT_REACHED, LEFT_OUT = "reached", "not reached", "left out"


class Carrier:
    """Carries runs; `counts` are of those that ended."""

    def __init__(self, means: Means, actor: Actor, watcher: Watcher) -> None:
        self._means = means
        self._actor = actor
        self._watcher = watcher
        self.counts = {"done": 0, "failed": 0}

    async def carry(self, held: Held) -> None:
        """Do a run's steps until it waits or ends, or somebody else does them."""
        while held.run.state is RunState.OPEN:
            moved = await self._move(held)
            if moved is None:
                return
            held = replace(held, run=moved)
            if moved.until and moved.state is RunState.OPEN:
                return
        if held.run.state is RunState.AWAITING:
            if not self._watcher.add(held):
                log.warning("a run of the rule %s waits unwatched: there are too many", held.run.rule)
            return
        self.counts["failed" if held.run.state is RunState.FAILED else "done"] += 1

    def awaited(self, seen: Seen) -> Held:
        """A run whose wait is over: it goes on from there, with its next commit."""
        held, step = seen.held, seen.held.steps[seen.held.run.step]
        there = step.next if seen.reached or step.other is None else step.other
        now_ms = self._means.clock_ms()
        entry = Entry(now_ms, step.place, step.what, seen.reached, REACHED if seen.reached else NOT_REACHED)
        run = run_replaced(held.run, state=RunState.OPEN, step=there, awaits=0, until=0, log=[*held.run.log, entry])
        return replace(held, run=run)

    async def give_up(self, run: Run, why: str, occurrence: Occurrence | None = None) -> None:
        """A run that cannot go on ends."""
        now_ms = self._means.clock_ms()
        entry = Entry(now_ms, "then", "end", False, why)
        ended = run_replaced(
            run, state=RunState.FAILED, turn=run.turn + 1, awaits=0, until=0, due=0, updated=now_ms,
            log=[*run.log, entry],
        )  # fmt: skip
        calls = self._means.ended(occurrence) if occurrence is not None else None
        moved = await self._means.store.advance(Advance(ended, ended=calls))
        if moved.owed is not None:
            self._means.tell([moved.owed])
        self.counts["failed"] += moved.took

    async def _move(self, held: Held) -> Run | None:
        """The run after its next step; None when somebody else did that, or nobody can now."""
        for tries in range(TRIES):
            try:
                return await self._step(held)
            except StoreUnavailable as error:
                log.warning("a step of the rule %s cannot be kept: %s", held.run.rule, error)
                await asyncio.sleep(PAUSE_SECONDS * (tries + 1))
            except Exception:  # the verb's loop over runs: a fault of ours ends this one, not the others
                log.exception("a step of the rule %s went wrong", held.run.rule)
                await self._leave(held, LEAVE)
                return None
        await self._leave(held, held.run.tries + 1)
        return None

    async def _leave(self, held: Held, tries: int) -> None:
        """A run that cannot go on now is taken up later; when that was tried too often although the store takes other
        things, it is this step that cannot be kept, and the run ends."""
        run, now_ms = held.run, self._means.clock_ms()
        try:
            if tries >= LEAVE:
                await self.give_up(run, "internal error, see the log", held.occurrence)
                return
            later = run_replaced(run, turn=run.turn + 1, tries=tries, due=now_ms + LATER_MS, updated=now_ms)
            await self._means.store.advance(Advance(later))
        except StoreUnavailable as error:
            log.error("a run of the rule %s is left for later: %s", run.rule, error)

    async def _step(self, held: Held) -> Run | None:
        held = await self._skip(held)
        run, now_ms = held.run, self._means.clock_ms()
        if run.step == END:
            return await self._kept(held, self._actor.ended(held))
        step = held.steps[run.step]
        if isinstance(step.act, Wait) and not run.until:
            until = now_ms + self._actor.wait_ms(run, step.act.seconds)
            return await self._kept(
                held, run_replaced(run, turn=run.turn + 1, until=until, due=until, updated=now_ms)
            )
        if isinstance(step.act, Wait | Stop):
            there = END if isinstance(step.act, Stop) else step.next
            return await self._kept(held, self._actor.after(held, there, ""))
        moved, result = await self._actor.act(held, await self._scope(held, step))
        return moved if result.took else None

    async def _skip(self, held: Held) -> Held:
        """The run at the first step whose conditions hold; what is left out needs no commit of its own."""
        while held.run.step != END and not held.run.until:
            step = held.steps[held.run.step]
            if step.when is None or step.when(await self._scope(held, step)):
                break
            entry = Entry(self._means.clock_ms(), step.place, step.what, True, LEFT_OUT)
            held = replace(held, run=run_replaced(held.run, step=step.past, log=[*held.run.log, entry]))
        return held

    async def _scope(self, held: Held, step: Step) -> Scope:
        scope = Scope(held.occurrence)
        return await with_profile(held.rule.rule, scope, self._means.people) if step.asks else scope

    async def _kept(self, held: Held, run: Run) -> Run | None:
        moved, result = await self._actor.commit(held, run, NO_EFFECTS)
        return moved if result.took else None
