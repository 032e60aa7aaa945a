"""Receipts that find their messages otherwise than by the far end's id: by a reference of ours that the far end
repeated, or by a person and a moment until which everything is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from heliograph.model.message import Transaction
from heliograph.model.outcome import Receipt, Reference
from heliograph.model.record import Match, Reported
from heliograph.receipts.parts import state_of
from heliograph.store import Store
from heliograph.store.areas.threads import Mark

AGAIN_SECONDS = (1.0, 5.0, 20.0)
"""When a mark is looked at again: what it speaks of may be stored after it, here or by another process."""


class Marked(NamedTuple):
    """A receipt that speaks of a moment, how often it was looked at, and the row that keeps it for itself."""

    connector: str
    receipt: Receipt
    looked: int = 0
    kept: Reported | None = None


class Found(NamedTuple):
    """What a mark moves on; `known` says that something is known to have gone to that person before it."""

    marked: Marked
    transactions: list[Transaction]
    known: bool


class References:
    """Looks in the table; `again` gets a mark when it is to be looked at once more."""

    def __init__(self, store: Store, again: Callable[[Marked], None]) -> None:
        self._store = store
        self._again = again

    async def of_marks(self, marked: Sequence[Marked]) -> list[Found]:
        """What these marks move on."""
        if not marked:
            return []
        marks = [
            Mark(one.connector, one.receipt.destination, one.receipt.until_ms, state_of(one.receipt.key))
            for one in marked
        ]
        moved: dict[int, list[Transaction]] = {}
        for index, transaction in await self._store.sent_until(marks):
            moved.setdefault(index, []).append(transaction)
        known = set(moved)
        if fresh := [index for index, one in enumerate(marked) if index not in known and not one.looked]:
            known |= {fresh[index] for index in await self._store.threads_known([marks[index] for index in fresh])}
        return [Found(one, moved.get(index, []), index in known) for index, one in enumerate(marked)]

    def look_again(self, marked: Marked, kept: Reported | None) -> None:
        """The mark was dealt with for now; later it is looked at once more."""
        if marked.looked < len(AGAIN_SECONDS):
            after = marked._replace(looked=marked.looked + 1, kept=kept)
            asyncio.get_running_loop().call_later(AGAIN_SECONDS[marked.looked], self._again, after)

    async def of_references(self, wanted: Collection[tuple[str, Reference]]) -> dict[tuple[str, Reference], Match]:
        """Whose references, repeated to these connectors, they are. One tenant cannot speak of another's messages."""
        if not wanted:
            return {}
        rows = await self._store.referred({(item.request, item.ordinal) for _, item in wanted})
        requests = await self._store.requests({request for request, _ in rows})
        found = {}
        for connector, item in wanted:
            row, request = rows.get((item.request, item.ordinal)), requests.get(item.request)
            if row is not None and request is not None and request.tenant == connector.partition("/")[0]:
                found[connector, item] = Match(row, item.part, item.parts)
        return found
