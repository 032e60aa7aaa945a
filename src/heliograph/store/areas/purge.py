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
    """Counts of days before a day, and kept answers older than an id, at most so many; how many answers went."""
    gone: list[int] = []
    for day, before, limit in payloads:
        yield do("purge_usage", day)
        gone.append((yield count("purge_kept_answers", before, limit)))
    return gone


class Purge(Area):
    """Deleting, in slices."""

    async def purge(self, before: int, limit: int) -> int:
        """Delete at most `limit` settled requests older than the id `before`; how many went."""
        result: int = await self.engine.write("purge", (before, limit))
        return result

    async def forget(self, day: int, before: int, limit: int) -> int:
        """Delete what was counted before that day, and at most `limit` kept answers of requests older than the
        id `before`; how many answers went."""
        result: int = await self.engine.write("forget", (day, before, limit))
        return result
