"""Whom to leave alone, and how often one address may be written to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from heliograph.model.addresses import normalise_msisdn
from heliograph.model.people import DndRow
from heliograph.model.policies import DndEntry, FrequencyCap
from heliograph.model.policies.texts import moment_of
from heliograph.policy.objects.hours import zone_of


def dnd_address(text: str) -> str:
    """An address as the list knows it: a phone number in digits, anything else as it stands."""
    return normalise_msisdn(text) or text.strip()


def dnd_index(declared: Iterable[DndEntry]) -> Mapping[str, tuple[DndRow, ...]]:
    """The entries that the workspace declares, by their address."""
    found: dict[str, tuple[DndRow, ...]] = {}
    for entry in declared:
        address, expires = dnd_address(entry.address), moment_of(entry.expires) or 0
        row = DndRow(address, entry.channel, entry.category, entry.reason, expires=expires)
        found[address] = (*found.get(address, ()), row)
    return found


def first_against(
    rows: Sequence[DndRow], channel: str, category: str, exempt: Collection[str], now_ms: int
) -> DndRow | None:
    """The first row that stands against a message."""
    return next((row for row in rows if row.holds(channel, category, exempt, now_ms)), None)


class Cap(NamedTuple):
    """A frequency cap with the name its counts are kept under; a cap that only changes how many goes on counting."""

    declared: FrequencyCap
    name: str
    place: int

    def is_for(self, channel: str, category: str) -> bool:
        """Whether messages of a category on a channel count towards it."""
        declared = self.declared
        if declared.channel and declared.channel != channel:
            return False
        if declared.category:
            return declared.category == category
        return not category or category not in declared.exempt


def caps_of(declared: Sequence[FrequencyCap]) -> tuple[Cap, ...]:
    """The caps of a tenant in their order."""
    return tuple(
        Cap(cap, f"{cap.per}/{cap.zone}/{cap.channel}/{cap.category}", index) for index, cap in enumerate(declared)
    )


def stretch_of(cap: FrequencyCap, now_ms: int, tenant_zone: str) -> tuple[int, int]:
    """The stretch of the calendar that a moment counts to: from and until, in Unix milliseconds."""
    zone = (zone_of(tenant_zone) if cap.zone == "tenant" else None) or UTC
    now = datetime.fromtimestamp(now_ms / 1_000, zone)
    if cap.per == "hour":
        since = now.replace(minute=0, second=0, microsecond=0)
        start = int(since.timestamp()) * 1_000
        return start, start + 3_600_000
    day = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if cap.per == "day":
        first, after = day, day + timedelta(days=1)
    elif cap.per == "week":
        first = day - timedelta(days=day.weekday())
        after = first + timedelta(days=7)
    else:
        first = day.replace(day=1)
        after = (first + timedelta(days=32)).replace(day=1)
    return int(first.timestamp()) * 1_000, int(after.timestamp()) * 1_000


def slot_of(cap: Cap, now_ms: int, tenant_zone: str) -> tuple[str, int]:
    """The name under which messages of this moment are counted for a cap, and when it ends."""
    since, until = stretch_of(cap.declared, now_ms, tenant_zone)
    return f"{cap.name}@{since}", until
