"""A person as policy sees one: the customer's profile, and that of the app they use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, Protocol

import msgspec

from heliograph.model.channel import Device
from heliograph.model.message import Address

Where = tuple[str, str]
"""An address as a call wrote it: its kind and its value."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant knows of a customer (`id` is the customerid) or of a user of one of its apps (`id` is the
    userid). `addresses` are where they are reached, by kind (`msisdn`, `psid` ...); `os` is what an app runs on,
    "" where nobody said; `gone` says that none of its devices is reached any more; `timezone` and `locale` are ""
    where they are not known; `attributes` fill placeholders."""

    id: str
    kind: Literal["customer", "app"] = "customer"
    active: bool = True
    verified: bool = False
    addresses: Mapping[str, str] = {}
    devices: tuple[Device, ...] = ()
    gone: bool = False
    os: str = ""
    timezone: str = ""
    locale: str = ""
    attributes: Mapping[str, str] = {}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an address leads to: the master profile, and the profile of the app that the message goes by."""

    customer: Profile | None = None
    app: Profile | None = None

    def attribute(self, name: str) -> str | None:
        """What fills a placeholder: the customer's attribute, else the app user's."""
        for profile in (self.customer, self.app):
            if profile is not None and name in profile.attributes:
                return profile.attributes[name]
        return None

    @property
    def locale(self) -> str:
        """The locale of the customer, else of the app user; "" where neither is known."""
        return next((one.locale for one in (self.customer, self.app) if one is not None and one.locale), "")

    @property
    def timezone(self) -> str:
        """The zone of the customer, else of the app user; "" where neither is known."""
        return next((one.timezone for one in (self.customer, self.app) if one is not None and one.timezone), "")


class People(Protocol):
    """Where profiles are kept."""

    async def people(self, tenant: str, app: str, addresses: Collection[Address]) -> Mapping[Where, Person]:
        """Whom these addresses of a tenant lead to, for a message that goes by an app ("" for none). An address
        that leads to nobody is left out; so are all where a tenant keeps no profiles."""
