"""A device that was never here gets its profile of the app, so that its user can be sent to."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Tenant
from heliograph.policy.directory import Directory
from heliograph.store import Store

log = logging.getLogger(__name__)

DEVICES = 20  # of one user that get a profile by themselves
SANDBOX = "~"  # in the name of a lane: there users need no profile

Write = Callable[[Tenant, str, list[Any]], Awaitable[object]]
"""Creates profiles of a tenant's app. Raises `Rejected`."""


class Registrar:
    """Writes the profiles."""

    def __init__(self, store: Store, directory: Callable[[], Directory], write: Write) -> None:
        self._store = store
        self._directory = directory
        self._write = write

    async def __call__(self, lane: str, user: str, device: str) -> None:
        """See `Registrar` of the hub. Who was made inactive stays it. Raises `StoreUnavailable`."""
        name, _, app = lane.partition("/")
        tenant = self._directory().tenants.get(name)
        if tenant is None or SANDBOX in app:
            return
        known = await self._store.app_users_named(name, app, [user])
        if len(known) >= DEVICES or any(one.device == device or not one.active for one in known):
            return
        attributes = {"deviceId": device, "rtmId": f"{user}_{device}", "connectStatus": 1, "status": 1}
        try:
            await self._write(tenant, app, [{"customerId": user, "Attributes": attributes}])
        except Rejected as error:
            log.warning("a device of %s has no profile: %s", lane, error)
