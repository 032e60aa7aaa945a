"""What a tenant declares of the profiles it keeps."""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.model.policies.part import Part

AttributeType = Literal[
    "string", "number", "boolean", "date", "datetime", "msisdn", "email", "flag", "timezone", "locale"
]
MSISDN, EMAIL, NAME, STATUS, VERIFIED = "msisdn", "email", "name", "status", "verified"
TIMEZONE, LOCALE = "timezone", "locale"
ALIAS_KIND = "alias"
"""The kind of key that an attribute with `alias` gives; the others are `msisdn` and `email`."""


class Attribute(Part, frozen=True):
    """What may be known of a customer. Names are matched in any case. A `mandatory` one must be there when a customer
    is created; `alias` makes its value another name of the customer, which no other may have."""

    name: str
    type: AttributeType = "string"
    mandatory: bool | None = None
    max_length: int = 255
    alias: bool = False


class ProfileStore(Part, frozen=True):
    """The store of customer profiles. Some attributes need no declaration; see `BUILT_IN`."""

    attributes: tuple[Attribute, ...] = ()


BUILT_IN = (
    Attribute(name=MSISDN, type="msisdn", mandatory=True),
    Attribute(name=EMAIL, type="email"),
    Attribute(name=NAME),
    Attribute(name=STATUS, type="flag"),
    Attribute(name=VERIFIED, type="flag"),
    Attribute(name=TIMEZONE, type="timezone"),
    Attribute(name=LOCALE, type="locale"),
)
"""Attributes that every store has. A declaration of the same name replaces one of them, but for the word `mandatory`
where it says nothing of it."""


def attributes_of(store: ProfileStore) -> dict[str, Attribute]:
    """All attributes of a store by their name in small letters, declared ones first."""
    usual = {item.name: item for item in BUILT_IN}
    found: dict[str, Attribute] = {}
    for item in store.attributes:
        folded = item.name.lower()
        if item.mandatory is None and folded in usual:
            item = msgspec.structs.replace(item, mandatory=usual[folded].mandatory)
        found[folded] = item
    return {**found, **{name: item for name, item in usual.items() if name not in found}}
