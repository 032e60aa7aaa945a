"""Calls as they were accepted: the request once, its destinations as thin rows, the answer to give again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec.structs import astuple

from heliograph.model.ids import accepted_ms, first_id_at
from heliograph.model.message import Request
from heliograph.model.record import KEPT_MS, Accepted, Counted, KeptAnswer, Queued, Run
from heliograph.store.areas.automation.happening import occur
from heliograph.store.areas.cluster.outbox import insert_owed
from heliograph.store.areas.messages import apply_changes, insert_story
from heliograph.store.cache import Recent
from heliograph.store.engines.base import Area, Engine
from heliograph.store.steps import Plan, add, bulk, do

SHORT_RUN = 8  # destinations; shorter runs of several calls share a statement
REQUEST_CACHE = 20_000  # heads kept decoded; the rest is read again

_encode = msgspec.json.Encoder().encode


def _json(value: object) -> str:
    return _encode(value).decode()


def _request_row(accepted: Accepted) -> tuple[object, ...]:
    request = accepted.request
    first = request.messages[0]
    count = sum(len(run.values) for run in accepted.runs)
    return (
        request.id, request.nonce, request.tenant, request.service, request.accepted, first.content.channel,
        first.priority, first.expiry, len(request.messages), count, _json(request.firsts), _json(request.messages),
    )  # fmt: skip


def accept(payloads: Sequence[Accepted]) -> Plan[list[None]]:
    """Requests and their transactions; what was decided at once goes through the same path as any outcome."""
    yield add("insert_requests", [_request_row(item) for item in payloads])
    singles: list[tuple[object, ...]] = []
    for item in payloads:
        for run in item.runs:
            if len(run.values) < SHORT_RUN:
                singles.extend(_single_rows(item.request, run))
            else:
                head = (item.request.id, run.first, run.element, run.kind, run.correlation, item.request.accepted)
                yield do("insert_run", *head, run.values)
    yield add("insert_singles", singles)
    yield from apply_changes([change for item in payloads for change in item.changes])
    yield insert_story([line for item in payloads for line in item.story])
    yield add("count_volumes", _volumes(payloads))
    yield add("insert_links", [astuple(link) for item in payloads for link in item.links])
    yield insert_owed([row for item in payloads for row in item.owed])
    yield occur([one for item in payloads for one in item.occurrences])
    yield from keep_answers([item.kept for item in payloads if item.kept])
    return [None] * len(payloads)


def keep_answers(kept: Sequence[KeptAnswer]) -> Plan[None]:
    """A key that is still taken fails its call, so that it has one effect whatever the verbs do."""
    oldest = [first_id_at(accepted_ms(item.request) - KEPT_MS) for item in kept]
    yield bulk("free_kept_keys", [(*astuple(item)[1:4], since) for item, since in zip(kept, oldest, strict=True)])
    yield bulk("insert_kept_answers", [astuple(item) for item in kept])


def _volumes(payloads: Sequence[Accepted]) -> list[tuple[str, str, int, int]]:
    used: dict[tuple[str, str, int], int] = {}
    for item in payloads:
        for scope, period, until_ms, count in map(astuple, item.counted):
            used[scope, period, until_ms] = used.get((scope, period, until_ms), 0) + count
    return [(*name, count) for name, count in sorted(used.items())]


def _single_rows(request: Request, run: Run) -> Iterable[tuple[object, ...]]:
    for offset, value in enumerate(run.values):
        yield (
            request.id, run.first + offset, run.element, run.kind, value, run.correlation, request.accepted,
        )  # fmt: skip


class Requests(Area):
    """The calls."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._requests: Recent[int, Request] = Recent(REQUEST_CACHE)

    async def accept(self, accepted: Accepted) -> None:
        """Keep a call with all its transactions."""
        await self.engine.write("accept", accepted)
        self._tell_caused(accepted.occurrences)
        self._requests.put(accepted.request.id, accepted.request)

    def cached_request(self, request: int) -> Request | None:
        """The request if it is at hand."""
        return self._requests.get(request)

    async def requests(self, ids: Collection[int]) -> dict[int, Request]:
        """Requests by id; unknown ones are missing from the answer."""
        found = {key: kept for key in ids if (kept := self._requests.get(key)) is not None}
        missing = [key for key in ids if key not in found]
        if missing:
            for request in await self._read(list[Request], "get_requests", missing):
                self._requests.put(request.id, request)
                found[request.id] = request
        return found

    async def open_requests(self, after: int, limit: int) -> list[Queued]:
        """Requests with something left to dispatch, oldest first, with ids above `after`."""
        return await self._read(list[Queued], "open_requests", after, limit)

    async def kept_answer(self, tenant: str, service: str, key: str, now_ms: int) -> KeptAnswer | None:
        """The answer to the call that a service named with that key within the last 24 hours."""
        since = first_id_at(now_ms - KEPT_MS)
        found = await self._read(list[KeptAnswer], "kept_answer", tenant, service, key, since)
        return found[0] if found else None

    async def volumes(self, now_ms: int) -> list[Counted]:
        """What is counted in spans of the calendar that are not over."""
        return await self._read(list[Counted], "volumes", now_ms)

    async def greatest_id(self) -> int:
        """The greatest id in use; new ones must be above it even when the clock went back."""
        return (await self._read(tuple[int], "greatest_id"))[0]
