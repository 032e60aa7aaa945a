"""What happened and what became of it: listed, shown, run again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, numbers, page_size, reply, whole
from heliograph.events.rerunning import CannotRun, Rerunner
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.ids import parse_transid
from heliograph.model.people.audit import Deed
from heliograph.policy.directory import Directory
from heliograph.store import Store

STATES = {state.name.lower(): state for state in OccurrenceState}
ACTOR = "admin"
GREATEST = (1 << 63) - 1


class EventViews:
    """`/events`, `/events/{id}`, `/events/{id}/rerun` and `/events/rerun`."""

    def __init__(
        self,
        store: Store,
        rerunner: Rerunner,
        directory: Callable[[], Directory],
        deeds: Callable[[], tuple[int, int]],
    ) -> None:
        """`deeds` gives the id and the moment (Unix milliseconds) of the next deed."""
        self._store = store
        self._deeds = deeds
        self._rerunner = rerunner
        self._directory = directory

    async def listing(self, request: Request) -> Response:
        """What happened, newest first, with a cursor: events, calls of hooks, and whatever else rules follow from."""
        query, limit = request.query_params, page_size(request)
        word = query.get("state", "")
        if word and word not in STATES:
            message = f"`state` must be one of {', '.join(STATES)}"
            raise AdminError(render.BAD_REQUEST, "invalid_value", message, "state")
        before = whole(request, "cursor", GREATEST, GREATEST)
        tenant, name = query.get("tenant", ""), query.get("name", "")
        state = STATES.get(word)
        if state is OccurrenceState.UNRESOLVED and tenant and not name:
            found = await self._store.unresolved(tenant, before, limit)
        else:
            found = await self._store.occurrences_before(before, limit, tenant, state, name)
        cursor = str(found[-1].id) if len(found) == limit else ""
        return reply({"events": [shown(one) for one in found], "cursor": cursor})

    async def read(self, request: Request) -> Response:
        """One thing that happened, by its id or the transid that its caller got."""
        return reply(shown(await self._found(request.path_params["id"])))

    async def rerun(self, request: Request) -> Response:
        """Run one again that has ended, by its id or transid: with the rules of now."""
        occurrence = await self._found(request.path_params["id"])
        try:
            again = await self._rerunner.rerun(occurrence, self._directory())
        except CannotRun as error:
            raise AdminError(render.CONFLICT, "cannot_run", str(error), "id") from error
        await self._audit(again.tenant, str(again.id), 1)
        return reply(shown(again))

    async def rerun_many(self, request: Request) -> Response:
        """Run every unresolved one of a tenant again that a rule is for by now: `{"tenant": ID, "name": EVENT}`."""
        document = await document_of(request)
        tenant, name = document.get("tenant"), document.get("name", "")
        if not isinstance(tenant, str) or not isinstance(name, str):
            raise AdminError(render.BAD_REQUEST, "invalid_value", "`tenant` and `name` are texts", "tenant")
        if tenant not in self._directory().tenants:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {tenant}", "tenant")
        count = await self._rerunner.rerun_unresolved(tenant, name, self._directory())
        await self._audit(tenant, name or "unresolved", count)
        return reply({"rerun": count})

    async def _audit(self, tenant: str, thing: str, count: int) -> None:
        number, now_ms = self._deeds()
        await self._store.audit(Deed(number, now_ms, tenant, ACTOR, "events run again", thing, {"count": count}))

    async def _found(self, text: str) -> Occurrence:
        if number := numbers(text, 1):
            found = await self._store.occurrences([number[0]])
        elif parsed := parse_transid(text):
            found = await self._store.occurrences_of_call(parsed[0], text.lower())
        else:
            raise AdminError(render.BAD_REQUEST, "invalid_id", f"{text!r} is no event's id", "id")
        if not found:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no event {text}", "id")
        return found[0]


def shown(one: Occurrence) -> dict[str, Any]:
    """An occurrence as people see it."""
    return {
        "id": str(one.id),
        "tenant": one.tenant,
        "service": one.service,
        "trigger": one.trigger,
        "name": one.name,
        "state": one.state.name.lower(),
        "note": one.note,
        "at": one.at,
        "depth": one.depth,
        "origin": one.origin,
        "correlationid": one.correlation,
        "payload": one.payload,
    }
