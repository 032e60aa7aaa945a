"""Writes of customer profiles: what is there is read once for all batches of a commit, what they make of it is worked
out in their order, and what differs in the end is written in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from heliograph.catalogue import keys
from heliograph.model.events import Occurrence
from heliograph.model.profiles.declared import ALIAS_KIND
from heliograph.model.profiles.records import Batch, Change, Customer, Done, Told, Write, changed_customer
from heliograph.store.areas.automation.happening import occur
from heliograph.store.steps import Answer, Plan, bulk

_encode = msgspec.json.Encoder().encode
_decode_customers = msgspec.json.Decoder(list[tuple[str, str, Customer]]).decode
_decode_owners = msgspec.json.Decoder(list[tuple[str, str, str]]).decode

Named = tuple[str, str]
"""A tenant, and a name of one of its customers."""


class Customers:
    """The customers that a group of batches speaks of, as they were and as they become."""

    def __init__(self, found: Iterable[tuple[str, str, Customer]], owners: Iterable[tuple[str, str, str]]) -> None:
        self._names: dict[Named, str] = {}
        self._before: dict[Named, Customer] = {}
        for tenant, asked, customer in found:  # those whose id it is come first
            self._names.setdefault((tenant, asked), customer.customer)
            self._before[tenant, customer.customer] = customer
        self._now: dict[Named, Customer | None] = dict(self._before)
        self.happened: list[Occurrence] = []
        self._owners = {(tenant, alias): customer for tenant, alias, customer in owners}

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Done]:
        """What becomes of each change."""
        for place, change in enumerate(batch.changes):
            key = change.refused or self._change(batch, change, now_ms, place)
            yield Done(change.customer, key, values=change.values)

    def _change(self, batch: Batch, change: Change, now_ms: int, place: int) -> str:
        tenant = batch.tenant
        name = self._name(tenant, change.customer)
        old = self._now.get((tenant, name))
        if old is None and batch.act in ("update", "delete"):
            return keys.CUSTOMER_NOT_FOUND
        if old is not None and batch.act == "create":
            return keys.CUSTOMER_ALREADY_EXISTS
        new = None if batch.act == "delete" else changed_customer(old, change, batch.keyed, now_ms)
        if new is not None and not self._may_have_aliases(tenant, new):
            return keys.INVALID_ATTRIBUTE_VALUE
        for kind, value in old.keys if old else ():
            if kind == ALIAS_KIND:
                self._owners.pop((tenant, value), None)
        for kind, value in new.keys if new else ():
            if kind == ALIAS_KIND:
                self._owners[tenant, value] = name
        self._now[tenant, name] = new
        if batch.told is not None and old != new:
            self.happened.append(_happened(batch.told, place, tenant, name, (old, new), now_ms))
        return keys.SUCCESS

    def _name(self, tenant: str, asked: str) -> str:
        """The id of the customer that is asked for by id or alias."""
        if self._now.get((tenant, asked)) is not None:
            return asked
        return self._owners.get((tenant, asked)) or self._names.get((tenant, asked), asked)

    def _may_have_aliases(self, tenant: str, customer: Customer) -> bool:
        owners = {self._owners.get((tenant, value)) for kind, value in customer.keys if kind == ALIAS_KIND}
        return owners <= {None, customer.customer}

    def write(self) -> Plan[None]:
        """Write what differs."""
        put: list[tuple[object, ...]] = []
        dropped: list[Named] = []
        new_keys: list[tuple[str, str, str, str]] = []
        old_keys: list[tuple[str, str, str, str]] = []
        for (tenant, name), customer in self._now.items():
            before = self._before.get((tenant, name))
            if customer is before:
                continue
            kept = set(before.keys) if before else set()
            wanted = set(customer.keys) if customer else set()
            old_keys += [(tenant, *key, name) for key in kept - wanted]
            new_keys += [(tenant, *key, name) for key in wanted - kept]
            if customer is not None:
                put.append((tenant, *_row(customer)))
            else:
                dropped.append((tenant, name))
        yield occur(self.happened)
        yield bulk("drop_customers", dropped)
        yield bulk("drop_customer_keys", old_keys)
        yield bulk("put_customers", put)
        yield bulk("put_customer_keys", new_keys)


def _happened(
    told: Told, place: int, tenant: str, name: str, both: tuple[Customer | None, Customer | None], now_ms: int
) -> Occurrence:
    """What rules are told of a customer that was created, changed or deleted."""
    old, new = both
    before, after = old.attributes if old else {}, new.attributes if new else {}
    changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    act = "updated" if old and new else "created" if new else "deleted"
    payload = {"act": act, "customerid": name, "attributes": after or before, "changed": changed}
    return Occurrence(told.ids[place], tenant, "", "profile", act, payload, now_ms, told.depth, told.origin or name)


def _row(customer: Customer) -> tuple[object, ...]:
    attributes, found = _encode(customer.attributes).decode(), _encode(customer.keys).decode()
    return customer.customer, attributes, found, customer.created, customer.updated


def write_customers(writes: Sequence[Write]) -> Plan[list[list[Done]]]:
    """The outcomes of each batch."""
    if not writes:
        return []
    asked = {(write.batch.tenant, change.customer) for write in writes for change in write.batch.changes}
    found = yield bulk("customers_to_change", sorted(asked), Answer.VALUE)
    aliases = sorted({alias for write in writes for alias in _aliases(write.batch)})
    owners = yield bulk("owners_of_aliases", aliases, Answer.VALUE)
    customers = Customers(_decode_customers(found), _decode_owners(owners) if owners else ())
    outcomes = [list(customers.apply(write.batch, write.now_ms)) for write in writes]
    yield from customers.write()
    return outcomes


def _aliases(batch: Batch) -> Iterator[Named]:
    """Every alias that a batch wants to give, and those its customers are asked for by."""
    names = {name for name, kind in batch.keyed if kind == ALIAS_KIND}
    for change in batch.changes if names else ():
        yield batch.tenant, change.customer
        for name, value in change.patch.items():
            if value is not None and name.lower() in names:
                yield batch.tenant, str(value)
