"""Builds what runs rules, and ties it to whoever takes messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from heliograph.intake import Cause, Intake
from heliograph.lookup import Lookup
from heliograph.model.events import Occurrence
from heliograph.model.ids import Ids
from heliograph.model.record import Notice
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.profiles.people import ProfilePeople
from heliograph.rules.ending import calls_at_the_end
from heliograph.rules.runner import Runner
from heliograph.rules.seams import Keep, Means
from heliograph.store import Store


class Around(NamedTuple):
    """What is there already."""

    store: Store
    directory: Callable[[], Directory]
    ids: Ids
    clock_ms: Callable[[], int]
    intake: Intake
    lookup: Lookup
    tell: Callable[[list[Notice]], None]


class RuleParts:
    """The verb of rules."""

    def __init__(self, around: Around) -> None:
        self._intake = around.intake

        def ended(occurrence: Occurrence) -> tuple[Notice, Notice] | None:
            return calls_at_the_end(occurrence, around.ids.next, around.clock_ms())

        self.runner = Runner(
            Means(
                store=around.store,
                directory=around.directory,
                ids=around.ids,
                clock_ms=around.clock_ms,
                accept=self._accept,
                people=ProfilePeople(around.store, around.directory),
                tell=around.tell,
                listed=around.lookup.listed,
                ended=ended,
            )
        )

    async def _accept(self, tenant: Tenant, service: Service, body: bytes, depth: int, keep: Keep) -> None:
        await self._intake.follow(tenant, service, body, Cause(depth, keep))

    def counts(self) -> dict[str, float]:
        """What `/metrics` shows of rules."""
        return {**self.runner.counts, **self.runner.waiting()}
