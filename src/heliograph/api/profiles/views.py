"""Answers of the Profile API in their published shapes: what became of records, and profiles as they are read."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from heliograph import catalogue
from heliograph.catalogue import keys
from heliograph.model.profiles import apps
from heliograph.model.profiles.apps import AppKind, Scalar, kind_of
from heliograph.model.profiles.records import AppUser, Customer, Done
from heliograph.model.workspace import Tenant
from heliograph.profiles.reading import CustomerFound, UserFound
from heliograph.profiles.secrets import shown

QUEUED = "QUEUED"
MASTER, IDENTITY, WHOLE = 0, 1, 2
"""Values of `showinwardlinks`: no links, what tells the linked profiles apart, all of them."""

_OK = catalogue.find(keys.SUCCESS, catalogue.PROFILE)
_PARTIAL = catalogue.find(keys.PARTIAL_SUCCESS, catalogue.PROFILE)


class Value(msgspec.Struct):
    """One attribute; `ID` tells attributes apart, whoever has them."""

    Name: str
    Value: Scalar
    ID: int


class Link(msgspec.Struct, omit_defaults=True):
    """Linked profiles of one store."""

    ProfileID: int
    ProfileName: str
    Records: Sequence[Sequence[Value]]
    AppId: str = ""


class Record(msgspec.Struct):
    """One profile with its links."""

    Attributes: Sequence[Value]
    InwardLinks: Sequence[Link]
    OutwardLinks: Sequence[Link]


def summary(outcome: Sequence[Done], transid: str, *, queued: bool = False) -> dict[str, Any]:
    """What became of each record of a write."""
    failed = 0 if queued else sum(1 for one in outcome if one.key != keys.SUCCESS)
    row = _PARTIAL if failed else _OK
    return {
        "TotalCount": len(outcome),
        "SuccessCount": len(outcome) - failed,
        "FailureCount": failed,
        "code": row.code,
        "description": QUEUED if queued else row.message,
        "transid": transid,
        "Results": [_result(one, queued) for one in outcome],
    }


def _result(one: Done, queued: bool) -> dict[str, str]:
    description = QUEUED if queued else catalogue.text(one.key, catalogue.PROFILE, one.values)
    found = {"customerId": one.customer}
    if one.user:
        found["userId"] = one.user
    return {**found, "code": catalogue.find(one.key, catalogue.PROFILE).code, "description": description}


def queued_before(transid: str) -> dict[str, Any]:
    """What the first version of the API answered to a write."""
    row = catalogue.find(keys.ACCEPTED)
    return {"response": {"code": row.code, "description": row.message, "transid": transid}}


def read_body(records: Sequence[Record], missing: int, not_found: str, transid: str) -> dict[str, Any]:
    """Profiles that were read. Some of those asked for are `missing`: the answer says so with 1002, or with
    `not_found` when there is none at all."""
    row = _OK if not missing else _PARTIAL if records else catalogue.find(not_found, catalogue.PROFILE)
    return {
        "Status": 0 if records else 1,
        "Description": row.message,
        "code": row.code,
        "transid": transid,
        "Records": records,
    }


def customer_record(found: CustomerFound, tenant: Tenant, links: int) -> Record:
    """A customer; `links` is how much of the profiles that link to it is shown."""
    return Record(_values(customer_members(found.customer)), list(_inward(found, tenant, links)), [])


def user_record(found: UserFound, kind: AppKind, tenant: Tenant) -> Record:
    """A profile of an app, with the customer it links to."""
    outward = []
    if found.customer is not None:
        outward = [Link(*_store(tenant.id), [_values(customer_members(found.customer))])]
    return Record(_values(user_members(found.user, kind)), [], outward)


def customer_members(customer: Customer) -> dict[str, Scalar]:
    """The attributes of a customer as they are shown."""
    return {
        "customerId": customer.customer,
        **customer.attributes,
        "createdOn": _moment(customer.created),
        "updatedOn": _moment(customer.updated),
    }


def user_members(user: AppUser, kind: AppKind, *, whole: bool = True) -> dict[str, Scalar]:
    """The attributes of a profile of an app as they are shown, or only what tells it apart."""
    if kind.identity:
        members: dict[str, Scalar] = {kind.identity: user.user}
    else:
        members = {apps.USER: user.user, apps.DEVICE: user.device, apps.RTM: user.handle}
    members = {"customerId": user.customer, "channel": kind.channel, **members}
    if not whole:
        return {**members, apps.STATUS: user.active}
    members.update(shown(user.attributes))
    return {
        **members,
        "reachable": int(not user.gone),
        "createdOn": _moment(user.created),
        "updatedOn": _moment(user.updated),
    }


def _inward(found: CustomerFound, tenant: Tenant, links: int) -> Iterator[Link]:
    kinds = {app.id: kind for app in tenant.apps if (kind := kind_of(app)) is not None}
    by_app: dict[str, list[AppUser]] = {}
    for user in found.users if links != MASTER else ():
        if user.app in kinds:  # an app that was taken out of the workspace has no store any more
            by_app.setdefault(user.app, []).append(user)
    for app, users in by_app.items():
        records = [_values(user_members(user, kinds[app], whole=links == WHOLE)) for user in users]
        yield Link(*_store(tenant.id, app), records, app)


def _store(tenant: str, app: str = "") -> tuple[int, str]:
    """The number and the name of a store, the same at any time."""
    return _number(f"{tenant}/{app}"), f"{tenant}_{app}" if app else f"{tenant}_cpms_1"


def _values(members: Mapping[str, Scalar]) -> list[Value]:
    return [Value(name, value, _number(name.lower())) for name, value in members.items()]


def _number(name: str) -> int:
    return zlib.crc32(name.encode()) & 0x7FFF_FFFF


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def records_of(found: Iterable[Sequence[UserFound]], kind: AppKind, tenant: Tenant) -> list[Record]:
    """All profiles that were found."""
    return [user_record(one, kind, tenant) for group in found for one in group]
