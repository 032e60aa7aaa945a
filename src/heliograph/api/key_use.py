"""When service keys were last used: known in memory, written at most once a minute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class KeyUse:
    """Marks are one assignment, so that they may stand in the way of every call."""

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms
        self._used: dict[str, int] = {}

    def mark(self, key_hash: str) -> None:
        """The key was used now."""
        self._used[key_hash] = self._clock_ms()

    async def times(self, hashes: Collection[str]) -> dict[str, tuple[int, int]]:
        """By hash when keys were made and last used, in Unix milliseconds; 0 is unknown or never."""
        kept = {key: (made, used) for key, made, used in await self._store.service_keys(hashes)}
        found = {}
        for key in hashes:
            made, used = kept.get(key, (0, 0))
            found[key] = (made, max(used, self._used.get(key, 0)))
        return found

    async def run(self) -> None:
        """Write for ever; ends by cancellation."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what was marked since the last time."""
        if not self._used:
            return
        marked, self._used = self._used, {}
        try:
            await self._store.use_keys(marked)
        except StoreUnavailable as error:
            self._used = {**marked, **self._used}
            log.warning("when keys were used cannot be written, trying again later: %s", error)
