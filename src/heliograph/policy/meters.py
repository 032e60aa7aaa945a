"""Which limits a call counts towards: the tenant's and the service's, of all their channels and of each. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from heliograph.model.workspace import NO_VOLUME, Service, Tenant, Volume

DAY_MS = 86_400_000
_MONDAY = 3  # 1970-01-01 was a Thursday


class Meter(NamedTuple):
    """One limit: whose (`demo`, `demo/orders`, each with `:sms` behind it for one channel) and how many
    destinations in a second, day, week or month (None: any number)."""

    scope: str
    channel: str
    volume: Volume


class Period(NamedTuple):
    """A span of the calendar, UTC: a name that sorts within its kind, such as `d20412`, and its end (Unix ms)."""

    name: str
    until_ms: int


def meters_of(tenant: Tenant, service: Service) -> tuple[Meter, ...]:
    """Every limit that the messages of a service count towards."""
    return tuple(meter for meter in _meters(tenant, service) if meter.volume != NO_VOLUME)


def _meters(tenant: Tenant, service: Service) -> Iterator[Meter]:
    limits = tenant.limits
    yield Meter(tenant.id, "", limits.volume)
    for channel, volume in limits.channels.items():
        yield Meter(f"{tenant.id}:{channel}", channel, volume)
    path = f"{tenant.id}/{service.id}"
    yield Meter(path, "", service.limits)
    for channel, binding in service.channels.items():
        yield Meter(f"{path}:{channel}", channel, binding.limits)


def day(now_ms: int) -> Period:
    """The UTC day."""
    number = now_ms // DAY_MS
    return Period(f"d{number}", (number + 1) * DAY_MS)


def week(now_ms: int) -> Period:
    """The week from Monday to Sunday, UTC."""
    number = (now_ms // DAY_MS + _MONDAY) // 7
    return Period(f"w{number}", ((number + 1) * 7 - _MONDAY) * DAY_MS)


def month(now_ms: int) -> Period:
    """The month, UTC."""
    return _month(now_ms // DAY_MS)


@lru_cache(maxsize=64)
def _month(number: int) -> Period:
    at = datetime.fromtimestamp(number * DAY_MS / 1_000, UTC)
    following = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return Period(f"m{at:%Y%m}", int(following.timestamp()) * 1_000)


PERIODS = {"messaging_per_day": day, "messaging_per_week": week, "messaging_per_month": month}
"""The counted limits, each with its span of the calendar."""
