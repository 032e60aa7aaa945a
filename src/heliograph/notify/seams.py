"""What telling needs of the rest: the store of notices, the live workspace, and its own settings."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from heliograph.model.message import Request
from heliograph.model.record import Notice, Told
from heliograph.model.workspace import Service, Tenant

Services = Callable[[str, str], tuple[Tenant, Service] | None]
"""The tenant and service of two ids, from the live workspace; None when they are no longer there."""

ClockMs = Callable[[], int]


class NoticeStore(Protocol):
    """The table of notices, as the teller uses it."""

    async def notice_origins(self, now_ms: int) -> list[str]:
        """The origins that have pending notices due."""

    async def due_notices(self, origin: str, now_ms: int, limit: int, skip: Collection[int]) -> list[Notice]:
        """Up to `limit` pending notices of an origin that are due, longest due first, but none of `skip`."""

    async def told(self, outcomes: list[Told]) -> None:
        """Write what became of tries, all in one transaction; returns when it is durable."""

    async def requests(self, ids: Collection[int]) -> dict[int, Request]:
        """The requests with these ids, as far as they are still kept."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`lanes` calls at once to an endpoint, `connections` to all; `queue` notices of an endpoint in memory;
    `timeout` seconds for a call; `poll` seconds between looks at the table; `batch` seconds in which outcomes
    gather into one write; after `trip` failures to connect in a row an endpoint rests, from `rest` to
    `longest_rest` seconds."""

    lanes: int = 16
    connections: int = 256
    queue: int = 2000
    timeout: float = 10.0
    poll: float = 1.0
    batch: float = 0.005
    trip: int = 5
    rest: float = 1.0
    longest_rest: float = 60.0
