"""Who did what to whom."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from heliograph.model.people.audit import Deed
from heliograph.store.engines.base import Area
from heliograph.store.steps import Plan, bulk


def audit(payloads: Sequence[Deed]) -> Plan[list[None]]:
    """Deeds as they were done."""
    yield bulk("insert_audit", [_row(deed) for deed in payloads])
    return [None] * len(payloads)


def _row(deed: Deed) -> tuple[object, ...]:
    detail = msgspec.json.encode(deed.detail).decode()
    return deed.id, deed.at, deed.tenant, deed.actor, deed.action, deed.object, detail


class Audit(Area):
    """The record of deeds."""

    async def audit(self, deed: Deed) -> None:
        """Keep a deed."""
        await self.engine.write("audit", deed)

    async def audited(self, before: int, tenant: str, action: str, limit: int) -> list[Deed]:
        """Deeds with ids below `before`, newest first; of a tenant and an action, "" for any."""
        return await self._read(list[Deed], "audit_before", before, tenant, action, limit)
