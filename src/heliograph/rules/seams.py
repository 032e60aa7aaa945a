"""What rules need of the rest: the store, whoever takes messages, people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from heliograph.model.automation import Run
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.ids import Ids
from heliograph.model.message import Address
from heliograph.model.people import Person, Where
from heliograph.model.record import Accepted, Notice
from heliograph.model.workspace import Service, Tenant
from heliograph.policy.directory import Directory
from heliograph.store.areas.automation.runs import Advance, Matched, Moved

Keep = Callable[[Accepted], Awaitable[bool]]
"""Makes a call durable; whether it did, or somebody else was faster."""

Accept = Callable[[Tenant, Service, bytes, tuple[int, int], Keep], Awaitable[None]]
"""Takes a Messaging call in a service's name, so many rules after what caused it and for a run, and has it kept.
Raises `Rejected`."""

Ended = Callable[[Occurrence], tuple[Notice, Notice] | None]
"""The calls owed when all runs of an occurrence ended: when all went well, and when something failed."""


class RuleStore(Protocol):
    """What is asked of the store."""

    async def match(self, matched: Matched) -> bool:
        """Keep the runs of an occurrence."""

    async def advance(self, moving: Advance) -> Moved:
        """Move a run on."""

    async def next_run_due(self) -> int:
        """When the next run is due."""

    async def lease_runs(self, now_ms: int, until_ms: int, limit: int) -> list[Run]:
        """Take runs that are due."""

    async def free_runs(self, now_ms: int) -> int:
        """Runs under way are due now."""

    async def rule_texts(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Wordings of rules."""

    async def states_of(self, requests: Collection[int]) -> dict[int, list[int]]:
        """The states in which the messages of requests stand."""

    async def occurrences(self, ids: Collection[int]) -> list[Occurrence]:
        """Occurrences by id."""

    async def open_occurrences(self, state: OccurrenceState, after: int, limit: int) -> list[Occurrence]:
        """Occurrences that are new."""


class WhoIs(Protocol):
    """Where people are known."""

    async def people(self, tenant: str, app: str, addresses: Collection[Address]) -> Mapping[Where, Person]:
        """Whom addresses lead to."""


@dataclass(frozen=True, slots=True)
class Means:
    """What rules work with. `tell` gets notices after their commit, `listed` the tenants whose do-not-disturb list
    grew."""

    store: RuleStore
    directory: Callable[[], Directory]
    ids: Ids
    clock_ms: Callable[[], int]
    accept: Accept
    people: WhoIs
    tell: Callable[[list[Notice]], None]
    listed: Callable[[str], None]
    ended: Ended


Payload = dict[str, Any]
