"""Reads profiles with their links: of a customer inward to its app profiles, of those outward to the customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heliograph.model.profiles.records import AppUser, Customer
from heliograph.model.workspace import Tenant
from heliograph.profiles.stores import app_of, customers_of
from heliograph.store import Store


@dataclass(frozen=True, slots=True)
class CustomerFound:
    """A customer, and the profiles that link to it where they were asked for."""

    customer: Customer
    users: Sequence[AppUser] = ()


@dataclass(frozen=True, slots=True)
class UserFound:
    """A profile of an app, and the customer it links to, if there is one."""

    user: AppUser
    customer: Customer | None = None


class Reader:
    """Reads profiles."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def customers(self, tenant: Tenant, names: Sequence[str], *, links: bool) -> list[CustomerFound | None]:
        """A customer for each name, in order, None where there is none. Raises `Rejected` (7013)."""
        customers_of(tenant)
        found = await self._store.customers_named(tenant.id, names)
        users: dict[str, list[AppUser]] = {}
        if links and found:
            wanted = {customer.customer for customer in found.values()}
            for user in await self._store.app_users_of_customers(tenant.id, "", wanted):
                users.setdefault(user.customer, []).append(user)
        whole = {name: CustomerFound(one, users.get(one.customer, ())) for name, one in found.items()}
        return [whole.get(name) for name in names]

    async def users(self, tenant: Tenant, app: str, names: Sequence[str], *, by: str) -> list[list[UserFound]]:
        """The profiles of an app for each name, in order: of a `customer` or a `user`. Raises `Rejected` (7018)."""
        app_of(tenant, app)
        if by == "customer":
            found = await self._store.app_users_of_customers(tenant.id, app, names)
        else:
            found = await self._store.app_users_named(tenant.id, app, names)
        linked = {user.customer for user in found if user.customer}
        customers = await self._store.customers_named(tenant.id, linked) if linked else {}
        wanted: dict[str, list[UserFound]] = {name: [] for name in names}
        for user in found:
            owner = customers.get(user.customer)
            exact = owner if owner is not None and owner.customer == user.customer else None
            wanted[user.customer if by == "customer" else user.user].append(UserFound(user, exact))
        return list(wanted.values())
