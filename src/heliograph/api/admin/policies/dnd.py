"""The do-not-disturb list of a tenant: looked through, added to, taken from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply, whole
from heliograph.contract.declared.policies import dnd_entry_faults
from heliograph.contract.shape import Fault, shape_faults
from heliograph.lookup import Lookup
from heliograph.model.people import DndRow
from heliograph.model.policies import DndEntry
from heliograph.model.policies.texts import moment_of
from heliograph.model.workspace import Tenant
from heliograph.policy.objects.people import dnd_address, dnd_index
from heliograph.store import Store
from heliograph.store.areas.wishes import Gone
from heliograph.workspaces import Workspaces

audit = logging.getLogger("heliograph.audit")

MOST_ENTRIES = 10_000
PAGE, MOST_SHOWN = 100, 1_000
SEPARATOR = "\n"  # between the parts of a cursor; no address, channel or category holds one


class DndViews:
    """`GET`, `POST` and `DELETE /tenants/{t}/dnd`."""

    def __init__(self, store: Store, workspaces: Workspaces, lookup: Lookup, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._workspaces = workspaces
        self._lookup = lookup
        self._clock_ms = clock_ms

    async def listing(self, request: Request) -> Response:
        """Whom a tenant leaves alone: those of the workspace first, then all others by address."""
        tenant, query = self._tenant(request), request.query_params
        declared = dnd_index(tenant.dnd)
        if address := query.get("address", ""):
            name = dnd_address(address)
            stored = await self._store.dnd_of(tenant.id, [name])
            return reply({"entries": [_view(row) for row in (*declared.get(name, ()), *stored)], "cursor": None})
        limit = whole(request, "limit", PAGE, MOST_SHOWN)
        after = query.get("cursor", "").split(SEPARATOR) if query.get("cursor") else []
        if len(after) not in (0, 3):
            raise AdminError(render.BAD_REQUEST, "invalid_value", "`cursor` is none that was given out", "cursor")
        place = (after[0], after[1], after[2]) if after else ("", "", "")
        rows = await self._store.dnd_page(tenant.id, place, limit)
        last = rows[-1] if len(rows) == limit else None
        shown = [row for of_address in declared.values() for row in of_address] if not after else []
        return reply(
            {
                "entries": [_view(row) for row in (*shown, *rows)],
                "cursor": SEPARATOR.join((last.address, last.channel, last.category)) if last else None,
            }
        )

    async def add(self, request: Request) -> Response:
        """Put an address, or up to 10,000 as `entries`, on the list; the good ones, whatever the others are."""
        tenant = self._tenant(request)
        document = await document_of(request)
        many = document.get("entries")
        given = many if isinstance(many, list) else [document]
        if len(given) > MOST_ENTRIES:
            message = f"at most {MOST_ENTRIES} entries go in one call; split them"
            raise AdminError(render.TOO_LARGE, "too_many", message, "entries")
        origin = str(request.query_params.get("origin") or "api")[:32]
        rows, refused = _read(given, origin, self._clock_ms())
        if refused and many is None:
            first = refused[0]
            raise AdminError(render.BAD_REQUEST, "invalid_value", first["message"], first["field"])
        added = await self._store.list_dnd(tenant.id, rows)
        if rows:
            self._lookup.listed(tenant.id)
            audit.info("%d entries were put on the do-not-disturb list of %s", len(rows), tenant.id)
        return reply({"added": added, "changed": len(rows) - added, "refused": refused})

    async def remove(self, request: Request) -> Response:
        """Take an address off the list: its entries, or those of a `channel` and a `category`, wherever declared."""
        tenant, query = self._tenant(request), request.query_params
        address = request.path_params.get("address") or query.get("address", "")
        if not address:
            raise AdminError(render.BAD_REQUEST, "invalid_value", "say which with `?address=`", "address")
        name, channel, category = dnd_address(address), query.get("channel"), query.get("category")
        removed = await self._store.unlist_dnd(Gone(tenant.id, name, channel, category))
        kept = tuple(entry for entry in tenant.dnd if not _is(entry, name, channel, category))
        if len(kept) < len(tenant.dnd):
            await self._workspaces.change_tenant(tenant.id, dnd=kept)
            removed += len(tenant.dnd) - len(kept)
        if not removed:
            message = f"{address} is not on the list of {tenant.id}"
            raise AdminError(render.NOT_FOUND, "not_found", message, "address")
        audit.info("%d entries were taken off the do-not-disturb list of %s", removed, tenant.id)
        return reply({"removed": removed})

    def _tenant(self, request: Request) -> Tenant:
        name = request.path_params["tenant"]
        found = self._workspaces.directory().tenants.get(name)
        if found is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {name}", "tenant")
        return found


def _is(entry: DndEntry, address: str, channel: str | None, category: str | None) -> bool:
    return (
        dnd_address(entry.address) == address
        and channel in (None, entry.channel)
        and category in (None, entry.category)
    )


def _read(given: Sequence[Any], origin: str, now_ms: int) -> tuple[list[DndRow], list[dict[str, Any]]]:
    """The rows of the entries that are right, and of the others what is wrong, by their place."""
    rows: list[DndRow] = []
    refused: list[dict[str, Any]] = []
    for index, item in enumerate(given):
        fault = next(_faults(item), None)
        if fault is not None:
            refused.append({"index": index, "field": fault[0], "message": f"{fault[0]} {fault[1]}"})
            continue
        entry = msgspec.convert(item, DndEntry)
        expires = moment_of(entry.expires) or 0
        address = dnd_address(entry.address)
        rows.append(DndRow(address, entry.channel, entry.category, entry.reason, origin, now_ms, expires))
    return rows, refused


def _faults(item: Any) -> Iterator[Fault]:
    try:
        entry = msgspec.convert(item, DndEntry)
    except msgspec.ValidationError:
        for path, sentence in shape_faults(item, DndEntry, "entry"):
            yield path.removeprefix("entry."), sentence
        return
    for path, sentence in dnd_entry_faults(entry, ""):
        yield path.lstrip("."), sentence


def _view(row: DndRow) -> Mapping[str, Any]:
    return {
        "address": row.address,
        "channel": row.channel or None,
        "category": row.category or None,
        "reason": row.reason,
        "origin": row.origin,
        "since": row.since or None,
        "expires": datetime.fromtimestamp(row.expires / 1_000, UTC).isoformat() if row.expires else None,
    }
