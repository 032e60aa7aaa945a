"""What other policies would have made of the messages that were accepted."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply, whole
from heliograph.contract.workspace import Faults
from heliograph.policy.directory import Directory
from heliograph.store.filters import MessageFilter
from heliograph.whatif import WhatIf

LIMIT, MOST = 10_000, 100_000
WEEK_MS = 7 * 86_400_000
LAST = 1 << 62


class WhatIfViews:
    """`POST /tenants/{t}/whatif`."""

    def __init__(self, whatif: WhatIf, directory: Callable[[], Directory], clock_ms: Callable[[], int]) -> None:
        self._whatif = whatif
        self._directory = directory
        self._clock_ms = clock_ms

    async def replay(self, request: Request) -> Response:
        """Replay the messages of a tenant against the policies in the body, and say what would differ."""
        name, query = request.path_params["tenant"], request.query_params
        tenant = self._directory().tenants.get(name)
        if tenant is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {name}", "tenant")
        chosen = MessageFilter(
            tenant=name,
            channel=query.get("channel", ""),
            service=query.get("service", ""),
            first_ms=whole(request, "from", self._clock_ms() - WEEK_MS, LAST),
            last_ms=whole(request, "to", 0, LAST),
            limit=max(1, whole(request, "limit", LIMIT, MOST)),
        )
        try:
            return reply(await self._whatif.replay(tenant, await document_of(request), chosen))
        except Faults as faults:
            path, sentence = faults.faults[0]
            raise AdminError(render.BAD_REQUEST, "invalid_policy", f"{path}: {sentence}", path) from faults
