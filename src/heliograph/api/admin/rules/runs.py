"""Rules at work: which ran, on what, how far they have come, and what each step came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, numbers, page_size, reply, whole
from heliograph.model.automation import Run, RunState
from heliograph.policy.directory import Directory
from heliograph.store import Store

STATES = {state.name.lower(): state for state in RunState}
GREATEST = (1 << 63) - 1


class RunViews:
    """`/tenants/{t}/runs` and `/runs/{id}`."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory

    async def listing(self, request: Request) -> Response:
        """The runs of a tenant's rules, newest first, with a cursor; those of one event, oldest first."""
        tenant, query = request.path_params["tenant"], request.query_params
        if tenant not in self._directory().tenants:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {tenant}", "tenant")
        word = query.get("state", "")
        if word and word not in STATES:
            message = f"`state` must be one of {', '.join(STATES)}"
            raise AdminError(render.BAD_REQUEST, "invalid_value", message, "state")
        if event := whole(request, "event", 0, GREATEST):
            found = [run for run in await self._store.runs_of([event]) if run.tenant == tenant]
            return reply({"runs": [shown(run) for run in found], "cursor": ""})
        before, limit = whole(request, "cursor", GREATEST, GREATEST), page_size(request)
        found = await self._store.runs_before(tenant, before, limit, query.get("rule", ""), STATES.get(word))
        cursor = str(found[-1].id) if len(found) == limit else ""
        return reply({"runs": [shown(run) for run in found], "cursor": cursor})

    async def read(self, request: Request) -> Response:
        """One run by its id."""
        text = request.path_params["id"]
        number = numbers(text, 1)
        if number is None:
            raise AdminError(render.BAD_REQUEST, "invalid_id", f"{text!r} is no run's id", "id")
        run = await self._store.run(number[0])
        if run is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no run {text}", "id")
        return reply(shown(run))


def shown(run: Run) -> dict[str, Any]:
    """A run as people see it."""
    return {
        "id": str(run.id),
        "event": str(run.occurrence),
        "tenant": run.tenant,
        "service": run.service,
        "rule": run.rule,
        "wording": run.digest,
        "state": run.state.name.lower(),
        "at": run.at,
        "updated_at": run.updated,
        "next_at": (run.until or run.due) if run.state <= RunState.AWAITING else None,
        "steps": [
            {"at": one.at, "action": one.place, "what": one.what, "ok": one.ok, "detail": one.detail}
            for one in run.log
        ],
    }
