"""Short-lived credentials in one process: fetched once, however many ask, and replaced when they expire."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable

from heliograph.model.channel import Token


def usable(kept: Token | None, refused: str, now_ms: int) -> Token | None:
    """A token, if there is one that the far end has not refused and that has not expired."""
    return kept if kept and kept.value != refused and now_ms < kept.expires_ms else None


class LocalTokens:
    """Keeps tokens in memory. `clock_ms` gives Unix milliseconds."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._kept: dict[str, Token] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, name: str, fetch: Callable[[Token | None], Awaitable[Token]], *, refused: str = "") -> Token:
        """See `Tokens`."""
        if (kept := self._good(name, refused)) is not None:
            return kept
        async with self._locks[name]:
            if (kept := self._good(name, refused)) is not None:
                return kept
            fresh = self._kept[name] = await fetch(self._kept.get(name))
            return fresh

    def _good(self, name: str, refused: str) -> Token | None:
        return usable(self._kept.get(name), refused, self._clock_ms())
