"""Calls owed to callers' URLs, and what became of tries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from msgspec.structs import astuple

from heliograph.model.record import Notice, Told
from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, bulk, count, value


def tell(payloads: Sequence[list[Told]]) -> Plan[list[None]]:
    """What became of tries to tell."""
    yield bulk("apply_told", [astuple(told) for payload in payloads for told in payload])
    return [None] * len(payloads)


def replay(payloads: Sequence[tuple[int, int, int, int]]) -> Plan[list[str | None]]:
    """One notice is owed again; its origin, or None when there is no such notice."""
    origins: list[str | None] = []
    for payload in payloads:
        origins.append((yield value("replay_notice", *payload)))
    return origins


def replay_parked(payloads: Sequence[tuple[int, int, int]]) -> Plan[list[int]]:
    """Every parked notice of a span of time is owed again; how many."""
    counts: list[int] = []
    for payload in payloads:
        counts.append((yield count("replay_parked", *payload)))
    return counts


class Notices(Area):
    """The calls owed."""

    async def told(self, outcomes: list[Told]) -> None:
        """Keep what became of tries to tell."""
        await self.engine.write("tell", outcomes)

    async def replay(self, notice: tuple[int, int, int], now_ms: int) -> str | None:
        """Owe one notice again; its origin, or None when there is none such."""
        result: str | None = await self.engine.write("replay", (*notice, now_ms))
        return result

    async def replay_parked(self, first_ms: int, last_ms: int, now_ms: int) -> int:
        """Owe again every parked notice of that span; how many."""
        result: int = await self.engine.write("replay_parked", (first_ms, last_ms, now_ms))
        return result

    async def notices(self, request: int, ordinal: int) -> list[dict[str, Any]]:
        """The calls a transaction caused, oldest first."""
        return await self._read(list[dict[str, Any]], "notices_of", request, ordinal)

    async def notices_by_delivery(self, delivery: int, limit: int) -> list[dict[str, Any]]:
        """Notices that stand there, newest first."""
        return await self._read(list[dict[str, Any]], "notices_listed", delivery, limit)

    async def notice_origins(self, now_ms: int) -> list[str]:
        """Origins that are owed a call by now."""
        return await self._read(list[str], "due_origins", now_ms)

    async def due_notices(self, origin: str, now_ms: int, limit: int, skip: Collection[int]) -> list[Notice]:
        """Calls owed to an origin by now, without those whose ids are in `skip`."""
        return await self._read(list[Notice], "due_notices", origin, now_ms, limit, list(skip))
