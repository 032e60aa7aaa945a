"""Each collection of a tenant on its own: read and changed item by item, written through the workspace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply
from heliograph.contract.workspace import Faults
from heliograph.workspaces import Applied, Workspaces

audit = logging.getLogger("heliograph.audit")

NAMED_BY = {
    "services": "id", "apps": "id", "senders": "id", "connectors": "name", "templates": "id", "events": "id",
    "hooks": "id",
    "rules": "name", "spam-words": "word",
}  # fmt: skip
"""The collections, and what names an item of each."""

Items = list[Any]


class CollectionViews:
    """`/tenants/{t}/{collection}` and `/tenants/{t}/{collection}/{id}`."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def listing(self, request: Request) -> Response:
        """The items of a collection: `services`, `apps`, `senders`, `connectors`, `templates`, `events`, `hooks`,
        `rules` or `spam-words`; secrets are hidden."""
        return reply({"items": self._items(request)})

    async def read(self, request: Request) -> Response:
        """One item of a collection."""
        items, name = self._items(request), _name(request)
        return reply(items[_place(request, items, name)])

    async def add(self, request: Request) -> Response:
        """Add an item to a collection."""
        item = _given(request, await document_of(request))
        name = _name_of(request, item)
        if not name:
            member = NAMED_BY[_collection(request)]
            raise AdminError(render.BAD_REQUEST, "invalid_value", f"`{member}` must be given, as text", member)

        def change(items: Items) -> None:
            if _places(request, items, name, item):
                message = f"there is a {name} already; change it with PUT"
                raise AdminError(render.CONFLICT, "exists", message, NAMED_BY[_collection(request)])
            items.append(item)

        return await self._change(request, change, f"{name} was added")

    async def put(self, request: Request) -> Response:
        """Put an item in the place of the one of that name, or add it. `***` keeps a secret as it is."""
        item, name = _given(request, await document_of(request)), _name(request)
        if isinstance(item, dict):
            item.setdefault(NAMED_BY[_collection(request)], name)
        if _name_of(request, item) != name:
            raise AdminError(render.BAD_REQUEST, "invalid_value", f"the item must be named {name}, as the path is")

        def change(items: Items) -> None:
            found = _places(request, items, name, item)
            if found:
                items[found[0]] = item
            else:
                items.append(item)

        return await self._change(request, change, f"{name} was put")

    async def remove(self, request: Request) -> Response:
        """Take an item out of a collection."""
        name = _name(request)
        return await self._change(
            request, lambda items: items.pop(_place(request, items, name)), f"{name} was removed"
        )

    def _items(self, request: Request) -> Items:
        collection = _collection(request)
        tenant = _tenant(request, self._workspaces.export())
        return list(tenant.get(_member(collection), ()))

    async def _change(self, request: Request, change: Callable[[Items], Any], said: str) -> Response:
        collection = _collection(request)

        def edit(document: dict[str, Any]) -> None:
            tenant = _tenant(request, document)
            items = list(tenant.get(_member(collection), ()))
            change(items)
            tenant[_member(collection)] = items

        try:
            applied: Applied = await self._workspaces.edit(edit)
        except Faults as faults:
            body = render.admin_error("invalid_item", str(faults), faults.faults[0][0])
            return reply(body, render.BAD_REQUEST)
        audit.info("%s of %s: %s", collection, request.path_params["tenant"], said)
        return reply({"changes": applied.changes, "version": applied.version, "made_keys": applied.made_keys})


def _collection(request: Request) -> str:
    name: str = request.path_params["collection"]
    if name not in NAMED_BY:
        message = f"there is no collection {name}; there are {', '.join(NAMED_BY)}"
        raise AdminError(render.NOT_FOUND, "not_found", message, "collection")
    return name


def _member(collection: str) -> str:
    return collection.replace("-", "_")


def _tenant(request: Request, document: dict[str, Any]) -> dict[str, Any]:
    name = request.path_params["tenant"]
    for tenant in document.get("tenants", ()):
        if tenant["id"] == name:
            found: dict[str, Any] = tenant
            return found
    raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {name}", "tenant")


def _name(request: Request) -> str:
    return str(request.path_params["id"])


def _given(request: Request, document: dict[str, Any]) -> Any:
    """The item of a body; a word without more to say is text."""
    if _collection(request) == "spam-words" and list(document) == ["word"]:
        return document["word"]
    return document


def _name_of(request: Request, item: Any) -> str:
    if isinstance(item, str):
        return item
    name = item.get(NAMED_BY[_collection(request)]) or item.get("regex")
    return name if isinstance(name, str) else ""


def _places(request: Request, items: Items, name: str, like: Any = None) -> list[int]:
    """Where items of a name are. Senders of one name on several channels are told apart by `channel`."""
    channel = request.query_params.get("channel") or (like.get("channel") if isinstance(like, dict) else None)
    apart = channel is not None and _collection(request) == "senders"
    return [
        place
        for place, item in enumerate(items)
        if _name_of(request, item) == name and not (apart and item.get("channel") != channel)
    ]


def _place(request: Request, items: Items, name: str) -> int:
    found = _places(request, items, name)
    if not found:
        message = f"there is no {name} among the {_collection(request)}"
        raise AdminError(render.NOT_FOUND, "not_found", message, "id")
    if len(found) > 1:
        message = f"there are several {name}; say with `?channel=` which"
        raise AdminError(render.BAD_REQUEST, "ambiguous", message, "channel")
    return found[0]
