"""The transactions: claimed, settled, looked through; their story and their waits for receipts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import astuple

from heliograph.model.message import Transaction
from heliograph.model.record import Change, Release, Settlement, StoryLine
from heliograph.store.areas.automation.happening import occur
from heliograph.store.areas.money import ended, release
from heliograph.store.areas.threads import insert_devices, insert_sent, owe_by_device
from heliograph.store.engines.base import Area
from heliograph.store.filters import MessageFilter
from heliograph.store.steps import Answer, Plan, Step, bulk, count, do


def claim(payloads: Sequence[list[tuple[int, int, int]]]) -> Plan[list[set[tuple[int, int]] | None]]:
    """Ranges `(request, first, last)` of queued transactions become SENDING, each with one attempt more; None for
    all, else which of those of all payloads."""
    text = yield bulk("claim", [item for payload in payloads for item in payload], Answer.VALUE)
    claimed = set(msgspec.json.decode(text, type=list[tuple[int, int]])) if text else None
    return [claimed] * len(payloads)


def settle(payloads: Sequence[Settlement]) -> Plan[list[list[bool]]]:
    """Outcomes; answers, per payload, which changes took effect, then which notices of devices were kept."""
    applied = iter((yield from apply_changes([change for payload in payloads for change in payload.changes])))
    yield from insert_sent([sent for payload in payloads for sent in payload.sent])
    yield insert_devices([row for payload in payloads for row in payload.devices])
    kept = iter((yield from owe_by_device([notice for payload in payloads for notice in payload.owed])))
    yield insert_story([line for payload in payloads for line in payload.story])
    took = [[next(applied) for _ in payload.changes] for payload in payloads]
    yield occur([
        one for payload, each in zip(payloads, took, strict=True) for place, one in payload.occurrences if each[place]
    ])  # fmt: skip
    yield from release(
        [
            row
            for payload, each in zip(payloads, took, strict=True)
            if payload.release
            for row in ended(payload.changes, each, failed_goes_back=payload.release is Release.BY_STATE)
        ]
    )
    return [[*each, *(next(kept) for _ in payload.owed)] for payload, each in zip(payloads, took, strict=True)]


def apply_changes(changes: list[Change]) -> Plan[list[bool]]:
    """Move transactions on, with all that follows in the same commit; which changes took effect."""
    applied = [False] * len(changes)
    for wave in _waves(changes):
        rows = [_change_row(seq, changes[index]) for seq, index in enumerate(wave)]
        positions = yield bulk("apply_changes", rows, Answer.VALUE)
        for position in msgspec.json.decode(positions):
            applied[wave[position]] = True
    return applied


def _change_row(seq: int, change: Change) -> tuple[object, ...]:
    *values, natives = astuple(change)
    return (seq, *values, msgspec.json.encode(natives).decode() if natives else "")


def _waves(changes: list[Change]) -> list[list[int]]:
    """Positions of the changes, split so that no wave holds two of the same transaction."""
    waves: list[list[int]] = []
    seen: dict[tuple[int, int], int] = {}
    for index, change in enumerate(changes):
        identity = (change.request, change.ordinal)
        level = seen.get(identity, -1) + 1
        seen[identity] = level
        if level == len(waves):
            waves.append([])
        waves[level].append(index)
    return waves


def insert_story(lines: Sequence[StoryLine]) -> Step:
    """Lines of stories, as they are."""
    return bulk("insert_story", [astuple(line) for line in lines])


def close_windows(payloads: Sequence[int]) -> Plan[list[None]]:
    """Windows that ended by then are done with."""
    yield do("close_windows", max(payloads))
    return [None] * len(payloads)


def release_claims(payloads: Sequence[None]) -> Plan[list[int]]:
    """What was being sent when the process died is queued again, flagged as a possible duplicate; how many."""
    released = yield count("release_claims")
    return [released, *[0] * (len(payloads) - 1)]


class Messages(Area):
    """Where every destination stands."""

    async def claim(self, ranges: list[tuple[int, int, int]]) -> set[tuple[int, int]] | None:
        """Mark ranges `(request, first, last)` of ordinals as being sent, before anything goes out. None when all of
        them are ours now, else those that are; the others were taken or ended by another process."""
        claimed: set[tuple[int, int]] | None = await self.engine.write("claim", ranges)
        return claimed

    async def settle(self, settlement: Settlement) -> list[bool]:
        """Apply changes; which of them took effect, then which of the notices that are owed by device were kept."""
        result: list[bool] = await self.engine.write("settle", settlement)
        self._tell_caused(settlement.occurrences)
        return result

    async def close_windows(self, until_ms: int) -> None:
        """Forget windows that ended by then."""
        await self.engine.write("close_windows", until_ms)

    async def release_claims(self) -> int:
        """At start: what was being sent when the process died is queued again, flagged as a possible
        duplicate; how many."""
        released: int = await self.engine.write("release_claims", None)
        return released

    async def pending(self, requests: Collection[int]) -> list[Transaction]:
        """The queued transactions of these requests."""
        return await self._read(list[Transaction], "pending", list(requests))

    async def transactions(self, request: int, ordinal: int | None) -> list[Transaction]:
        """All transactions of a request, or one."""
        span = (0, 2**31 - 1) if ordinal is None else (ordinal, ordinal)
        return await self._read(list[Transaction], "transactions_of", request, *span)

    async def window_edge(self, now_ms: int, limit: int) -> int:
        """The end of the last of the first `limit` windows that are over by now; 0 when none is."""
        return (await self._read(tuple[int], "window_edge", now_ms, limit))[0]

    async def lapsed(self, edge_ms: int) -> list[Transaction]:
        """Submitted transactions whose wait for a receipt was over at that edge."""
        return await self._read(list[Transaction], "lapsed", edge_ms)

    async def story(self, request: int, ordinal: int) -> list[StoryLine]:
        """The story of a transaction, oldest first."""
        return await self._read(list[StoryLine], "story_of", request, ordinal)

    async def recent(self, chosen: MessageFilter) -> list[Transaction]:
        """Transactions that match, newest first."""
        return await self._read(list[Transaction], "recent", *chosen.parameters())

    async def counts(self) -> dict[int, int]:
        """How many transactions stand in each state."""
        return dict(await self._read(list[tuple[int, int]], "counts"))

    async def pending_counts(self) -> tuple[int, int, int]:
        """Transactions to dispatch, notices owed, notices parked."""
        return await self._read(tuple[int, int, int], "pending_counts")
