"""Takes away what is kept of a person in messages, receipts and inbound messages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from heliograph.model.message import Message
from heliograph.model.profiles.erasure import ERASED, Erasing, Slice
from heliograph.store.areas.requests import Requests
from heliograph.store.steps import Plan, bulk, do

_encode = msgspec.json.Encoder().encode


def erase(payloads: Sequence[Erasing]) -> Plan[list[None]]:
    """Addresses, texts, stories; what remains is that there was a message, and what became of it."""
    yield bulk("erase_transactions", [(*row, ERASED) for one in payloads for row in one.rows])
    yield bulk("erase_told", [row for one in payloads for row in one.rows])
    yield bulk("inapp_erase", [row for one in payloads for row in one.rows])
    yield bulk("erase_contents", [pair for one in payloads for pair in one.emptied])
    inbound = [number for one in payloads for number in one.inbound]
    if inbound:
        yield do("erase_inbound", inbound)
    unmatched = [number for one in payloads for number in one.unmatched]
    if unmatched:
        yield do("erase_unmatched", unmatched)
    return [None] * len(payloads)


def erase_jobs(payloads: Sequence[tuple[str, list[str]]]) -> Plan[list[None]]:
    """Outcomes of writes of a tenant's profiles that name somebody."""
    for tenant, names in payloads:
        yield do("erase_jobs", tenant, names)
    return [None] * len(payloads)


class Erasers(Requests):
    """Finding and taking away. `erased` is called with the ids of requests that were emptied here."""

    erased: Callable[[list[int]], None] | None = None

    async def traces(self, tenant: str, after: int, limit: int, endings: list[str]) -> Slice:
        """Transactions of at most `limit` requests with ids above `after` whose addresses end so."""
        return await self._read(Slice, "traces", tenant, after, limit, endings)

    async def elements_left(self, requests: Collection[int]) -> list[tuple[int, int, int]]:
        """`(request, element, count)` of destinations that are not erased."""
        return await self._read(list[tuple[int, int, int]], "elements_left", list(requests), ERASED)

    async def inbound_traces(self, tenant: str, endings: list[str]) -> list[tuple[int, str]]:
        """`(id, sender)` of inbound messages of a tenant whose senders end so."""
        return await self._read(list[tuple[int, str]], "inbound_traces", tenant, endings)

    async def unmatched_traces(self, tenant: str, endings: list[str]) -> list[tuple[int, str]]:
        """`(id, destination)` of receipts over a tenant's lanes that match nothing and whose destinations end so."""
        return await self._read(list[tuple[int, str]], "unmatched_traces", f"{tenant}/", endings)

    async def erase(self, rows: list[tuple[int, int]], emptied: dict[int, tuple[Message, ...]]) -> None:
        """Take the addresses and stories of these transactions away, and give these requests these messages."""
        texts = [(request, _encode(messages).decode()) for request, messages in emptied.items()]
        await self.engine.write("erase", Erasing(rows=rows, emptied=texts))
        self.forget_requests(emptied)
        if self.erased is not None and emptied:
            self.erased(list(emptied))

    def forget_requests(self, ids: Iterable[int]) -> None:
        """Read these requests anew: they were emptied, here or by another process."""
        for request in ids:
            self._requests.pop(request)

    async def erase_received(self, inbound: list[int], unmatched: list[int]) -> None:
        """Delete inbound messages, and receipts that match nothing, by their ids."""
        await self.engine.write("erase", Erasing(inbound=inbound, unmatched=unmatched))

    async def erase_jobs(self, tenant: str, names: list[str]) -> None:
        """Delete the outcomes of writes that name one of these customers."""
        await self.engine.write("erase_jobs", (tenant, [_encode(name).decode() for name in names]))
