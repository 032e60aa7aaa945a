"""Duties that one process has at a time: how they are called, and what those who have them ask."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Protocol
from zlib import crc32

from heliograph.model.ids import NODE_BITS

NODES = tuple(f"node.{number}" for number in range(1 << NODE_BITS))
"""Each process has one: its number is in the ids that it makes."""
WORKER = "worker."
"""Begins the lease by which a worker is known to the others; its number follows."""
HOUSEKEEPING = "housekeeping"
RELAY = "relay"
DUTIES = (HOUSEKEEPING, RELAY)
BRIDGES = "mqtt"
"""Standing between apps and the brokers that they connect to."""


class Leases(Protocol):
    """What those who have duties ask."""

    def holds(self, name: str) -> bool:
        """Whether this process has the duty, now."""


def always() -> bool:
    """A duty that nobody else can have."""
    return True


class EveryLease:
    """All duties, in an installation of one process."""

    def holds(self, name: str) -> bool:
        """Always."""
        return True


TELL = tuple(f"tell.{number}" for number in range(16))
"""Each has the endpoints whose origins fall to it."""


@lru_cache(maxsize=4096)
def tell_lease(origin: str) -> str:
    """The duty of telling an origin."""
    return TELL[crc32(origin.encode()) % len(TELL)]


def lane_lease(channel: str, lane: str) -> str:
    """The duty of holding the connections of a lane."""
    return f"lane.{channel}.{lane}"


_BOOT_TIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)
passed_seconds: Callable[[], float] = (
    time.monotonic if _BOOT_TIME is None else partial(time.clock_gettime, _BOOT_TIME)
)
"""Seconds that pass whatever the time of day does, also while the machine sleeps where the system can tell."""


@dataclass(slots=True)
class Group:
    """Duties of a kind. `names` are all there are now. With `share`, the processes that have a lease whose name
    begins like that share them: who has its share already takes what is free a moment later; with `fair` it takes
    nothing and gives back what is too much. `changed` is called after duties were gained or lost; `leaving` is
    awaited before one is given back to be fair, and finishes what is under way."""

    names: Callable[[], Collection[str]]
    share: str = ""
    fair: bool = False
    changed: Callable[[], Awaitable[None]] | None = None
    leaving: Callable[[str], Awaitable[None]] | None = None
    held: frozenset[str] = field(default_factory=frozenset)
