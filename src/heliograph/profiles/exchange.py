"""Profiles in bulk, as the records of a write: what goes out can come in again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from heliograph.contract.profiles.calls import Opened, check_size
from heliograph.model.profiles import apps
from heliograph.model.profiles.apps import AppKind
from heliograph.model.profiles.records import Act, AppUser, Customer
from heliograph.model.workspace import Tenant
from heliograph.profiles.secrets import shown
from heliograph.profiles.stores import app_of, customers_of
from heliograph.profiles.writing import Writer, Written
from heliograph.store import Store

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where the next page begins: after this place, None where there is none."""

    records: list[Record]
    after: tuple[str, str] | None


class Exchange:
    """Takes profiles out and in."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer

    async def page(self, tenant: Tenant, app: str, after: tuple[str, str], limit: int) -> Page:
        """Customers or, with an `app`, its profiles, in the order of their ids. Raises `Rejected` (7013, 7018)."""
        if app:
            kind = app_of(tenant, app).kind
            users = await self._store.app_users_after(tenant.id, app, after, limit)
            places = [(user.user, user.device) for user in users]
            return Page([_user(user, kind) for user in users], places[-1] if len(users) == limit else None)
        customers_of(tenant)
        customers = await self._store.customers_after(tenant.id, after[0], limit)
        last = (customers[-1].customer, "") if len(customers) == limit else None
        return Page([_customer(customer) for customer in customers], last)

    async def take(self, tenant: Tenant, app: str, act: Act, records: list[Any]) -> Written:
        """Write records at once, whatever the tenant says of waiting. Raises `Rejected` (7012, 7013, 7018)."""
        check_size(records)
        return await self._writer.write(replace(tenant, profile_async=False), act, Opened(records), app)


def _customer(customer: Customer) -> Record:
    return {"customerId": customer.customer, "Attributes": customer.attributes}


def _user(user: AppUser, kind: AppKind) -> Record:
    if kind.identity:
        identity = {kind.identity: user.user}
    else:
        identity = {apps.USER: user.user, apps.DEVICE: user.device, apps.RTM: user.handle}
    return {"customerId": user.customer or user.user, "Attributes": {**identity, **shown(user.attributes)}}
