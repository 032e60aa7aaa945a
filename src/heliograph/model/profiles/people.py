"""Profiles that are kept, as policy sees the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heliograph.model.channel import Device
from heliograph.model.people import Profile
from heliograph.model.profiles import apps
from heliograph.model.profiles.apps import AppKind, Scalar
from heliograph.model.profiles.declared import EMAIL, LOCALE, MSISDN, TIMEZONE, VERIFIED
from heliograph.model.profiles.records import AppUser, Customer

_CALLED = {MSISDN: (MSISDN, "waid"), EMAIL: (EMAIL,)}
"""The kinds of address that an attribute of a customer gives."""


def customer_profile(customer: Customer) -> Profile:
    """A customer. One without a status is active."""
    folded = {name.lower(): value for name, value in customer.attributes.items()}
    addresses = {kind: str(folded[name]) for name, kinds in _CALLED.items() if name in folded for kind in kinds}
    return Profile(
        id=customer.customer,
        active=customer.active,
        verified=bool(folded.get(VERIFIED)),
        addresses=addresses,
        timezone=str(folded.get(TIMEZONE, "")),
        locale=str(folded.get(LOCALE, "")),
        attributes={"customerId": customer.customer, **_texts(customer.attributes)},
    )


def user_profile(users: Sequence[AppUser], kind: AppKind) -> Profile:
    """A user of an app: one or several rows, of devices or of users that link to the same customer. It is the one
    that changed last of those that are active; pushes go to the devices of all of these."""
    active = [user for user in users if user.active]
    reached = [user for user in active if not user.gone]
    first = max(reached or active or users, key=lambda user: user.updated)
    systems = [user.system for user in (first, *reached, *active) if user.system]
    devices = {
        user.token: Device(user.system, user.token, user.device) for user in reached if user.token and user.system
    }
    return Profile(
        id=first.user,
        kind="app",
        active=bool(active if not kind.identity else reached),
        verified=any(user.verified for user in active),
        addresses={kind.address: first.user} if kind.identity else {},
        devices=tuple(devices.values()),
        gone=any(user.gone for user in active) and not devices,
        os=systems[0] if systems else "",
        timezone=str(first.attributes.get(apps.TIMEZONE, "")),
        locale=str(first.attributes.get(apps.LOCALE, "")),
        attributes=_texts({name: value for name, value in first.attributes.items() if name not in apps.SECRETS}),
    )


def _texts(attributes: Mapping[str, Scalar]) -> dict[str, str]:
    """Values as they are filled into a text."""
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in attributes.items()}
