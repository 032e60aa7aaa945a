"""Rows between acceptance and claim: at hand while there are few, read again from the table when their turn comes."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import NamedTuple

from heliograph.dispatch.queue import request_of, slot_of
from heliograph.model.message import Address, Request, Transaction
from heliograph.model.record import Accepted, Chunk, Queued
from heliograph.policy.directory import Directory
from heliograph.store import Store, StoreUnavailable

OPEN_PAGE = 5_000
HELD_SLOTS = 5_000  # request elements whose held rows are read at once when they are due
HOT_DESTINATIONS = 100_000  # rows kept in memory between acceptance and claim; the rest is read again


class Held:
    """Rows that may not go yet, as no more than their ordinals: a night's traffic is read again when it is due."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._ordinals: dict[tuple[int, int], set[int]] = {}

    def hold(self, row: Transaction, until_ms: int) -> None:
        """Keep a row until a moment."""
        place = (until_ms, slot_of(row.request, row.element))
        if place not in self._ordinals:
            self._ordinals[place] = set()
            heapq.heappush(self._heap, place)
        self._ordinals[place].add(row.ordinal)

    def due(self, now_ms: int, limit: int) -> dict[int, set[int]]:
        """The ordinals by slot, of so many slots at most, whose moment has come; they are given once."""
        found: dict[int, set[int]] = {}
        while self._heap and self._heap[0][0] <= now_ms and len(found) < limit:
            place = heapq.heappop(self._heap)
            found.setdefault(place[1], set()).update(self._ordinals.pop(place))
        return found

    def give_back(self, found: Mapping[int, set[int]], now_ms: int) -> None:
        """What was given could not be read; it is due still."""
        for slot, ordinals in found.items():
            place = (now_ms, slot)
            if place not in self._ordinals:
                heapq.heappush(self._heap, place)
            self._ordinals[place] = self._ordinals.get(place, set()) | ordinals

    def release(self, now_ms: int) -> None:
        """All of it is due: what held it may hold no longer."""
        everything: dict[int, set[int]] = {}
        for (_, slot), ordinals in self._ordinals.items():
            everything.setdefault(slot, set()).update(ordinals)
        self._heap, self._ordinals = [], {}
        self.give_back(everything, now_ms)

    def __len__(self) -> int:
        """Rows that are held."""
        return sum(map(len, self._ordinals.values()))


class Rows:
    """Gives the queued rows of request elements; `held` are those that may not go yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hot: dict[int, list[Transaction]] = {}
        self._count = 0
        self.held = Held()

    def keep(self, slot: int, rows: list[Transaction]) -> None:
        """Keep rows at hand, while there is room."""
        if self._count + len(rows) <= HOT_DESTINATIONS:
            self._hot[slot] = rows
            self._count += len(rows)

    async def of(self, slots: Iterable[int]) -> list[Transaction]:
        """The rows of these slots, in their order."""
        found: dict[int, list[Transaction]] = {}
        cold = []
        for slot in slots:
            rows = self._hot.pop(slot, None)
            if rows is None:
                cold.append(slot)
            else:
                self._count -= len(rows)
            found[slot] = rows or []
        for row in await self.stored(cold) if cold else ():
            found[slot_of(row.request, row.element)].append(row)
        return [row for rows in found.values() for row in rows]

    async def stored(self, slots: Iterable[int]) -> list[Transaction]:
        """The rows of these slots that the table has as queued."""
        wanted = set(slots)
        rows = await self._store.pending({request_of(slot) for slot in wanted})
        return [row for row in rows if slot_of(row.request, row.element) in wanted]

    async def due(self, now_ms: int) -> list[Transaction]:
        """Rows that were held and whose moment has come, of so many slots at once; they are given once."""
        found = self.held.due(now_ms, HELD_SLOTS)
        if not found:
            return []
        try:
            rows = await self.stored(found)
        except StoreUnavailable:
            self.held.give_back(found, now_ms)
            raise
        return [row for row in rows if row.ordinal in found[slot_of(row.request, row.element)]]


class Clocks:
    """The clocks of tenants, of which those in the sandbox may be set."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory
        self._ahead: dict[str, int] = {}

    def ends(self, owner: Request | Queued | Chunk, expiry: int) -> int:
        """When a message of a tenant expires by our clock; 0 is never."""
        return self._directory().real_ms(owner.tenant, expiry)

    async def moved(self, expire: Callable[[int, int], None]) -> None:
        """Tell when what waits of tenants whose clock was set since the last time expires by now, and its slot."""
        ahead = {tenant.id: tenant.clock_ahead for tenant in self._directory().tenants.values()}
        moved = {name for name, seconds in ahead.items() if seconds != self._ahead.get(name, 0)}
        self._ahead, after = ahead, 0
        while moved and (page := await self._store.open_requests(after, OPEN_PAGE)):
            after = page[-1].request
            for entry in page:
                for element in range(entry.elements if entry.tenant in moved else 0):
                    expire(self.ends(entry, entry.expiry), slot_of(entry.request, element))


class Opened(NamedTuple):
    """A request element with something left to send: where it goes, its slot, its priority, when it expires by our
    clock (0: never)."""

    route: tuple[str, str, str, str]
    slot: int
    priority: int
    ends: int


async def open_elements(store: Store, clocks: Clocks) -> AsyncIterator[Opened]:
    """What the table holds, oldest first."""
    after = 0
    while page := await store.open_requests(after, OPEN_PAGE):
        after = page[-1].request
        requests = await store.requests([entry.request for entry in page if entry.elements > 1])
        for entry in page:
            if entry.elements == 1:
                route = (entry.tenant, entry.service, entry.channel, "")
                yield Opened(route, slot_of(entry.request, 0), entry.priority, clocks.ends(entry, entry.expiry))
                continue
            for element, message in enumerate(requests[entry.request].messages):
                route = (entry.tenant, entry.service, message.content.channel, message.content.appid)
                ends = clocks.ends(entry, message.expiry)
                yield Opened(route, slot_of(entry.request, element), message.priority, ends)


def rows_by_element(accepted: Accepted) -> Mapping[int, list[Transaction]]:
    """The rows of a call that are to be sent: all but those that were decided at acceptance."""
    decided = {change.ordinal for change in accepted.changes}
    rows: dict[int, list[Transaction]] = {}
    request = accepted.request.id
    for run in accepted.runs:
        chosen = rows.setdefault(run.element, [])
        for offset, value in enumerate(run.values):
            if run.first + offset not in decided:
                address = Address(run.kind, value, run.correlation)
                chosen.append(Transaction(request, run.first + offset, run.element, address))
    return {element: chosen for element, chosen in rows.items() if chosen}
