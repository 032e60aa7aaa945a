"""What went out to whom and when, for reports that speak of a person and a moment; and what came already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from heliograph.model.message import Transaction
from heliograph.model.outcome import State
from heliograph.model.record import Sent
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, Step, bulk

CLOSED_AT_ONCE = 1_000


class Mark(NamedTuple):
    """What a far end says of everything that went to a person until a moment: it stands at `state` by now."""

    connector: str
    thread: str
    until_ms: int
    state: State


def insert_sent(sent: Sequence[Sent]) -> Step:
    """When transactions went out; what was said of one before is replaced."""
    last = {(row.request, row.ordinal): row for row in sent}
    rows = [(row.request, row.ordinal, row.connector, row.thread, row.at) for row in last.values()]
    return bulk("insert_sent", rows)


def insert_came(rows: Sequence[tuple[str, str, int]]) -> Plan[set[int]]:
    """`(connector, native id, our id)` of what came; our ids of what had not come before."""
    kept = yield bulk("insert_came", rows, Answer.VALUE)
    return set(msgspec.json.decode(kept)) if kept else set()


class Threads(Area):
    """Transactions found otherwise than by the far end's id."""

    async def sent_until(self, marks: Sequence[Mark]) -> list[tuple[int, Transaction]]:
        """What marks move on: the index of the mark and the transaction, oldest first, at most `CLOSED_AT_ONCE`."""
        columns = [list(column) for column in zip(*_plain(marks), strict=True)]
        if not columns:
            return []
        return await self._read(list[tuple[int, Transaction]], "sent_until", *columns, CLOSED_AT_ONCE)

    async def threads_known(self, marks: Sequence[Mark]) -> set[int]:
        """The indexes of the marks before which anything is known to have gone to their person."""
        columns = [list(column) for column in zip(*_plain(marks), strict=True)]
        return set(await self._read(list[int], "threads_known", *columns[:3])) if columns else set()

    async def referred(self, identities: Collection[tuple[int, int]]) -> dict[tuple[int, int], Transaction]:
        """The transactions with these `(request, ordinal)`."""
        requests, ordinals = [item[0] for item in identities], [item[1] for item in identities]
        found = await self._read(list[Transaction], "referred", requests, ordinals)
        return {(row.request, row.ordinal): row for row in found}


def _plain(marks: Sequence[Mark]) -> list[tuple[str, str, int, int]]:
    """`state` becomes the greatest state that is still moved: all of the tens below, FAILED left aside."""
    return [(mark.connector, mark.thread, mark.until_ms, mark.state // 10 * 10 - 1) for mark in marks]
