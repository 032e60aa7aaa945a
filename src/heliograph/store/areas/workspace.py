"""The declared workspace, sealed, and what is known of its service keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, bulk, count, do


def save_workspace(payloads: Sequence[tuple[int, bytes, list[str], int]]) -> Plan[list[bool]]:
    """Each of them, if it follows the version that is kept; whether it was. Keys that are new to us were made now,
    keys it does not have are forgotten."""
    taken: list[bool] = []
    for version, document, hashes, now_ms in payloads:
        taken.append((yield count("save_workspace", version, document)) == 1)
        if taken[-1]:
            yield do("record_keys", hashes, now_ms)
            yield do("drop_keys", hashes)
    return taken


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

    async def save_workspace(self, version: int, document: bytes, hashes: list[str], now_ms: int) -> bool:
        """Keep the (already encrypted) workspace, and since when its keys are known; False when the version before it
        is not the one that is kept, and nothing was changed."""
        result: bool = await self.engine.write("save_workspace", (version, document, hashes, now_ms))
        return result

    async def workspace_version(self) -> int:
        """Which version is kept; 0 is none."""
        return (await self._read(tuple[int], "workspace_version"))[0]

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
