"""What comes from far ends: receipts, whose they are, and messages from people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from msgspec.structs import astuple

from heliograph.model.events import Occurrence
from heliograph.model.people import Wish
from heliograph.model.record import Match, Notice, Reported, Settlement
from heliograph.store.areas.automation.happening import occur
from heliograph.store.areas.messages import settle
from heliograph.store.areas.threads import insert_came
from heliograph.store.areas.wishes import Gone, list_dnd, unlist_dnd
from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, add, bulk


def receive(payloads: Sequence[tuple[list[Reported], Settlement, list[Reported]]]) -> Plan[list[list[bool]]]:
    """New receipts, what they change, and earlier unmatched ones whose transaction is known now."""
    yield add("insert_receipts", [astuple(row) for payload in payloads for row in payload[0]])
    adopted = [(row.id, row.request, row.ordinal, row.part) for payload in payloads for row in payload[2]]
    yield bulk("adopt_receipts", adopted)
    return (yield from settle([payload[1] for payload in payloads]))


class Kept(NamedTuple):
    """What became of a message from a person: whether it was kept (it had not come before), and whether what it asks
    for changed anything."""

    fresh: bool
    changed: bool


def inbound(
    payloads: Sequence[tuple[tuple[Any, ...], str, Notice | None, Wish | None, Occurrence | None]],
) -> Plan[list[Kept]]:
    """Messages from people, each with the far end's id of it, the call it causes, if any, and what it asks for. What
    came before is not kept again."""
    named = [(row[3], native_id, row[0]) for row, native_id, *_ in payloads if native_id]
    fresh = yield from insert_came(named)
    taken = [not native_id or row[0] in fresh for row, native_id, *_ in payloads]
    kept = [payload for payload, took in zip(payloads, taken, strict=True) if took]
    yield bulk("insert_inbound", [row for row, *_ in kept])
    owed = [notice for _, _, notice, _, _ in kept if notice is not None]
    yield bulk(
        "insert_inbound_notices",
        [(row.id, row.at, row.url, row.origin, row.tenant, row.service, row.body) for row in owed],
    )
    yield occur([one for *_, one in kept if one is not None])
    found: list[Kept] = []
    for (_, _, _, wish, _), took in zip(payloads, taken, strict=True):
        found.append(Kept(took, (yield from _grant(wish)) if took and wish is not None else False))
    return found


def _grant(wish: Wish) -> Plan[bool]:
    row = wish.row
    if wish.stop:
        counts = yield from list_dnd([(wish.tenant, [row])])
    else:
        counts = yield from unlist_dnd([Gone(wish.tenant, row.address, row.channel, None, row.origin)])
    return bool(counts[0])


class Receipts(Area):
    """Receipts as they came."""

    async def receive(self, fresh: list[Reported], settlement: Settlement, adopted: list[Reported]) -> list[bool]:
        """Keep receipts and what they change in one commit; `adopted` are earlier ones now matched."""
        result: list[bool] = await self.engine.write("receive", (fresh, settlement, adopted))
        self._tell_caused(settlement.occurrences)
        return result

    async def keep_inbound(
        self,
        row: tuple[Any, ...],
        native_id: str,
        notice: Notice | None,
        wish: Wish | None = None,
        occurrence: Occurrence | None = None,
    ) -> Kept:
        """Keep a message from a person, the call it causes, what it asks for and what rules are told of it, once for
        the far end's id of it."""
        kept: Kept = await self.engine.write("inbound", (row, native_id, notice, wish, occurrence))
        self._tell_caused(occurrence)
        return kept

    async def matches(self, natives: Collection[tuple[str, str]]) -> dict[tuple[str, str], Match]:
        """Whose `(connector, native id)` these are."""
        connectors, ids = [native[0] for native in natives], [native[1] for native in natives]
        return dict(await self._read(list[tuple[tuple[str, str], Match]], "matches", connectors, ids))

    async def rematched(self, since: int = 0) -> list[tuple[Reported, Match]]:
        """Unmatched receipts, of those with ids from `since` on, whose submission is known by now: as after a crash
        between the two commits, or when another process keeps the submission."""
        return await self._read(list[tuple[Reported, Match]], "rematched", since)

    async def receipts(self, request: int, ordinal: int) -> list[Reported]:
        """Receipts of a transaction, in the order they came."""
        return await self._read(list[Reported], "receipts_of", request, ordinal)

    async def unmatched(self, after_id: int, limit: int) -> list[Reported]:
        """Receipts that belong to nothing known, newest first."""
        return await self._read(list[Reported], "unmatched", after_id, limit)
