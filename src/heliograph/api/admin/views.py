"""Small views: the catalogue, connectors, counts, receipts nobody knows, the live log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from heliograph import catalogue
from heliograph.api import render
from heliograph.api.admin.common import AdminError, page_size, reply
from heliograph.bus.local import Tail
from heliograph.model.outcome import State
from heliograph.store import Store

HEARTBEAT_SECONDS = 10.0


Connectors = Callable[[], Awaitable[dict[str, dict[str, Any]]]]
"""The status of every connector by its name."""


class Views:
    """Reads for operators."""

    def __init__(self, store: Store, connectors: Connectors, tail: Tail) -> None:
        self._store = store
        self._connectors = connectors
        self._tail = tail

    async def codes(self, request: Request) -> Response:
        """The published table with our columns; `?code=` narrows it, `?api=` too."""
        code, api = request.query_params.get("code", ""), request.query_params.get("api", "")
        rows = catalogue.with_code(code) if code else catalogue.ROWS
        return reply([row.as_dict() for row in rows if not api or row.api == api])

    async def connectors(self, request: Request) -> Response:
        """Every connector in use."""
        return reply(await self._connectors())

    async def connector(self, request: Request) -> Response:
        """One connector: binds, window, throughput, last errors."""
        name = request.path_params["name"]
        found = {key: value for key, value in (await self._connectors()).items() if name in (key, short(key))}
        if not found:
            raise AdminError(render.NOT_FOUND, "not_found", f"no service uses a connector named {name}", "name")
        return reply(found)

    async def stats(self, request: Request) -> Response:
        """How many transactions stand where: the sum of all is what was accepted."""
        counts = await self._store.counts()
        queued, owed, parked = await self._store.pending_counts()
        by_state = {State(state).name.lower(): count for state, count in sorted(counts.items())}
        return reply(
            {
                "accepted": sum(counts.values()),
                "by_state": by_state,
                "to_dispatch": queued,
                "callbacks_owed": owed,
                "callbacks_parked": parked,
            }
        )

    async def unmatched(self, request: Request) -> Response:
        """Receipts that belong to no message we know."""
        rows = await self._store.unmatched(0, page_size(request))
        return reply({"receipts": [msgspec.to_builtins(_named(row)) for row in rows]})

    async def tail(self, request: Request) -> Response:
        """What happens from now on, one JSON object a line, with a blank line as heartbeat."""
        return StreamingResponse(self._lines(), media_type="application/x-ndjson")

    async def _lines(self) -> AsyncIterator[bytes]:
        with self._tail.listen() as events:
            yield b"\n"
            while True:
                try:
                    event = await asyncio.wait_for(events.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield b"\n"
                    continue
                if event is None:
                    return
                yield msgspec.json.encode(event) + b"\n"


def short(name: str) -> str:
    """A lane's connector name as the workspace has it."""
    return name.partition("~")[0].rpartition("/")[2]


def _named(row: Any) -> dict[str, Any]:
    return {
        name: getattr(row, name)
        for name in ("at", "connector", "native_id", "key", "native_code", "detail", "destination", "raw")
    }
