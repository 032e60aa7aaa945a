"""What the store needs of a database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import msgspec

T = TypeVar("T")


class StoreUnavailable(Exception):
    """The database could not do it (disk full, locked, broken, away); of a write nothing was kept."""


class StoreAway(StoreUnavailable):
    """The database cannot be reached at all: there is no use in trying what waits one by one."""


class Engine(Protocol):
    """One database. Every failure of its own is `StoreUnavailable`."""

    async def open(self) -> list[str]:
        """Connect, bring the schema up to date and begin to write; the names of the migrations it applied."""

    async def close(self) -> None:
        """Write what waits, then let go."""

    def write(self, name: str, payload: Any) -> Awaitable[Any]:
        """Hand over one operation; it is durable when its result is there."""

    async def fetch(self, name: str, *parameters: Any) -> str:
        """The one JSON text that the statement gives."""

    async def maintain(self, now_ms: int, before: int) -> list[str]:
        """What only this engine needs from time to time: room ahead, and whole parts dropped that hold only settled
        requests older than the id `before`; the names of what was dropped."""

    def statistics(self) -> dict[str, int]:
        """Commits made and operations in them."""


class Area:
    """A part of the store: its reads, and its writes by name, over an engine. `caused` is called after a commit that
    may have kept what rules follow from."""

    caused: Callable[[], None] | None = None

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def _read(self, shape: type[T], name: str, *parameters: Any) -> T:
        """One query is one JSON text, so that a thousand rows are one step of the engine."""
        return msgspec.json.decode(await self.engine.fetch(name, *parameters), type=shape)

    def _tell_caused(self, what: object) -> None:
        if what and self.caused is not None:
            self.caused()
