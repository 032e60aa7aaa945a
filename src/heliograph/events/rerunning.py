"""Runs events again that nothing followed from, after a rule was made for them."""

from __future__ import annotations

from heliograph.events.declared import Definitions
from heliograph.events.hooks import FILTERED
from heliograph.events.taking import NO_RULE, Means, foreign
from heliograph.model.events import ENDED, Occurrence, OccurrenceState
from heliograph.model.profiles.erasure import ERASED
from heliograph.policy.directory import Directory

PAGE = 500


class CannotRun(Exception):
    """It cannot be run again as things stand; the text says why."""


class Rerunner:
    """Makes occurrences new again."""

    def __init__(self, means: Means, definitions: Definitions) -> None:
        self._means = means
        self._definitions = definitions
        self.counts = {"rerun": 0}

    async def rerun(self, occurrence: Occurrence, directory: Directory) -> Occurrence:
        """One occurrence, as it stands afterwards. Raises `CannotRun`."""
        if occurrence.state not in ENDED:
            raise CannotRun("it is still being run")
        if why := self.against(occurrence, directory):
            raise CannotRun(why)
        found = await self._again([occurrence])
        if not found:
            raise CannotRun("somebody else runs it again already")
        return found[0]

    async def rerun_unresolved(self, tenant: str, name: str, directory: Directory) -> int:
        """Every unresolved occurrence of a tenant, of a name or ("") any, that a rule is for now; how many."""
        before, count = (1 << 63) - 1, 0
        while page := await self._means.store.unresolved(tenant, before, PAGE):
            before = page[-1].id
            fit = [one for one in page if name in ("", one.name) and not self.against(one, directory)]
            count += len(await self._again(fit))
        return count

    def against(self, occurrence: Occurrence, directory: Directory) -> str:
        """Why nothing would follow from it now; "" when something may."""
        tenant = directory.tenants.get(occurrence.tenant)
        if tenant is None:
            return "its tenant is gone"
        if occurrence.note == ERASED:
            return "what came with it was erased"
        if occurrence.trigger == "event":
            definition = self._definitions.of(tenant.id).get(occurrence.name)
            if definition is None:
                return "the event is no longer declared"
            if not definition.may_send(occurrence.service):
                return foreign(occurrence.service, definition.spec.services)
        if occurrence.trigger == "hook":
            found = directory.hook(occurrence.name)
            if found is None or found[0].id != tenant.id:
                return "the hook is no longer declared"
            if not directory.passes(found[1], occurrence):
                return FILTERED
        return "" if self._means.has_rule(tenant.id, occurrence.trigger, occurrence.name) else NO_RULE

    async def _again(self, occurrences: list[Occurrence]) -> list[Occurrence]:
        ids = await self._means.store.rerun([one.id for one in occurrences]) if occurrences else []
        found = await self._means.store.occurrences(ids) if ids else []
        self.counts["rerun"] += len(found)
        fresh = [one for one in found if one.state is OccurrenceState.NEW]
        if fresh:
            self._means.happened(fresh)
        return found
