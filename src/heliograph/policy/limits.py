"""How much a tenant may ask for: rates per second, and for messages counts per UTC day, week and month.

The rates live in memory. The counts are kept in memory too, so that they are exact before the commit, and in the
store by the same commit as what was accepted, so that they outlive the process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.record import Counted
from heliograph.model.workspace import Tenant
from heliograph.policy import bucket
from heliograph.policy.bucket import Level
from heliograph.policy.meters import DAY_MS, PERIODS, Meter

MESSAGING, STATUS, PROFILE, EVENT = "messaging", "status", "profile", "event"
SWEEP_MS = 60_000  # how often counts of spans that are over are forgotten


class Standing(NamedTuple):
    """Where a caller stands with the limit it will meet first; `reset` is in Unix seconds."""

    limit: int
    remaining: int
    reset: int


Meters = tuple[Meter, ...]
Counts = Mapping[str, int]
"""Destinations by channel."""


class Limiter:
    """Takes from the limits of tenants and services."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], Level] = {}
        self._used: dict[tuple[str, str], int] = {}
        self._until: dict[tuple[str, str], int] = {}
        self._swept = 0

    def recall(self, counted: Iterable[Counted]) -> None:
        """Take over what the store has counted."""
        for item in counted:
            self._add(item)

    async def provide_messages(self, meters: Meters, counts: Counts, now_ms: int) -> None:
        """Have at hand what is taken next. In one process it always is."""

    async def provide_query(self, tenant: Tenant, now_ms: int) -> None:
        """Likewise for a status query."""

    async def provide_profile(self, tenant: Tenant, now_ms: int) -> None:
        """Likewise for a call of the Profile API."""

    async def provide_events(self, tenant: Tenant, count: int, now_ms: int) -> None:
        """Likewise for events and calls of hooks."""

    def take_messages(self, meters: Meters, counts: Counts, now_ms: int) -> tuple[Counted, ...]:
        """Take destinations: all of them, or with `Rejected` (7020) none. What was counted, for the store."""
        counted = [item for meter in meters for item in self._counted(meter, counts, now_ms)]
        levels: dict[tuple[str, str], Level] = {}
        for meter in meters:
            rate, count = meter.volume.messaging_per_second, count_of(meter, counts)
            if rate is not None and count:
                levels[MESSAGING, meter.scope] = self._level((MESSAGING, meter.scope), rate, count, now_ms)
        self._levels.update(levels)
        for item in counted:
            self._add(item)
        self._sweep(now_ms)
        return tuple(counted)

    def _counted(self, meter: Meter, counts: Counts, now_ms: int) -> Iterator[Counted]:
        count = count_of(meter, counts)
        for name, span in PERIODS.items():
            most: int | None = getattr(meter.volume, name)
            if most is None or not count:
                continue
            period = span(now_ms)
            if self._used.get((meter.scope, period.name), 0) + count > most:
                raise Rejected(keys.TRANSACTION_LIMIT)
            yield Counted(meter.scope, period.name, period.until_ms, count)

    def uncounted(self, counted: tuple[Counted, ...]) -> tuple[Counted, ...]:
        """What of it the store has yet to count, with the call."""
        return counted

    def give_back(self, counted: Iterable[Counted]) -> None:
        """What was counted was not kept after all."""
        for item in counted:
            self._used[item.scope, item.period] -= item.count

    def take_query(self, tenant: Tenant, now_ms: int) -> None:
        """Take one status query; raises `Rejected` (7020)."""
        rate = tenant.limits.status_per_second
        if rate is not None:
            self._levels[STATUS, tenant.id] = self._level((STATUS, tenant.id), rate, 1, now_ms)

    def take_profile(self, tenant: Tenant, now_ms: int) -> None:
        """Take one call of the Profile API; raises `Rejected` (7020)."""
        rate = tenant.limits.profile_per_second
        if rate is not None:
            self._levels[PROFILE, tenant.id] = self._level((PROFILE, tenant.id), rate, 1, now_ms)

    def take_events(self, tenant: Tenant, count: int, now_ms: int) -> None:
        """Take events and calls of hooks: all of them, or with `Rejected` (7020) none."""
        rate = tenant.limits.event_per_second
        if rate is not None:
            self._levels[EVENT, tenant.id] = self._level((EVENT, tenant.id), rate, count, now_ms)

    def messages(self, meters: Meters, now_ms: int) -> Standing | None:
        """Where a service stands with its messages; None when it has no limit."""
        found = [standing for meter in meters for standing in self._standings(meter, now_ms)]
        return min(found, key=lambda standing: (standing.remaining, -standing.reset), default=None)

    def room(self, meters: Meters, counts: Counts, now_ms: int) -> bool:
        """Whether a call of so many destinations would be let through."""
        return all(
            standing.remaining >= count_of(meter, counts)
            for meter in meters
            for standing in self._standings(meter, now_ms)
        )

    def _standings(self, meter: Meter, now_ms: int) -> Iterator[Standing]:
        rate = meter.volume.messaging_per_second
        if rate is not None:
            yield self._rate_standing((MESSAGING, meter.scope), rate, now_ms)
        for name, span in PERIODS.items():
            most: int | None = getattr(meter.volume, name)
            if most is not None:
                period = span(now_ms)
                left = max(0, most - self._used.get((meter.scope, period.name), 0))
                yield Standing(most, left, period.until_ms // 1_000)

    def queries(self, tenant: Tenant, now_ms: int) -> Standing | None:
        """Where the tenant stands with its status queries; None when it has no limit."""
        rate = tenant.limits.status_per_second
        return None if rate is None else self._rate_standing((STATUS, tenant.id), rate, now_ms)

    def profiles(self, tenant: Tenant, now_ms: int) -> Standing | None:
        """Where the tenant stands with its calls of the Profile API; None when it has no limit."""
        rate = tenant.limits.profile_per_second
        return None if rate is None else self._rate_standing((PROFILE, tenant.id), rate, now_ms)

    def events(self, tenant: Tenant, now_ms: int) -> Standing | None:
        """Where the tenant stands with its events; None when it has no limit."""
        rate = tenant.limits.event_per_second
        return None if rate is None else self._rate_standing((EVENT, tenant.id), rate, now_ms)

    def _level(self, name: tuple[str, str], rate: int, count: int, now_ms: int) -> Level:
        level = bucket.take(self._levels.get(name) or bucket.full(rate, now_ms), rate, count, now_ms)
        if level is None:
            raise Rejected(keys.TRANSACTION_LIMIT)
        return level

    def _add(self, item: Counted) -> None:
        name = (item.scope, item.period)
        self._used[name] = self._used.get(name, 0) + item.count
        self._until[name] = item.until_ms

    def _sweep(self, now_ms: int) -> None:
        """Forget spans that ended a while ago: a clock that goes back a little gives nothing twice."""
        if now_ms - self._swept >= SWEEP_MS:
            self._swept = now_ms
            for name in [name for name, until in self._until.items() if until + 2 * DAY_MS < now_ms]:
                del self._until[name], self._used[name]

    def _rate_standing(self, name: tuple[str, str], rate: int, now_ms: int) -> Standing:
        level = bucket.filled(self._levels.get(name) or bucket.full(rate, now_ms), rate, now_ms)
        return Standing(rate, level.tokens, -(-bucket.full_at_ms(level, rate) // 1_000))


def count_of(meter: Meter, counts: Counts) -> int:
    """How many of these destinations count towards a limit."""
    return counts.get(meter.channel, 0) if meter.channel else sum(counts.values())
