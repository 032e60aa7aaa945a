"""From what happened to the runs of its rules."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from heliograph.model.automation import DEEPEST, Entry, Run, RunState
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.workspace import Tenant
from heliograph.policy.automation import Compiled, Scope
from heliograph.rules.person import with_profile
from heliograph.rules.seams import Means
from heliograph.rules.storms import Storms
from heliograph.store.areas.automation.runs import Matched

log = logging.getLogger(__name__)

HOLD_MS = 5_000  # how long a run is ours before others may take it up
SLICE_SECONDS = 0.005  # of the event loop, before others get their turn
NO_RULE = "no rule is for it"
UNMET = "the conditions of no rule are met"


@dataclass(frozen=True, slots=True)
class Found:
    """What an occurrence becomes: what is kept, and the rules of its runs in the same order."""

    occurrence: Occurrence
    matched: Matched
    rules: list[Compiled]


class Matcher:
    """Looks for the rules of occurrences."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._storms = Storms(means.clock_ms)
        self._turn = 0.0
        self.counts = {"matched": 0, "unresolved": 0, "loops": 0}

    async def match(self, occurrence: Occurrence) -> Found:
        """The runs of an occurrence; nothing is kept yet."""
        await self._breathe()
        tenant = self._means.directory().tenants.get(occurrence.tenant)
        rules = await self._rules(tenant, occurrence) if tenant is not None else []
        if tenant is None or not rules:
            self.counts["unresolved"] += 1
            known = self._means.directory().rules(occurrence.tenant).has(occurrence.trigger, occurrence.name)
            note = UNMET if known else NO_RULE
            return Found(occurrence, Matched(occurrence.id, OccurrenceState.UNRESOLVED, note=note), [])
        self.counts["matched"] += 1
        runs = [self._run(tenant, occurrence, one) for one in rules]
        ended = all(run.state is RunState.REFUSED for run in runs)
        matched = Matched(
            occurrence.id,
            OccurrenceState.DONE if ended else OccurrenceState.MATCHED,
            runs,
            [(tenant.id, one.digest, one.text) for one in rules],
            runs[0].log[0].detail if ended else "",
        )
        return Found(occurrence, matched, rules)

    async def _breathe(self) -> None:
        if time.perf_counter() - self._turn > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._turn = time.perf_counter()

    async def _rules(self, tenant: Tenant, occurrence: Occurrence) -> list[Compiled]:
        scope = Scope(occurrence)
        there = self._means.clock_ms() + tenant.clock_ahead * 1_000
        chosen = []
        for one in self._means.directory().rules(tenant.id).candidates(scope, there):
            seen = await with_profile(one.rule, scope, self._means.people) if one.asks else scope
            if one.holds(seen):
                chosen.append(one)
        return chosen

    def _run(self, tenant: Tenant, occurrence: Occurrence, one: Compiled) -> Run:
        now_ms = self._means.clock_ms()
        service = one.rule.service or occurrence.service or _only(tenant)
        against = self._against(occurrence, one, service)
        return Run(
            self._means.ids.next(), occurrence.id, tenant.id, service, one.rule.name, one.digest, now_ms,
            RunState.REFUSED if against else RunState.OPEN, due=now_ms + HOLD_MS, updated=now_ms,
            log=[Entry(now_ms, "on", "begin", False, against)] if against else [],
        )  # fmt: skip

    def _against(self, occurrence: Occurrence, one: Compiled, service: str) -> str:
        """Why a rule is not run although it is met; "" when it is."""
        if not service:
            return "no service acts; the rule must say which"
        why = ""
        if occurrence.depth >= DEEPEST:
            why = f"{occurrence.depth} rules led to this already: a loop"
        elif self._storms.is_storm(occurrence, one.rule.name):
            why = "it was set off too often by the same person: a loop"
        if why:
            self.counts["loops"] += 1
            log.warning("the rule %s of %s is not run: %s", one.rule.name, occurrence.tenant, why)
        return why


def _only(tenant: Tenant) -> str:
    return tenant.services[0].id if len(tenant.services) == 1 else ""
