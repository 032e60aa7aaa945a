"""Calls that their callers name with `Idempotency-Key`: each is taken once, and for 24 hours the same name gives the
same answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from weakref import WeakValueDictionary

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.record import KeptAnswer
from heliograph.store import Store, StoreUnavailable

KEY_HEADER = "Idempotency-Key"
KEY_CHARACTERS = 255


class Caller(NamedTuple):
    """Whose names they are: two callers may give the same one."""

    tenant: str
    service: str


class Name(NamedTuple):
    """What a caller named a call, and the digest of its body."""

    key: str
    digest: str


Take = Callable[[Name], Awaitable[None]]


class Named:
    """Finds the answers to calls that were taken already."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._locks: WeakValueDictionary[tuple[str, str, str], asyncio.Lock] = WeakValueDictionary()

    async def once(self, caller: Caller, key: str, body: bytes, now_ms: int, take: Take) -> str | None:
        """Have a call taken, or give the answer (JSON text) that was kept of it; None when `take` was run, which
        keeps its answer by the name. Raises `Rejected` for a name that cannot be one or was given to another body."""
        if not 0 < len(key) <= KEY_CHARACTERS:
            raise Rejected(keys.INVALID_PARAM, KEY_HEADER)
        name = Name(key, hashlib.sha256(body).hexdigest())
        lock = self._locks.setdefault((*caller, key), asyncio.Lock())
        async with lock:  # the second of two at once finds the answer of the first
            kept = await self._store.kept_answer(*caller, key, now_ms)
            if kept is None:
                try:
                    await take(name)
                    return None
                except StoreUnavailable:  # another process may have taken it at the same time
                    kept = await self._store.kept_answer(*caller, key, now_ms)
                    if kept is None:
                        raise
        if kept.digest != name.digest:
            raise Rejected(keys.INVALID_PARAM, KEY_HEADER)
        return kept.answer


def kept_answer(request: int, caller: Caller, name: Name, answer: str) -> KeptAnswer:
    """The answer as it is kept, to be given again."""
    return KeptAnswer(request, caller.tenant, caller.service, name.key, name.digest, answer)
