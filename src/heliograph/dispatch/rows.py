"""Rows between acceptance and claim: at hand while there are few, read again from the table when their turn comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from heliograph.dispatch.queue import request_of, slot_of
from heliograph.model.message import Address, Transaction
from heliograph.model.record import Accepted
from heliograph.store import Store

HOT_DESTINATIONS = 100_000  # rows kept in memory between acceptance and claim; the rest is read again


class Rows:
    """Gives the queued rows of request elements."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hot: dict[int, list[Transaction]] = {}
        self._count = 0

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
