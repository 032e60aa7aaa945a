"""Callbacks owed, done and parked, and their replay."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, numbers, page_size, reply
from heliograph.api.admin.messages import callback_view
from heliograph.model.record import Delivery
from heliograph.store import Store

STATES = {"pending": Delivery.PENDING, "done": Delivery.DONE, "parked": Delivery.PARKED, "failed": Delivery.PARKED}


class CallbackViews:
    """`GET /callbacks`, `POST /callbacks/{id}/replay`, `POST /callbacks/replay`."""

    def __init__(self, store: Store, clock_ms: Callable[[], int], wake: Callable[[str], None]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._wake = wake

    async def listing(self, request: Request) -> Response:
        """Callbacks in a state, newest first."""
        word = request.query_params.get("state", "parked")
        if word not in STATES:
            raise AdminError(
                render.BAD_REQUEST, "invalid_value", f"`state` must be one of {', '.join(STATES)}", "state"
            )
        rows = await self._store.notices_by_delivery(STATES[word], page_size(request))
        return reply({"callbacks": [callback_view(row) for row in rows]})

    async def replay(self, request: Request) -> Response:
        """Send one again now."""
        text = request.path_params["id"]
        identity = numbers(text, 3)
        if identity is None:
            raise AdminError(render.BAD_REQUEST, "invalid_id", f"{text!r} is no callback's id", "id")
        origin = await self._store.replay((identity[0], identity[1], identity[2]), self._clock_ms())
        if origin is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no callback {text}", "id")
        self._wake(origin)
        return reply({"replayed": 1})

    async def replay_many(self, request: Request) -> Response:
        """Send every parked one of a span of time again: `{"from": ms, "to": ms}`."""
        document = await document_of(request)
        first, last = document.get("from", 0), document.get("to", 1 << 62)
        if not all(isinstance(moment, int) and 0 <= moment < 1 << 63 for moment in (first, last)):
            raise AdminError(render.BAD_REQUEST, "invalid_value", "`from` and `to` are Unix milliseconds", "from")
        now_ms = self._clock_ms()
        count = await self._store.replay_parked(first, last, now_ms)
        for origin in await self._store.notice_origins(now_ms):
            self._wake(origin)
        return reply({"replayed": count})
