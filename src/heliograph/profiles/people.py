"""Whom addresses lead to, for policy: looked up for a whole chunk in a few reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from heliograph.model.addresses import normalise_msisdn
from heliograph.model.message import Address
from heliograph.model.people import Person, Where
from heliograph.model.profiles.apps import AppKind, kind_of
from heliograph.model.profiles.declared import EMAIL, MSISDN
from heliograph.model.profiles.people import customer_profile, user_profile
from heliograph.model.profiles.records import AppUser, Customer, key_value
from heliograph.policy.directory import Directory
from heliograph.store import Store

CUSTOMER, USER = "customerid", "userid"
_NUMBERS = frozenset({MSISDN, "waid"})
_TOKENS = frozenset({"android_pushid", "ios_pushid", "chrome_pushid", "firefox_pushid", "safari_pushid", "pushid"})

Found = dict[Where, tuple[Customer | None, list[AppUser]]]


class ProfilePeople:
    """Profiles as `People` of policy."""

    def __init__(self, store: Store, directory: Callable[[], Directory]) -> None:
        self._store = store
        self._directory = directory

    async def people(self, tenant: str, app: str, addresses: Collection[Address]) -> Mapping[Where, Person]:
        """See `People`."""
        wanted = {(address.kind, address.value) for address in addresses}
        kind = self._kind(tenant, app)
        found: Found = {}
        if kind is not None:
            for where, users in (await self._users(tenant, app, kind, wanted)).items():
                found[where] = (None, users)
        customers = self._keeps_customers(tenant)
        for where, customer in (await self._customers(tenant, wanted)).items() if customers else ():
            found[where] = (customer, [])
        await self._complete(tenant, app if kind is not None else "", found)
        if not customers:
            found = {where: (None, users) for where, (_, users) in found.items()}
        return {
            where: Person(
                customer=customer_profile(customer) if customer else None,
                app=user_profile(users, kind) if users and kind else None,
            )
            for where, (customer, users) in found.items()
        }

    def _keeps_customers(self, tenant: str) -> bool:
        declared = self._directory().tenants.get(tenant)
        return declared is not None and declared.profile_store is not None

    def _kind(self, tenant: str, app: str) -> AppKind | None:
        declared = self._directory().tenants.get(tenant)
        one = next((one for one in declared.apps if one.id == app), None) if declared and app else None
        return kind_of(one) if one is not None else None

    async def _customers(self, tenant: str, wanted: Iterable[Where]) -> dict[Where, Customer]:
        """Customers that are named by id or alias, or reached at a number or an address."""
        names: list[str] = []
        keyed: dict[str, dict[Where, str]] = {MSISDN: {}, EMAIL: {}}
        for where in wanted:
            kind, value = where
            if kind == CUSTOMER:
                names.append(value)
            elif kind in _NUMBERS and (digits := normalise_msisdn(value)) is not None:
                keyed[MSISDN][where] = digits
            elif kind == EMAIL:
                keyed[EMAIL][where] = key_value(EMAIL, value.strip())
        found: dict[Where, Customer] = {}
        if names:
            by_name = await self._store.customers_named(tenant, names)
            found |= {(CUSTOMER, name): customer for name, customer in by_name.items()}
        for kind, wheres in keyed.items():
            by_key = await self._store.customers_keyed(tenant, kind, set(wheres.values())) if wheres else {}
            found |= {where: by_key[key] for where, key in wheres.items() if key in by_key}
        return found

    async def _users(
        self, tenant: str, app: str, kind: AppKind, wanted: Iterable[Where]
    ) -> dict[Where, list[AppUser]]:
        """Users of an app that are named, or whose token is."""
        named: dict[str, list[Where]] = {}
        tokens: dict[str, list[Where]] = {}
        for where in wanted:
            if where[0] in (USER, kind.address):
                named.setdefault(where[1].strip(), []).append(where)
            elif where[0] in _TOKENS:
                tokens.setdefault(where[1].strip(), []).append(where)
        found: dict[Where, list[AppUser]] = {}
        for user in await self._store.app_users_named(tenant, app, list(named)) if named else ():
            for where in named[user.user]:
                found.setdefault(where, []).append(user)
        for user in await self._store.app_users_with_tokens(tenant, app, list(tokens)) if tokens else ():
            for where in tokens[user.token]:
                found.setdefault(where, []).append(user)
        return found

    async def _complete(self, tenant: str, app: str, found: Found) -> None:
        """The users of customers that were named, and the customers of users."""
        owners = {users[0].customer for customer, users in found.values() if users and users[0].customer}
        customers = await self._store.customers_named(tenant, list(owners)) if owners else {}
        named = {customer.customer for (kind, _), (customer, _) in found.items() if customer and kind == CUSTOMER}
        linked: dict[str, list[AppUser]] = {}
        for user in await self._store.app_users_of_customers(tenant, app, list(named)) if app and named else ():
            linked.setdefault(user.customer, []).append(user)
        for where, (customer, users) in found.items():
            if users and (owner := customers.get(users[0].customer)) and owner.customer == users[0].customer:
                found[where] = (owner, users)
            elif customer is not None:
                found[where] = (customer, linked.get(customer.customer, []))
