"""The endpoints of the Profile API: who calls, what is meant, the answer in its published shape."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from heliograph import catalogue
from heliograph.api import auth, render
from heliograph.api.body import Gone, TooLarge, read_body
from heliograph.api.profiles import views
from heliograph.catalogue import keys
from heliograph.contract.profiles.calls import asked_ids, check_size, links_wanted, open_write
from heliograph.model.ids import Ids, new_nonce, transid_of
from heliograph.model.outcome import Rejected
from heliograph.model.profiles.records import Act, Change
from heliograph.model.workspace import Tenant
from heliograph.policy.directory import Directory
from heliograph.policy.limits import Limiter
from heliograph.profiles.jobs import outcome_of
from heliograph.profiles.reading import Reader
from heliograph.profiles.stores import app_of, customers_of
from heliograph.profiles.writing import Writer, Written
from heliograph.store import Store, StoreUnavailable

log = logging.getLogger(__name__)

_VERSIONS = ("v2", "v1")
_ACTS: dict[str, Act] = {"POST": "create", "PUT": "update"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A body and its HTTP status."""

    body: Any
    status: int = render.OK


Serve = Callable[[Request, Tenant], Awaitable[Answer]]


class Profiles:
    """Customers and the profiles of apps."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        directory: Callable[[], Directory],
        limits: Limiter,
        ids: Ids,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._writer = writer
        self._reader = Reader(store)
        self._directory = directory
        self._limits = limits
        self._ids = ids
        self._clock_ms = clock_ms

    def routes(self) -> list[BaseRoute]:
        """Every path of the API in its versions; a trailing slash is served, never redirected."""
        app = "/customerappprofile/{appid}"
        write, read, delete = self.write_users, self.read_users, self.delete_users
        customers: dict[str, Serve] = {"GET": self.read_customers, "DELETE": self.delete_customers}
        table: dict[str, dict[str, Serve]] = {
            "/customerprofile": {"POST": self.write_customers, "PUT": self.write_customers, **customers},
            "/customerprofile/{customerid}": customers,
            app: {"POST": write, "PUT": write, "GET": read, "DELETE": delete},
            f"{app}/{{customerid}}": {"GET": read, "DELETE": delete},
            f"{app}/{{customerid}}/{{deviceid}}": {"DELETE": self.delete_device},
            "/customerprofiles/{appid}": {"PUT": write},
            "/profile/status/{transid}": {"GET": self.outcome},
        }
        return [
            Route(f"/resources/{version}{path}{slash}", self._guarded(served), methods=list(served))
            for version in _VERSIONS
            for path, served in table.items()
            for slash in ("", "/")
        ]

    async def write_customers(self, call: Request, tenant: Tenant) -> Answer:
        """Create (POST) or change (PUT) customers."""
        return await self._write(call, tenant)

    async def write_users(self, call: Request, tenant: Tenant) -> Answer:
        """Create (POST) or change (PUT) profiles of an app."""
        return await self._write(call, tenant, call.path_params["appid"])

    async def _write(self, call: Request, tenant: Tenant, app: str = "") -> Answer:
        opened = open_write(await read_body(call.receive))
        self._check_store(tenant, app)
        await self._take(tenant)
        written = await self._writer.write(tenant, _ACTS[call.method], opened, app)
        return self._written(call, written)

    def _check_store(self, tenant: Tenant, app: str) -> None:
        _ = app_of(tenant, app) if app else customers_of(tenant)

    async def _take(self, tenant: Tenant) -> None:
        await self._limits.provide_profile(tenant, self._clock_ms())
        self._limits.take_profile(tenant, self._clock_ms())

    def _written(self, call: Request, written: Written) -> Answer:
        if written.queued and call.url.path.startswith("/resources/v1/"):
            return Answer(views.queued_before(written.transid), render.ACCEPTED_LATER)
        body = views.summary(written.outcome, written.transid, queued=written.queued)
        return Answer(body, render.ACCEPTED_LATER if written.queued else render.OK)

    async def delete_customers(self, call: Request, tenant: Tenant) -> Answer:
        """Delete customers; profiles of apps that link to them stay, without a link."""
        names = _names(call.path_params, call.query_params)
        self._check_store(tenant, "")
        await self._take(tenant)
        return self._written(call, await self._writer.delete(tenant, [Change(customer=name) for name in names]))

    async def delete_users(self, call: Request, tenant: Tenant) -> Answer:
        """Delete profiles of an app: of customers, or of users."""
        app, users = call.path_params["appid"], asked_ids(call.query_params.multi_items(), "identifier")
        changes = [Change(user=name) for name in users]
        if not users:
            changes = [Change(customer=name) for name in _names(call.path_params, call.query_params)]
        self._check_store(tenant, app)
        await self._take(tenant)
        return self._written(call, await self._writer.delete(tenant, changes, app))

    async def delete_device(self, call: Request, tenant: Tenant) -> Answer:
        """Delete one device of a user, or of a customer."""
        app, name, device = (call.path_params[one] for one in ("appid", "customerid", "deviceid"))
        self._check_store(tenant, app)
        await self._take(tenant)
        return self._written(
            call, await self._writer.delete(tenant, [Change(customer=name, user=name, device=device)], app)
        )

    async def read_customers(self, call: Request, tenant: Tenant) -> Answer:
        """Customers by their ids, with the profiles of apps that link to them where they are wanted."""
        names, links = _names(call.path_params, call.query_params), links_wanted(call.query_params.multi_items())
        self._check_store(tenant, "")
        await self._take(tenant)
        found = await self._reader.customers(tenant, names, links=links != views.MASTER)
        records = [views.customer_record(one, tenant, links) for one in found if one is not None]
        missing = len(names) - len(records)
        return Answer(views.read_body(records, missing, keys.CUSTOMER_NOT_FOUND, self._transid()))

    async def read_users(self, call: Request, tenant: Tenant) -> Answer:
        """Profiles of an app: of customers, or of users."""
        names, by = asked_ids(call.query_params.multi_items(), "identifier"), "user"
        if not names:
            names, by = _names(call.path_params, call.query_params), "customer"
        app = call.path_params["appid"]
        kind = app_of(tenant, app).kind
        await self._take(tenant)
        found = await self._reader.users(tenant, app, names, by=by)
        missing = sum(1 for group in found if not group)
        records = views.records_of(found, kind, tenant)
        return Answer(views.read_body(records, missing, keys.APP_PROFILE_NOT_FOUND, self._transid()))

    async def outcome(self, call: Request, tenant: Tenant) -> Answer:
        """What became of a write."""
        await self._take(tenant)
        transid, outcome = await outcome_of(self._store, tenant, call.path_params["transid"])
        return Answer(views.summary(outcome, transid))

    def _transid(self) -> str:
        return transid_of(self._ids.next(), new_nonce())

    def _guarded(self, served: Mapping[str, Serve]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(call: Request) -> Response:
            tenant: Tenant | None = None
            try:
                tenant = self._caller(call)
                answer = await served["GET" if call.method == "HEAD" else call.method](call, tenant)
                body, status = render.ascii_json(answer.body), answer.status
            except Rejected as error:
                body, status = render.rejected(error, self._transid(), catalogue.PROFILE), render.OK
            except Gone:
                return Response(status_code=render.BAD_REQUEST)  # nobody hears it
            except TooLarge:
                error_body = render.admin_error("body_too_large", "a call may have 4 MiB at most; split it")
                body, status = render.ascii_json(error_body), render.TOO_LARGE
            except StoreUnavailable as error:
                log.error("a call of the Profile API could not be served: %s", error)
                failed = Rejected(keys.INTERNAL_ERROR_AT_ACCEPT)
                body, status = render.rejected(failed, self._transid(), catalogue.PROFILE), render.OK
            standing = self._limits.profiles(tenant, self._clock_ms()) if tenant else None
            headers = {name.decode(): value.decode() for name, value in render.rate_headers(standing)}
            return Response(body, status, headers, media_type="application/json")

        return guarded

    def _caller(self, call: Request) -> Tenant:
        """Whose profile key it is. Raises `Rejected` (7002, 7001, 7008, 7010)."""
        headers = call.scope["headers"]
        key = auth.header(headers, b"key") or auth.header(headers, b"secretkey") or ""
        tenant = auth.tenant_of(self._directory(), key)
        if tenant.status != "active":
            raise Rejected(keys.INACTIVE_PROFILE)
        auth.check_tenant_source(tenant, call.client.host if call.client else "")
        return tenant


def _names(path: Mapping[str, str], query: QueryParams) -> list[str]:
    """The customers that a call names in its path or its query; 7003 for none."""
    in_path = path.get("customerid", "").strip()
    names = [in_path] if in_path else asked_ids(query.multi_items(), "customerid")
    if not names:
        raise Rejected(keys.CUSTOMER_ID_MISSING)
    check_size(names)
    return names
