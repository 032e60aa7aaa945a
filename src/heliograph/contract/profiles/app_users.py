"""Reads the records of app profiles, each in the published order of checks; the first failure of a record is its own.

customerId (7003) -> Attributes is an object (7011) -> what the kind of app needs (7003, in table order) -> status
(7003) -> values (7011). Whether the profile is there is seen where it is written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heliograph.catalogue import keys
from heliograph.contract.expiry import expiry_ms
from heliograph.contract.profiles.calls import ID_CHARACTERS
from heliograph.contract.profiles.customers import CUSTOMER_ID, is_empty, opened_record, refused
from heliograph.contract.profiles.types import GREATEST, BadValue, flag_of, text_of
from heliograph.model.outcome import Rejected
from heliograph.model.profiles import apps
from heliograph.model.profiles.apps import AppKind, Scalar
from heliograph.model.profiles.records import Act, Change

MOST_ATTRIBUTES = 100
NAME_CHARACTERS = 64
VALUE_CHARACTERS = 4_096  # a token of a push service, or a subscription of a browser as JSON

_SPELLED = (
    apps.STATUS, apps.VERIFIED, apps.TIMEZONE, apps.LOCALE, apps.USER, apps.DEVICE, apps.RTM, apps.TOKEN, apps.SYSTEM,
    "connectStatus", *apps.USER_TOKENS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AppStore:
    """The profiles of one app: its kind, and whether those of its users need tokens of their own."""

    app: str
    kind: AppKind
    user_tokens: bool = True

    def needed(self, *, whole: bool) -> tuple[apps.Needed, ...]:
        """What a record must have."""
        found = self.kind.create if whole else self.kind.update
        return found if self.user_tokens else tuple(item for item in found if item.name not in apps.USER_TOKENS)

    def spelling(self) -> Mapping[str, str]:
        """The members that mean something, by their names in small letters, with what they are kept as."""
        needed = (item.name for item in self.kind.create)
        return {**{name.lower(): name for name in (*_SPELLED, *needed)}, **self.kind.aliases}


def read_app_users(records: list[Any], store: AppStore, act: Act) -> list[Change]:
    """The changes in the order of the records."""
    spelling, needed = store.spelling(), store.needed(whole=act != "update")
    return [_read(record, store.kind, spelling, needed) for record in records]


def _read(record: Any, kind: AppKind, spelling: Mapping[str, str], needed: tuple[apps.Needed, ...]) -> Change:
    try:
        customer, given = opened_record(record)
        found = {spelling.get(name.lower(), name): value for name, value in given.items()}
        found = {name: value for name, value in found.items() if name.lower() != CUSTOMER_ID}
        for item in needed:
            if is_empty(found.get(item.name)):
                raise Rejected(item.key)
        if is_empty(found.get(apps.STATUS)):
            raise Rejected(keys.STATUS_MISSING)
        try:
            found[apps.STATUS] = flag_of(found[apps.STATUS])
        except BadValue as error:
            raise Rejected(keys.APP_PROFILE_STATUS_OUT_OF_RANGE) from error
        return _change(customer, found, kind)
    except BadValue:
        return refused(record, Rejected(keys.INVALID_ATTRIBUTE_VALUE))
    except Rejected as error:
        return refused(record, error)


def _change(customer: str, found: dict[str, Any], kind: AppKind) -> Change:
    """What tells the profile apart is taken out of its attributes."""
    if len(found) > MOST_ATTRIBUTES:
        raise BadValue
    if kind.identity:
        user, device, handle = _identity(found.pop(kind.identity)), "", ""
    else:
        user, device, handle = (_identity(found.pop(name, None)) for name in (apps.USER, apps.DEVICE, apps.RTM))
    patch = {name: None if is_empty(value) else _value(name, value) for name, value in found.items()}
    return Change(customer=customer, patch=patch, user=user, device=device, handle=handle)


def _identity(value: Any) -> str:
    text = "" if value is None else text_of(value, ID_CHARACTERS).strip()
    if text and not text.isprintable():
        raise BadValue
    return text


def _value(name: str, value: Any) -> Scalar:
    if not 0 < len(name) <= NAME_CHARACTERS or "\0" in name:
        raise BadValue
    if name == "connectStatus":
        return flag_of(value)
    if name == apps.VERIFIED:
        return _verified(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value) or abs(value) >= GREATEST:
            raise BadValue
        return value
    return text_of(value, VALUE_CHARACTERS)


def _verified(value: Any) -> Scalar:
    """0 or 1, or since when: vendors' samples have both."""
    if isinstance(value, str) and expiry_ms(value) is not None:
        return value
    return flag_of(value)
