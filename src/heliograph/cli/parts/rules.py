"""Builds what runs rules, and ties it to whoever takes messages."""

from __future__ import annotations

import asyncio
import logging
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
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

HEIR_SECONDS = 3.0  # until a worker has the duties of one that ended


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

    async def _accept(
        self, tenant: Tenant, service: Service, body: bytes, after: tuple[int, int], keep: Keep
    ) -> None:
        await self._intake.follow(tenant, service, body, Cause(*after, keep))

    async def start(self, *, alone: bool) -> None:
        """Begin to run rules; `alone` says that no other process can be on the same database."""
        if freed := await self.runner.start(alone=alone):
            log.info("%d runs of rules were taken up again", freed)

    async def left(self, on_duty: Callable[[], bool]) -> None:
        """Another worker has ended: who has the duty sees to it that its runs go on."""
        for _ in range(round(HEIR_SECONDS)):
            if on_duty():
                try:
                    log.info("%d runs of rules may have been a worker's that ended", await self.runner.left())
                except StoreUnavailable as error:
                    log.warning("runs of a worker that ended go on when their time is over: %s", error)
                return
            await asyncio.sleep(1.0)

    def waiting(self) -> dict[str, float]:
        """What `/metrics` shows of what is in hand."""
        return {f"rules_{name}": count for name, count in self.runner.waiting().items()}
