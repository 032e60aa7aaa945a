"""What people want: the do-not-disturb list, and how many messages each address has had."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import astuple

from heliograph.model.people import DndRow
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, bulk, count, do


class Gone(NamedTuple):
    """Entries to be taken off the list of a tenant: those of an address; of one channel, category or origin where
    that is not None."""

    tenant: str
    address: str
    channel: str | None = None
    category: str | None = None
    origin: str | None = None


def list_dnd(payloads: Sequence[tuple[str, Sequence[DndRow]]]) -> Plan[list[int]]:
    """Put entries on the list, over those of the same address, channel and category; how many were new."""
    fresh: list[int] = []
    for tenant, rows in payloads:
        chosen = _last(rows)
        known = yield bulk(
            "known_dnd", [(tenant, row.address, row.channel, row.category) for row in chosen], Answer.VALUE
        )
        yield bulk("put_dnd", [(tenant, *astuple(row)) for row in chosen])
        fresh.append(len(chosen) - (known or 0))
    return fresh


def _last(rows: Iterable[DndRow]) -> list[DndRow]:
    """Of several entries for the same the last, in the order of their keys."""
    found = {(row.address, row.channel, row.category): row for row in rows}
    return [found[key] for key in sorted(found)]


def unlist_dnd(payloads: Sequence[Gone]) -> Plan[list[int]]:
    """Take entries off the list; how many went."""
    gone: list[int] = []
    for payload in payloads:
        gone.append((yield count("drop_dnd", *(("*" if item is None else item) for item in payload))))
    return gone


def forget_wishes(payloads: Sequence[int]) -> Plan[list[None]]:
    """Entries and counts that ended by then are done with."""
    yield do("purge_dnd", max(payloads))
    yield do("purge_sent", max(payloads))
    return [None] * len(payloads)


class Wishes(Area):
    """Whom to leave alone."""

    async def list_dnd(self, tenant: str, rows: Sequence[DndRow]) -> int:
        """Put entries on the list, over those of the same address, channel and category; how many were new."""
        result: int = await self.engine.write("list_dnd", (tenant, rows))
        return result

    async def unlist_dnd(self, gone: Gone) -> int:
        """Take entries off the list; how many went."""
        result: int = await self.engine.write("unlist_dnd", gone)
        return result

    async def forget_wishes(self, until_ms: int) -> None:
        """Delete what ended by then."""
        await self.engine.write("forget_wishes", until_ms)

    async def has_dnd(self, tenant: str) -> bool:
        """Whether there is any entry."""
        return (await self._read(tuple[bool], "has_dnd", tenant))[0]

    async def dnd_of(self, tenant: str, addresses: Collection[str]) -> list[DndRow]:
        """The entries of these addresses."""
        return await self._read(list[DndRow], "dnd_of", tenant, list(addresses))

    async def dnd_page(self, tenant: str, after: tuple[str, str, str], limit: int) -> list[DndRow]:
        """Entries by address, channel and category, from after those."""
        return await self._read(list[DndRow], "dnd_page", tenant, *after, limit)

    async def sent_to(
        self, tenant: str, slots: Collection[str], addresses: Collection[str]
    ) -> list[tuple[str, str, int]]:
        """`(slot, address, count)` of what these addresses have had."""
        shape = list[tuple[str, str, int]]
        return await self._read(shape, "sent_to", tenant, list(slots), list(addresses))


def decoded(text: str) -> list[tuple[str, str, int]]:
    """The counts that a step answered with."""
    return msgspec.json.decode(text, type=list[tuple[str, str, int]])
