"""The outbox: chunks that are owed to the broker, and those that are handed out no more."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import astuple

from heliograph.model.record import Owed, Parked
from heliograph.store.engines.base import Area
from heliograph.store.steps import Answer, Plan, Step, add, bulk, count, do, value

Place = tuple[int, int]
"""A chunk: its request and element."""


def insert_owed(rows: Sequence[Owed]) -> Step:
    """Rows of the outbox."""
    return add("insert_outbox", [(row.due, row.request, row.element, row.size, int(row.again)) for row in rows])


def owe(payloads: Sequence[list[Owed]]) -> Plan[list[None]]:
    """Chunks are to be published at their moments."""
    yield insert_owed([row for payload in payloads for row in payload])
    return [None] * len(payloads)


def published(payloads: Sequence[list[Owed]]) -> Plan[list[None]]:
    """What the broker has is owed no more."""
    rows = [(row.due, row.request, row.element) for payload in payloads for row in payload]
    yield bulk("delete_outbox", rows)
    return [None] * len(payloads)


def take_outbox(payloads: Sequence[tuple[int, int, int]]) -> Plan[list[list[Owed]]]:
    """Of what is due at a moment at most so many, due again at another unless it is published by then."""
    taken: list[list[Owed]] = []
    for payload in payloads:
        text = yield value("take_outbox", *payload)
        taken.append(msgspec.json.decode(text, type=list[Owed]))
    return taken


def hasten_outbox(payloads: Sequence[int]) -> Plan[list[None]]:
    """Everything is due by then."""
    yield do("hasten_outbox", min(payloads))
    return [None] * len(payloads)


def refill_outbox(payloads: Sequence[tuple[int, int, int]]) -> Plan[list[int]]:
    """Of the open requests after an id at most so many are owed to the broker, which has nothing; the last of them,
    or 0."""
    last: list[int] = []
    for payload in payloads:
        last.append((yield value("refill_outbox", *payload)))
    return last


def release_chunks(payloads: Sequence[list[Place]]) -> Plan[list[int]]:
    """What was being sent of chunks whose worker died is queued again, flagged; how many of all."""
    places = [place for payload in payloads for place in payload]
    released = (yield bulk("release_chunks", places, Answer.COUNT)) or 0
    return [released, *[0] * (len(payloads) - 1)]


def park(payloads: Sequence[list[Parked]]) -> Plan[list[None]]:
    """Chunks that are handed out no more."""
    yield bulk("park", [astuple(row) for payload in payloads for row in payload])
    return [None] * len(payloads)


def unpark(payloads: Sequence[tuple[int, int, int]]) -> Plan[list[bool]]:
    """Parked chunks are owed to the broker again at a moment; whether each was parked."""
    found: list[bool] = []
    for request, element, due in payloads:
        was = (yield count("unpark", request, element)) > 0
        if was:
            yield insert_owed([Owed(due, request, element, again=True)])
        found.append(was)
    return found


class Outbox(Area):
    """Chunks between the table and the broker."""

    async def owe(self, rows: list[Owed]) -> None:
        """Have chunks published at their moments."""
        await self.engine.write("owe", rows)

    async def published(self, rows: list[Owed]) -> None:
        """The broker has these."""
        await self.engine.write("published", rows)

    async def outbox_due(self, now_ms: int) -> bool:
        """Whether anything is due."""
        return (await self._read(tuple[int], "outbox_due", now_ms))[0] > 0

    async def take_outbox(self, now_ms: int, limit: int, until_ms: int) -> list[Owed]:
        """At most `limit` rows that are due; nobody else is given them before `until_ms`."""
        taken: list[Owed] = await self.engine.write("take_outbox", (now_ms, limit, until_ms))
        return taken

    async def hasten_outbox(self, now_ms: int) -> None:
        """What waits for a moment to come waits no more."""
        await self.engine.write("hasten_outbox", now_ms)

    async def refill_outbox(self, after: int, limit: int, due_ms: int) -> int:
        """Owe at most `limit` open requests after an id to a broker that has nothing; the last id, or 0 after all."""
        last: int = await self.engine.write("refill_outbox", (after, limit, due_ms))
        return last

    async def release_chunks(self, places: list[Place]) -> int:
        """What was being sent of chunks `(request, element)` whose worker died is queued again, flagged as a possible
        duplicate; how many messages."""
        released: int = await self.engine.write("release_chunks", places)
        return released

    async def park(self, rows: list[Parked]) -> None:
        """Hand these out no more."""
        await self.engine.write("park", rows)

    async def unpark(self, place: Place, now_ms: int) -> bool:
        """Hand a parked chunk out again; False when it is not parked."""
        found: bool = await self.engine.write("unpark", (*place, now_ms))
        return found

    async def parked(self, limit: int) -> list[Parked]:
        """Parked chunks, the latest first."""
        return await self._read(list[Parked], "parked_chunks", limit)
