"""What went out to whom and when, for reports that speak of a person and a moment; to which devices of a user; and
what came already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import astuple

from heliograph.model.message import Transaction
from heliograph.model.outcome import State
from heliograph.model.record import (
    DEVICE_WIDTH,
    FIRST_DEVICE,
    DeviceRow,
    Notice,
    Sent,
)
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, Step, add, bulk

CLOSED_AT_ONCE = 1_000
SKEW_MS = 2_000
"""How far our clock may be ahead of a far end's, and its answer late, without its marks missing what went last."""


class Mark(NamedTuple):
    """What a far end says of everything that went to a person until a moment: it stands at `state` by now."""

    connector: str
    thread: str
    until_ms: int
    state: State


def insert_sent(sent: Sequence[Sent]) -> Plan[None]:
    """When transactions went out. By the far end's clock it replaces what was said before; by ours, which its marks
    do not go by, it says nothing of what is known of the same thread, and is set back by `SKEW_MS`."""
    by_ours = {(row.request, row.ordinal): row for row in sent if not row.theirs}
    by_theirs = {(row.request, row.ordinal): row for row in sent if row.theirs}
    yield bulk("guess_sent", [_moment(row, row.at - SKEW_MS) for row in by_ours.values()])
    yield bulk("insert_sent", [_moment(row, row.at) for row in by_theirs.values()])


def _moment(row: Sent, at: int) -> tuple[object, ...]:
    return row.request, row.ordinal, row.connector, row.thread, at


def insert_devices(rows: Sequence[DeviceRow]) -> Step:
    """To which devices messages to users went."""
    return add(
        "insert_devices",
        [astuple(row) for row in {(row.request, row.ordinal, row.part): row for row in rows}.values()],
    )


def owe_by_device(notices: Sequence[Notice]) -> Plan[list[bool]]:
    """Notices of devices; which were kept: those that tell more than what was told of the same device."""
    most: dict[tuple[int, int, int], int] = {}
    rows: list[tuple[object, ...]] = []
    for seq, notice in enumerate(notices):
        first, state = _span(notice.id)
        device = (notice.request, notice.ordinal, first)
        if most.get(device, -1) // 10 < state // 10:
            most[device] = state
            rows.append(
                (
                    seq, notice.request, notice.ordinal, notice.id, first + state // 10 * 10,
                    first + DEVICE_WIDTH - 1, notice.state, notice.key, notice.detail, notice.at, notice.url,
                    notice.origin, notice.tenant, notice.service,
                )
            )  # fmt: skip
    kept = (yield bulk("owe_by_device", rows, Answer.VALUE)) if rows else None
    positions = set(msgspec.json.decode(kept)) if kept else set()
    return [seq in positions for seq in range(len(notices))]


def _span(notice: int) -> tuple[int, int]:
    """Where the ids of the notices of a device begin, and the state that this one tells."""
    state = (notice - FIRST_DEVICE) % DEVICE_WIDTH
    return notice - state, state


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

    async def devices(self, request: int, ordinal: int) -> list[DeviceRow]:
        """The devices that a message to a user went to, in the order of its parts."""
        return await self._read(list[DeviceRow], "devices_of", request, ordinal)

    async def referred(self, identities: Collection[tuple[int, int]]) -> dict[tuple[int, int], Transaction]:
        """The transactions with these `(request, ordinal)`."""
        requests, ordinals = [item[0] for item in identities], [item[1] for item in identities]
        found = await self._read(list[Transaction], "referred", requests, ordinals)
        return {(row.request, row.ordinal): row for row in found}


def _plain(marks: Sequence[Mark]) -> list[tuple[str, str, int, int]]:
    """`state` becomes the greatest state that is still moved: all of the tens below, FAILED left aside."""
    return [(mark.connector, mark.thread, mark.until_ms, mark.state // 10 * 10 - 1) for mark in marks]
