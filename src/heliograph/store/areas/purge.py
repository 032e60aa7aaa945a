"""What is too old goes, with all that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence

from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, count, do


def purge(payloads: Sequence[tuple[int, int]]) -> Plan[list[int]]:
    """Settled requests older than an id, at most so many, with everything that belongs to them; how many went.
    What belongs to no request goes with them."""
    gone: list[int] = []
    for payload in payloads:
        gone.append((yield count("purge", *payload)))
    return gone


def forget(payloads: Sequence[tuple[int, int, int]]) -> Plan[list[int]]:
    """Counts of spans that ended before a moment, and kept answers older than an id, at most so many; how many
    answers went."""
    gone: list[int] = []
    for until_ms, before, limit in payloads:
        yield do("purge_volumes", until_ms)
        gone.append((yield count("purge_kept_answers", before, limit)))
    return gone


class Purge(Area):
    """Deleting: whole parts where the engine has such, and slices."""

    async def maintain(self, now_ms: int, before: int) -> list[str]:
        """Make room for the days ahead and drop whole parts of the tables that hold only settled requests older
        than the id `before`; the names of what was dropped."""
        return await self.engine.maintain(now_ms, before)

    async def purge(self, before: int, limit: int) -> int:
        """Delete at most `limit` settled requests older than the id `before`; how many went."""
        result: int = await self.engine.write("purge", (before, limit))
        return result

    async def forget(self, until_ms: int, before: int, limit: int) -> int:
        """Delete what was counted in spans that ended before that moment, and at most `limit` kept answers of
        requests older than the id `before`; how many answers went."""
        result: int = await self.engine.write("forget", (until_ms, before, limit))
        return result
