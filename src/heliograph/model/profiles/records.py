"""Profiles as they are kept, and the changes of one call to them. Pure: what a change makes of a profile is worked
out here, whichever database keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from heliograph.model.profiles import apps
from heliograph.model.profiles.apps import Scalar, system_of
from heliograph.model.profiles.declared import EMAIL, STATUS

Patch = Mapping[str, Scalar | None]
"""Changes of attributes by name; None takes one away."""

Act = Literal["create", "update", "put", "delete"]
"""What a call does to each of its records; `put` creates what is not there and updates what is."""


class Customer(msgspec.Struct, frozen=True, array_like=True):
    """A customer profile. `keys` are `[kind, value]` under which it is found besides its id: `msisdn`, `email`,
    `alias`. Times are Unix milliseconds."""

    customer: str
    attributes: dict[str, Scalar]
    keys: list[tuple[str, str]]
    created: int
    updated: int

    @property
    def active(self) -> bool:
        """Whether messages may go to it; without a status they may."""
        return not any(value == 0 for name, value in self.attributes.items() if name.lower() == STATUS)


class AppUser(msgspec.Struct, frozen=True, array_like=True):
    """A profile of one app: of a person on a social channel (`device` is ""), or of one installation of the app on a
    device of its `user`. `handle` is its real-time id; `token` is where pushes go, since `since`; `gone` is since
    when the far end says that nobody is reached there, 0 for reachable. `active` and `verified` are 0 or 1."""

    app: str
    user: str
    device: str
    customer: str
    handle: str
    token: str
    system: str
    active: int
    verified: int
    gone: int
    since: int
    attributes: dict[str, Scalar]
    created: int
    updated: int


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One record of a call. `refused` is the key it was refused with already, "" for none, and `values` fill it in;
    `user`, `device` and `handle` tell a profile of an app, of which those that the call does not say are ""."""

    customer: str = ""
    patch: dict[str, Scalar | None] = {}
    user: str = ""
    device: str = ""
    handle: str = ""
    refused: str = ""
    values: tuple[str, ...] = ()


Keyed = Sequence[tuple[str, str]]
"""Which attributes (in small letters) of a customer are kept as keys, and of which kind."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """How rules are told of changes: an id for each, how many rules led to them, and what caused them."""

    ids: list[int]
    depth: int = 0
    origin: str = ""


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """The changes of one call: of the customers of a tenant, or of the profiles of one of its apps; and how rules are
    told of those that took effect."""

    tenant: str
    act: Act
    changes: list[Change]
    app: str = ""
    keyed: list[tuple[str, str]] = []
    told: Told | None = None


class News(msgspec.Struct, frozen=True, array_like=True):
    """What a far end says of an address of an app's users: that nobody is reached there any more (or again), since
    `at`, and what took its place."""

    tenant: str
    app: str
    address: str
    reachable: bool
    at: int
    replaced_by: str = ""


WAITING, ENDED, LATE = 0, 1, 2
"""Where a job stands: it waits for a worker, it was done, its deadline passed first."""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """A write, to be asked for later by its transid. `work` is the batch that waits (JSON), `outcome` what became of
    its records (JSON, a list of `Done`). Times are Unix milliseconds; a `deadline` of 0 is none."""

    id: int
    nonce: int
    tenant: str
    at: int
    deadline: int
    state: int
    work: str = ""
    outcome: str = ""


class Write(msgspec.Struct, frozen=True):
    """A batch to be written now, with the job that keeps what becomes of it: a new one, one that `waited`, or
    none."""

    batch: Batch
    job: Job | None
    now_ms: int
    waited: bool = False


class Done(msgspec.Struct, frozen=True, array_like=True):
    """What became of one record: the catalogue key with what fills it in. `user` is told where a device or a user was
    asked for."""

    customer: str
    key: str
    user: str = ""
    values: tuple[str, ...] = ()


def merged(attributes: Mapping[str, Scalar], patch: Patch) -> dict[str, Scalar]:
    """The attributes with the changes; a name in other capitals is the same attribute."""
    changed = {name.lower() for name in patch}
    kept = {name: value for name, value in attributes.items() if name.lower() not in changed}
    found: dict[str, Scalar | None] = {**kept, **patch}
    return {name: value for name, value in found.items() if value is not None}


def keys_of(attributes: Mapping[str, Scalar], keyed: Keyed) -> list[tuple[str, str]]:
    """Under what a customer with these attributes is found, each once."""
    folded = {name.lower(): str(value) for name, value in attributes.items()}
    found = {(kind, key_value(kind, folded[name])) for name, kind in keyed if name in folded}
    return sorted(found)


def key_value(kind: str, value: str) -> str:
    """A key as it is compared: an e-mail address in small letters."""
    return value.lower() if kind == EMAIL else value


def changed_customer(old: Customer | None, change: Change, keyed: Keyed, now_ms: int) -> Customer:
    """A customer after a change; one that is new where there was none."""
    attributes = merged(old.attributes if old else {}, change.patch)
    name = old.customer if old else change.customer
    return Customer(name, attributes, keys_of(attributes, keyed), old.created if old else now_ms, now_ms)


def changed_user(app: str, old: AppUser | None, change: Change, now_ms: int) -> AppUser:
    """A profile of an app after a change; one that is new where there was none. Whoever says where pushes go now
    says that somebody is reached there."""
    attributes = merged(old.attributes if old else {}, change.patch)
    told = apps.TOKEN in change.patch or old is None
    return AppUser(
        app=app,
        user=change.user or (old.user if old else change.customer),
        device=change.device or (old.device if old else ""),
        customer=change.customer,
        handle=change.handle or (old.handle if old else ""),
        token=str(attributes.get(apps.TOKEN, "")),
        system=system_of(attributes),
        active=int(attributes.get(apps.STATUS) == 1),
        verified=int(bool(attributes.get(apps.VERIFIED))),
        gone=0 if told or old is None else old.gone,
        since=now_ms if told or old is None else old.since,
        attributes=attributes,
        created=old.created if old else now_ms,
        updated=now_ms,
    )
