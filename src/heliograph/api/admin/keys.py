"""Service keys: made, rotated, revoked. A key is shown once; afterwards it is known by the start of its hash."""

from __future__ import annotations

import logging
import re
import uuid

from starlette.requests import Request
from starlette.responses import Response

from heliograph.api import render
from heliograph.api.admin.common import AdminError, reply
from heliograph.api.key_use import KeyUse
from heliograph.model.workspace import Service, Tenant
from heliograph.store.vault import HASH_PREFIX, hash_key
from heliograph.workspaces import Workspaces

audit = logging.getLogger("heliograph.audit")

MOST_LIVE = 2
SHOWN = 12  # hexadecimal digits of a hash by which a key is named
_PREFIX = re.compile(r"[0-9a-f]{8,64}")


class KeyViews:
    """`GET` and `POST /services/{s}/keys`, `DELETE /services/{s}/keys/{prefix}`."""

    def __init__(self, workspaces: Workspaces, use: KeyUse) -> None:
        self._workspaces = workspaces
        self._use = use

    async def listing(self, request: Request) -> Response:
        """A service's keys, oldest first, with when they were made and last used (null: unknown, never)."""
        _, service = self._service(request)
        times = await self._use.times(service.keys or ())
        return reply({"keys": [_view(key, *times[key]) for key in service.keys or ()]})

    async def make(self, request: Request) -> Response:
        """Make a key, which is shown only here; a service has two at most, and the older one goes by rotating."""
        tenant, service = self._service(request)
        rotate = request.query_params.get("rotate") == "true"
        key = str(uuid.uuid4())
        revoked: list[str] = []

        def change(present: tuple[str, ...]) -> tuple[str, ...]:
            if len(present) >= MOST_LIVE and not rotate:
                raise AdminError(
                    render.CONFLICT,
                    "too_many_keys",
                    f"{service.id} has {len(present)} keys; revoke one, or let `?rotate=true` end the older ones",
                    "service",
                )
            kept = present[-(MOST_LIVE - 1) :]
            revoked.extend(_name(old) for old in present if old not in kept)
            return (*kept, hash_key(key))

        await self._workspaces.set_keys(tenant.id, service.id, change)
        name = _name(hash_key(key))
        audit.info("key %s of service %s/%s was made", name, tenant.id, service.id)
        for old in revoked:
            audit.info("key %s of service %s/%s was revoked by rotating", old, tenant.id, service.id)
        return reply({"id": name, "key": key, "revoked": revoked})

    async def revoke(self, request: Request) -> Response:
        """End a key at once; it is named by its id, or by 8 or more hexadecimal digits of its hash."""
        tenant, service = self._service(request)
        given = request.path_params["key"].lower().removeprefix(HASH_PREFIX)
        if not _PREFIX.fullmatch(given):
            raise AdminError(render.BAD_REQUEST, "invalid_id", "name a key by the start of its hash", "key")
        revoked: list[str] = []

        def change(present: tuple[str, ...]) -> tuple[str, ...]:
            meant = [key for key in present if key.removeprefix(HASH_PREFIX).startswith(given)]
            if len(meant) != 1:
                text = f"{given} names {len(meant)} keys of {service.id}"
                raise AdminError(render.NOT_FOUND, "not_found", text, "key")
            revoked.extend(map(_name, meant))
            return tuple(key for key in present if key not in meant)

        await self._workspaces.set_keys(tenant.id, service.id, change)
        audit.info("key %s of service %s/%s was revoked", revoked[0], tenant.id, service.id)
        return reply({"revoked": revoked})

    def _service(self, request: Request) -> tuple[Tenant, Service]:
        name, tenant = request.path_params["service"], request.query_params.get("tenant", "")
        found = [
            one
            for one in self._workspaces.directory().services()
            if one[1].id == name and (not tenant or one[0].id == tenant)
        ]
        if not found:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no service {name}", "service")
        if len(found) > 1:
            owners = ", ".join(one[0].id for one in found)
            message = f"the tenants {owners} have a service {name}; say which with `?tenant=`"
            raise AdminError(render.BAD_REQUEST, "ambiguous", message, "tenant")
        return found[0]


def _name(key_hash: str) -> str:
    return key_hash.removeprefix(HASH_PREFIX)[:SHOWN]


def _view(key_hash: str, made: int, used: int) -> dict[str, object]:
    return {"id": _name(key_hash), "created_at": made or None, "last_used_at": used or None}
