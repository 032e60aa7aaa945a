"""Which endpoints are told by this process, of several; the others are let go of without telling anybody twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from heliograph.model.record import Notice
from heliograph.notify.endpoint import Endpoint
from heliograph.store.cache import Recent

LATELY = 20_000  # notices of which we know that they were told lately
LOOK_SECONDS = 0.02  # between two looks at what is under way


class Shares:
    """`mine` says whether an origin is told here; None: all are, and nothing of this costs anything."""

    def __init__(self, mine: Callable[[str], bool] | None, endpoints: Mapping[str, Endpoint]) -> None:
        self._mine = mine
        self._endpoints = endpoints
        self._lately: Recent[int, bool] = Recent(LATELY)

    def has(self, origin: str) -> bool:
        """Whether it is told here."""
        return self._mine is None or self._mine(origin)

    def told(self, notice: int) -> None:
        """A notice was tried, and that is written."""
        if self._mine is not None:
            self._lately.put(notice, True)

    def fresh(self, notices: Iterable[Notice]) -> list[Notice]:
        """Those, of what another process has committed, that are told here and that the table did not give us before
        its word came."""
        return [notice for notice in notices if self.has(notice.origin) and not self._lately.get(notice.id)]

    def abandon(self) -> bool:
        """Let go of what waits for endpoints that are another's; whether something of theirs is under way still."""
        busy = False
        for endpoint in self._endpoints.values() if self._mine is not None else ():
            if not self.has(endpoint.origin):
                endpoint.more = False
                for notice in endpoint.drain():
                    endpoint.let_go(notice.id)
                busy = busy or bool(endpoint.held)
        return busy

    async def left(self, seconds: float) -> None:
        """Wait until what is under way for endpoints that are another's has ended and is written, or the time is
        over."""
        end = asyncio.get_running_loop().time() + seconds
        while self.abandon() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(LOOK_SECONDS)
