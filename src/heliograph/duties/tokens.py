"""Short-lived credentials of all processes together: fetched by one of them, kept sealed for the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import msgspec

from heliograph.bus.tokens import LocalTokens, usable
from heliograph.model.channel import Token
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.cluster.duties import Claim
from heliograph.store.vault import Vault, VaultError

log = logging.getLogger(__name__)

T = TypeVar("T")

FETCH_MS = 30_000  # for so long nobody else fetches the same one
WAIT_SECONDS = 0.1  # between two looks while another process fetches
RETRY_SECONDS = 0.5  # after the store did not answer

_open = msgspec.json.Decoder(Token).decode


class SharedTokens:
    """Keeps tokens in memory and, for all, in the store. `owner` is this process; `clock_ms` gives Unix milliseconds.
    While the store does not answer, who needs another token waits: one fetched alone could undo that of others."""

    def __init__(self, store: Store, vault: Vault, owner: str, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._vault = vault
        self._owner = owner
        self._clock_ms = clock_ms
        self._local = LocalTokens(clock_ms)

    async def get(self, name: str, fetch: Callable[[Token | None], Awaitable[Token]], *, refused: str = "") -> Token:
        """See `Tokens`."""
        return await self._local.get(name, partial(self._shared, name, fetch, refused), refused=refused)

    async def _shared(
        self, name: str, fetch: Callable[[Token | None], Awaitable[Token]], refused: str, before: Token | None
    ) -> Token:
        """What another process fetched, or what we do. `before` is what this process had."""
        while True:
            if (kept := usable(await self._read(name, before), refused, self._clock_ms())) is not None:
                return kept
            async with self._turn(name) as ours:
                if ours:
                    last = await self._read(name, before)  # another may have fetched it just before
                    return usable(last, refused, self._clock_ms()) or await self._fetched(name, fetch, last)
            await asyncio.sleep(WAIT_SECONDS)

    async def _fetched(
        self, name: str, fetch: Callable[[Token | None], Awaitable[Token]], last: Token | None
    ) -> Token:
        fresh = await fetch(last)
        sealed = self._vault.seal(msgspec.json.encode(fresh))
        await _patiently(lambda: self._store.save_token(name, sealed, fresh.expires_ms))
        return fresh

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[bool]:
        """Whether it is this process's turn to fetch."""
        lease = f"token.{name}"
        ours = lease in await _patiently(lambda: self._store.claim_leases(Claim(self._owner, [lease], [], FETCH_MS)))
        try:
            yield ours
        finally:
            if ours:
                await _patiently(lambda: self._store.claim_leases(Claim(self._owner, [], [lease], 0)))

    async def _read(self, name: str, before: Token | None) -> Token | None:
        """What the store keeps, or `before` where it keeps none; what another key sealed is as good as none."""
        found = await _patiently(lambda: self._store.token(name))
        if found is None:
            return before
        try:
            return _open(self._vault.open(found[0]))
        except VaultError:
            return None


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await ask()
        except StoreUnavailable as error:
            log.warning("tokens cannot be shared now, trying again: %s", error)
            await asyncio.sleep(RETRY_SECONDS)
