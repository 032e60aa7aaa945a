"""What a tenant declares of its profiles, checked, and made ready for the calls that are held against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from heliograph.contract.shape import Fault
from heliograph.model.profiles.declared import (
    ALIAS_KIND,
    EMAIL,
    MSISDN,
    STATUS,
    VERIFIED,
    Attribute,
    ProfileStore,
    attributes_of,
)

LONGEST_VALUE = 4_096
LONGEST_ALIAS = 255  # it stands in an index
_NAME = re.compile(r"[^\W\d][\w .-]{0,63}")
_KEYED = {"msisdn": MSISDN, "email": EMAIL}


@dataclass(frozen=True, slots=True)
class Definitions:
    """The attributes of a store by their name in small letters; `keyed` are those by which customers are found, and
    of which kind that key is; `mandatory` must be there in a new customer."""

    attributes: Mapping[str, Attribute]
    keyed: tuple[tuple[str, str], ...]
    mandatory: tuple[str, ...]


def definitions_of(store: ProfileStore) -> Definitions:
    """A store made ready."""
    found = attributes_of(store)
    keyed = [(name, ALIAS_KIND) for name, item in found.items() if item.alias]
    keyed += [(name, _KEYED[item.type]) for name, item in found.items() if item.type in _KEYED]
    return Definitions(found, tuple(keyed), tuple(name for name, item in found.items() if item.mandatory))


def store_faults(store: ProfileStore, path: str) -> Iterator[Fault]:
    """What the shape of a declared store cannot say."""
    seen: set[str] = set()
    for item in store.attributes:
        where, folded = f"{path}.attributes[{item.name}]", item.name.lower()
        if not _NAME.fullmatch(item.name):
            yield f"{where}.name", "must begin with a letter and be 1 to 64 letters, digits, blanks, dots or dashes"
        if folded == "customerid":
            yield f"{where}.name", "is the id of every customer and no attribute"
        if folded in seen:
            yield where, "is declared twice; names are matched in any case"
        seen.add(folded)
        if folded in (STATUS, VERIFIED) and item.type != "flag":
            yield f"{where}.type", f"{folded} is 0 or 1 and decides who gets messages; it must be a flag"
        if item.alias and item.type not in ("string", "msisdn", "email"):
            yield f"{where}.alias", "only a string, a msisdn or an email can be another name of a customer"
        most = LONGEST_ALIAS if item.alias else LONGEST_VALUE
        if not 1 <= item.max_length <= most:
            yield f"{where}.max_length", f"must be 1 to {most} characters"
