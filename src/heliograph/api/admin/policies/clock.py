"""The clock of a tenant in the sandbox: set ahead, so that hours, caps and expiries can be tried without waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply
from heliograph.contract.workspace import Faults
from heliograph.model.policies.texts import moment_of
from heliograph.workspaces import Workspaces

audit = logging.getLogger("heliograph.audit")


class ClockViews:
    """`GET`, `PUT` and `DELETE /tenants/{t}/clock`."""

    def __init__(self, workspaces: Workspaces, clock_ms: Callable[[], int]) -> None:
        self._workspaces = workspaces
        self._clock_ms = clock_ms

    async def read(self, request: Request) -> Response:
        """What a tenant's clock shows, and how many seconds it is ahead of ours."""
        return reply(self._view(request))

    async def put(self, request: Request) -> Response:
        """Set the clock of a tenant whose services are all in the sandbox: `now`, a moment, or `ahead`, seconds. What
        is held or waits is judged by the new time at once."""
        ahead = self._ahead(await document_of(request))
        return await self._set(request, ahead)

    async def remove(self, request: Request) -> Response:
        """Set the clock right again."""
        return await self._set(request, 0)

    def _ahead(self, document: dict[str, Any]) -> int:
        now, ahead = document.get("now"), document.get("ahead")
        moment = moment_of(now) if isinstance(now, str) else None
        if moment is not None:
            return -(-(moment - self._clock_ms()) // 1_000)
        if isinstance(ahead, int) and not isinstance(ahead, bool):
            return ahead
        message = 'give `now`, "2030-01-31T12:00:00Z", or `ahead`, whole seconds'
        raise AdminError(render.BAD_REQUEST, "invalid_value", message, "now")

    async def _set(self, request: Request, ahead: int) -> Response:
        name = self._view(request)["tenant"]

        def change(document: dict[str, Any]) -> None:
            for tenant in document["tenants"]:
                if tenant["id"] == name:
                    tenant["clock_ahead"] = ahead

        try:
            await self._workspaces.edit(change)
        except Faults as faults:
            path, sentence = faults.faults[0]
            raise AdminError(render.CONFLICT, "not_a_sandbox", f"{path}: {sentence}", "tenant") from faults
        audit.info("the clock of %s was set %d seconds ahead", name, ahead)
        return reply(self._view(request))

    def _view(self, request: Request) -> dict[str, Any]:
        name = request.path_params["tenant"]
        tenant = self._workspaces.directory().tenants.get(name)
        if tenant is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {name}", "tenant")
        there = datetime.fromtimestamp(self._clock_ms() / 1_000 + tenant.clock_ahead, UTC)
        return {"tenant": name, "now": there.isoformat(timespec="seconds"), "ahead": tenant.clock_ahead}
