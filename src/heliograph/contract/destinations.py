"""Reads the destinations of one request object: first who is meant (7003, counted), then the values (7004)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heliograph.catalogue import keys
from heliograph.contract.values import as_text
from heliograph.model.message import Address
from heliograph.model.outcome import Rejected

CORRELATION_BYTES = 50
MISSING = keys.DESTINATION_MISSING
TOO_MANY = keys.TOO_MANY_DESTINATIONS
HOPELESS = 10  # a list so many times too long is 7009 whatever its entries hold: they are not looked through

Group = tuple[str, list[Any], dict[str, Any]]
"""One entry of `destination`: the kind of its addresses, the addresses (texts or numbers), the entry itself."""

_NUMBERS_TOO = frozenset({str, int, float})


def read_destinations(value: Any, kinds: tuple[str, ...], aliases: Mapping[str, str], most: int) -> list[Group]:
    """The entries in request order; `kinds` are the keys that the channel takes, in order of preference, `aliases`
    what some of them are kept as, `most` how many addresses a call may have, which the caller counts.

    Raises `Rejected` (7003) when one entry has no address that the channel can use.
    """
    if not isinstance(value, list) or not value:
        raise Rejected(MISSING)
    if len(value) > HOPELESS * most:
        raise Rejected(TOO_MANY)
    first = kinds[0]
    groups: list[Group] = []
    for entry in value:
        if not isinstance(entry, dict):
            raise Rejected(MISSING)
        values = entry.get(first)
        # The usual entry, without a step that is not needed: the preferred key as written, one text in a list.
        if type(values) is list and len(values) == 1 and type(values[0]) is str and values[0]:
            groups.append((first, values, entry))
        else:
            groups.append(_group(entry, kinds, aliases))
    return groups


def addresses_of(groups: list[Group], inherited: str) -> tuple[Address, ...]:
    """All addresses, each with its effective correlation id; 7004 for a correlation id that cannot be one."""
    addresses: list[Address] = []
    for kind, values, entry in groups:
        correlation = inherited if len(entry) == 1 else correlation_of(entry, inherited)
        addresses += [Address(kind, value if type(value) is str else str(value), correlation) for value in values]
    return tuple(addresses)


def correlation_of(holder: dict[str, Any], inherited: str) -> str:
    """The correlation id of an object, its name matched in any case; the inherited one where it has none."""
    value = holder.get("correlationid")
    if value is None:
        value = next((inner for name, inner in holder.items() if name.lower() == "correlationid"), None)
    if value is None or value == "":
        return inherited
    text = as_text(value)
    if text is None or "\0" in text or len(text.encode()) > CORRELATION_BYTES:
        raise Rejected(keys.INVALID_PARAM, "correlationid")
    return text


def _group(entry: dict[str, Any], kinds: tuple[str, ...], aliases: Mapping[str, str]) -> Group:
    folded = {name.lower(): inner for name, inner in entry.items()}
    for kind in kinds:
        # A key as written wins over the same key in other capitals.
        values = _values(entry.get(kind)) or _values(folded.get(kind))
        if values:
            return aliases.get(kind, kind), values, entry
    raise Rejected(MISSING)


def _values(value: Any) -> list[Any]:
    """The addresses; a bare one is a list of one. No address at all is an empty list; an empty text among others
    is kept, so that it is refused (7102) in its own place and not with the whole call."""
    values = value if isinstance(value, list) else [] if value is None or value == "" else [value]
    types = set(map(type, values))
    if types <= {str}:
        return values if any(values) else []
    if types <= _NUMBERS_TOO:
        return values
    raise Rejected(keys.INVALID_JSON)
