"""The declared workspace, sealed, and what is known of its service keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, bulk, do


def save_workspace(payloads: Sequence[tuple[int, bytes, list[str], int]]) -> Plan[list[None]]:
    """The last one wins. Keys that are new to us were made now, keys it does not have are forgotten."""
    version, document, hashes, now_ms = payloads[-1]
    yield do("save_workspace", version, document)
    yield do("record_keys", hashes, now_ms)
    yield do("drop_keys", hashes)
    return [None] * len(payloads)


def use_keys(payloads: Sequence[dict[str, int]]) -> Plan[list[None]]:
    """When keys were last used."""
    latest: dict[str, int] = {}
    for payload in payloads:
        for name, used in payload.items():
            latest[name] = max(used, latest.get(name, 0))
    yield bulk("use_keys", list(latest.items()))
    return [None] * len(payloads)


class Workspace(Area):
    """One sealed row, and a row per key."""

    async def save_workspace(self, version: int, document: bytes, hashes: list[str], now_ms: int) -> None:
        """Keep the (already encrypted) workspace, and since when its keys are known."""
        await self.engine.write("save_workspace", (version, document, hashes, now_ms))

    async def load_workspace(self) -> tuple[int, bytes] | None:
        """The stored workspace."""
        rows = await self._read(list[tuple[int, str]], "load_workspace")
        return (rows[0][0], bytes.fromhex(rows[0][1])) if rows else None

    async def use_keys(self, used: dict[str, int]) -> None:
        """Keep when keys, by their hash, were last used."""
        await self.engine.write("use_keys", used)

    async def service_keys(self, hashes: Collection[str]) -> list[tuple[str, int, int]]:
        """`(hash, made, last used)` of the keys we know of; 0 is unknown or never."""
        return await self._read(list[tuple[str, int, int]], "service_keys", list(hashes))
