"""Reads the destinations of one request object."""

from __future__ import annotations

from typing import Any

from heliograph.model.channel import Channel
from heliograph.model.message import Address
from heliograph.model.outcome import Rejected

CORRELATION_BYTES = 50
MISSING = "destination_missing"


def as_text(value: Any) -> str | None:
    """A text, or a whole number as its text; None for anything else. Booleans are no numbers."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def correlation_of(holder: dict[str, Any], inherited: str) -> str:
    """The correlation id of an object, its name matched in any case; the inherited one where it has none."""
    value = holder.get("correlationid")
    if value is None:
        value = next((inner for name, inner in holder.items() if name.lower() == "correlationid"), None)
    if value is None or value == "":
        return inherited
    text = as_text(value)
    if text is None or "\0" in text or len(text.encode()) > CORRELATION_BYTES:
        raise Rejected("invalid_param", "correlationid")
    return text


def read_destinations(value: Any, channel: Channel, correlation: str) -> tuple[Address, ...]:
    """All addresses in request order; raises `Rejected` when one entry has none that the channel can use."""
    if not isinstance(value, list) or not value:
        raise Rejected(MISSING)
    addresses: list[Address] = []
    for entry in value:
        if not isinstance(entry, dict):
            raise Rejected(MISSING)
        addresses.extend(_entry(entry, channel, correlation))
    return tuple(addresses)


def _entry(entry: dict[str, Any], channel: Channel, inherited: str) -> list[Address]:
    kinds = {name.lower(): inner for name, inner in entry.items()}
    correlation = correlation_of(entry, inherited)
    for kind in channel.addresses:
        values = _values(kinds.get(kind))
        if values:
            return [Address(kind, value, correlation) for value in values]
    raise Rejected(MISSING)


def _values(value: Any) -> list[str]:
    """Addresses as texts; a bare one is a list of one. A list with anything unusable in it counts as none."""
    if isinstance(value, list):
        if all(type(item) is str for item in value):
            return value if all(value) else []
        texts = [as_text(item) for item in value]
        return [text for text in texts if text] if all(texts) else []
    text = as_text(value)
    return [text] if text else []
