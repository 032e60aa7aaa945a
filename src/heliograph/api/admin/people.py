"""Profiles in bulk, and people who want to be forgotten; both stand in the audit."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from heliograph import catalogue
from heliograph.api import render
from heliograph.api.admin.common import AdminError, document_of, reply, whole
from heliograph.model.ids import Ids
from heliograph.model.outcome import Rejected
from heliograph.model.people.audit import Deed
from heliograph.model.profiles.records import Act
from heliograph.model.workspace import Tenant
from heliograph.policy.directory import Directory
from heliograph.profiles.erasing import Eraser
from heliograph.profiles.exchange import Exchange
from heliograph.store import Store

PAGE = 500
ACTOR = "admin"
_ACTS: dict[str, Act] = {"put": "put", "create": "create", "update": "update"}


@dataclass(frozen=True, slots=True)
class Means:
    """What the views work with."""

    store: Store
    directory: Callable[[], Directory]
    exchange: Exchange
    eraser: Eraser
    ids: Ids
    clock_ms: Callable[[], int]


class PeopleViews:
    """`/tenants/{t}/profiles`, `/tenants/{t}/erasures` and `/audit`."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def listing(self, request: Request) -> Response:
        """Customers of a tenant or, with `app`, the profiles of an app, in the order of their ids, with a cursor."""
        tenant, app = self._tenant(request), request.query_params.get("app", "")
        cursor = request.query_params.get("cursor", "")
        after = _place(cursor) if cursor else ("", "")
        limit = whole(request, "limit", 100, PAGE) or 1
        try:
            page = await self._means.exchange.page(tenant, app, after, limit)
        except Rejected as error:
            raise _refused(error) from error
        if not cursor:
            await self._audit(tenant, "profiles read in bulk", app or "customers")
        return reply({"profiles": page.records, "cursor": _cursor(page.after) if page.after else ""})

    async def take(self, request: Request) -> Response:
        """Write up to 100 profiles, which are `Records` as in the Profile API: `act` is `put` (create what is not
        there, change what is; the default), `create` or `update`."""
        tenant, app = self._tenant(request), request.query_params.get("app", "")
        act = _ACTS.get(request.query_params.get("act", "put"))
        if act is None:
            raise AdminError(render.BAD_REQUEST, "invalid_value", "`act` is put, create or update", "act")
        records = (await document_of(request)).get("Records")
        if not isinstance(records, list) or not records:
            raise AdminError(render.BAD_REQUEST, "invalid_value", "`Records` must be a list of profiles", "Records")
        try:
            written = await self._means.exchange.take(tenant, app, act, records)
        except Rejected as error:
            raise _refused(error) from error
        results = [
            {
                "customerId": one.customer,
                "code": catalogue.find(one.key, catalogue.PROFILE).code,
                "description": catalogue.text(one.key, catalogue.PROFILE, one.values),
            }
            for one in written.outcome
        ]
        return reply({"transid": written.transid, "results": results})

    async def erase(self, request: Request) -> Response:
        """Forget a person: `customerId`, `addresses` (a list), or both. Profiles, addresses, texts, stories and
        inbound messages go; that there were messages, and what became of them, stays. Entries of the do-not-disturb
        list stay too, for they keep the person from being written to."""
        tenant, document = self._tenant(request), await document_of(request)
        customer, addresses = document.get("customerId", ""), document.get("addresses", [])
        if not isinstance(customer, str) or not isinstance(addresses, list) or not all(map(_is_text, addresses)):
            raise AdminError(
                render.BAD_REQUEST, "invalid_value", "`customerId` is text, `addresses` a list of texts", "customerId"
            )
        if not customer.strip() and not any(address.strip() for address in addresses):
            raise AdminError(
                render.BAD_REQUEST,
                "invalid_value",
                "say who is to be forgotten: `customerId`, `addresses`",
                "customerId",
            )
        erased = await self._means.eraser.erase(tenant, customer.strip(), addresses, ACTOR)
        return reply(asdict(erased))

    async def audit(self, request: Request) -> Response:
        """Who did what, newest first, with a cursor; `tenant` and `action` narrow it."""
        query, limit = request.query_params, whole(request, "limit", 100, PAGE) or 1
        before = whole(request, "cursor", (1 << 63) - 1, (1 << 63) - 1)
        deeds = await self._means.store.audited(before, query.get("tenant", ""), query.get("action", ""), limit)
        cursor = str(deeds[-1].id) if len(deeds) == limit else ""
        return reply({"deeds": [_shown(deed) for deed in deeds], "cursor": cursor})

    def _tenant(self, request: Request) -> Tenant:
        name = request.path_params["tenant"]
        tenant = self._means.directory().tenants.get(name)
        if tenant is None:
            raise AdminError(render.NOT_FOUND, "not_found", f"there is no tenant {name}", "tenant")
        return tenant

    async def _audit(self, tenant: Tenant, action: str, thing: str) -> None:
        means = self._means
        await means.store.audit(Deed(means.ids.next(), means.clock_ms(), tenant.id, ACTOR, action, thing))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _shown(deed: Deed) -> dict[str, Any]:
    return {name: getattr(deed, name) for name in Deed.__struct_fields__}


def _refused(error: Rejected) -> AdminError:
    row = catalogue.find(error.key, catalogue.PROFILE)
    return AdminError(render.BAD_REQUEST, error.key, f"{row.code} {row.message}; {row.fix}", "")


def _cursor(after: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(after)).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, str]:
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=tuple[str, str])
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise AdminError(render.BAD_REQUEST, "invalid_cursor", "take the cursor of an answer", "cursor") from error
