"""Chunks that were handed to workers too often without an end, and their retry."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, numbers, page_size, reply
from heliograph.store import Store


class ParkedViews:
    """`GET /parked`, `POST /parked/{id}/retry`."""

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms

    async def listing(self, request: Request) -> Response:
        """Parked chunks, the latest first; the messages of each stay queued."""
        rows = await self._store.parked(page_size(request))
        requests = await self._store.requests({row.request for row in rows})
        return reply(
            {
                "parked": [
                    {
                        "id": f"{row.request}.{row.element}",
                        "transid": found.transid(found.firsts[row.element]),
                        "tenant": found.tenant,
                        "service": found.service,
                        "channel": found.messages[row.element].content.channel,
                        "at": row.at,
                        "deliveries": row.deliveries,
                    }
                    for row in rows
                    if (found := requests.get(row.request)) is not None
                ]
            }
        )

    async def retry(self, request: Request) -> Response:
        """Hand one to workers again."""
        text = request.path_params["id"]
        identity = numbers(text, 2)
        if identity is None:
            raise AdminError(render.BAD_REQUEST, "invalid_id", f"{text!r} is no parked chunk's id", "id")
        if not await self._store.unpark((identity[0], identity[1]), self._clock_ms()):
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no parked chunk {text}", "id")
        return reply({"retried": 1})
