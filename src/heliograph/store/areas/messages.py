"""The transactions: claimed, settled, looked through; their story and their waits for receipts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec.structs import astuple

from heliograph.model.message import Address, Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Change, Release, Settlement, StoryLine
from heliograph.store.areas.automation.happening import occur
from heliograph.store.areas.money import ended, release
from heliograph.store.areas.threads import insert_devices, insert_sent, owe_by_device
from heliograph.store.engines.base import Area
from heliograph.store.filters import MessageFilter
from heliograph.store.steps import Answer, Plan, Step, add, bulk, count, do

RUN = 128  # changes in one row at most


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
    applied, due = [True] * len(changes), set()
    for wave in _waves(changes):
        runs = _runs(changes, wave)
        due |= {(run[0].due, run[0].request) for run in runs if run[0].due and run[0].state is State.SUBMITTED}
        text = yield bulk("apply_changes", [_run_row(seq, run) for seq, run in enumerate(runs)], Answer.VALUE)
        if text:
            taken = set(msgspec.json.decode(text, type=list[tuple[int, int]]))
            numbers = [seq for seq, run in enumerate(runs) for _ in run]
            for index, seq in zip(wave, numbers, strict=True):
                applied[index] = (seq, changes[index].ordinal) in taken
    yield add("insert_submissions", [row for change in changes if change.natives for row in _submissions(change)])
    late = [] if all(applied) else [change for change, took in zip(changes, applied, strict=True) if not took]
    yield bulk("keep_natives", [
        (change.request, change.ordinal, _text(change.natives), change.connector) for change in late if change.natives
    ])  # fmt: skip
    yield add("insert_windows", sorted(due))
    return applied


def _runs(changes: Sequence[Change], wave: Sequence[int]) -> list[list[Change]]:
    """The changes of a wave in their order; those of consecutive ordinals that are alike together."""
    runs: list[list[Change]] = []
    last: Change | None = None
    for index in wave:
        change = changes[index]
        if last is not None and _goes_on(last, change) and len(runs[-1]) < RUN:
            runs[-1].append(change)
        else:
            runs.append([change])
        last = change
    return runs


def _goes_on(last: Change, change: Change) -> bool:
    return (
        change.ordinal == last.ordinal + 1
        and change.request == last.request
        and change.at == last.at
        and change.state is last.state
        and change.due == last.due
        and change.attempt == last.attempt
        and change.key == last.key
        and change.connector == last.connector
        and change.detail == last.detail
        and change.url == last.url
        and change.duplicate is last.duplicate
        and (not change.natives) is (not last.natives)
        and (not change.notice) is (not last.notice)
    )


def _run_row(seq: int, run: Sequence[Change]) -> tuple[object, ...]:
    first = run[0]
    return (
        seq, first.request, first.ordinal, run[-1].ordinal, first.state, first.key, first.at, first.detail,
        first.attempt, first.connector, first.due, int(first.duplicate), first.url, first.origin,
        _text([change.notice for change in run]) if first.notice else "",
        _text([change.natives for change in run]) if first.natives else "",
    )  # fmt: skip


def _text(values: object) -> str:
    return msgspec.json.encode(values).decode()


def _submissions(change: Change) -> Iterable[tuple[object, ...]]:
    """The ids of the parts, as far as they are known, true whatever became of the change."""
    request, ordinal, connector, parts = change.request, change.ordinal, change.connector, len(change.natives)
    for part, native_id in enumerate(change.natives):
        if native_id:
            yield connector, native_id, request, ordinal, part, parts, change.at


def _waves(changes: Sequence[Change]) -> Sequence[Sequence[int]]:
    """Positions of the changes, split so that no wave holds two of the same transaction."""
    if len({(change.request, change.ordinal) for change in changes}) == len(changes):
        return [range(len(changes))] if changes else []
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
    return add("insert_story", [astuple(line) for line in lines])


def close_windows(payloads: Sequence[int]) -> Plan[list[None]]:
    """Windows that ended by then are done with."""
    yield do("close_windows", max(payloads))
    return [None] * len(payloads)


def release_claims(payloads: Sequence[None]) -> Plan[list[int]]:
    """What was being sent when the process died is queued again, flagged as a possible duplicate; how many."""
    released = yield count("release_claims")
    return [released, *[0] * (len(payloads) - 1)]


class Alike(msgspec.Struct, array_like=True, gc=False):
    """Queued transactions of a request that differ in ordinal and destination alone."""

    request: int
    element: int
    kind: str
    correlation: str
    key: str
    detail: str
    attempt: int
    connector: str
    due: int
    updated: int
    duplicate: bool
    natives: str
    ordinals: list[int]
    destinations: list[str]

    def rows(self) -> Iterable[Transaction]:
        """Each of them."""
        for ordinal, destination in zip(self.ordinals, self.destinations, strict=True):
            yield Transaction(
                self.request, ordinal, self.element, Address(self.kind, destination, self.correlation), State.QUEUED,
                self.key, self.detail, self.attempt, self.connector, self.due, self.updated, self.duplicate,
                self.natives,
            )  # fmt: skip


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
        return [row for alike in await self._read(list[Alike], "pending", list(requests)) for row in alike.rows()]

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
