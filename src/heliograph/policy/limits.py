"""How much a tenant may ask for: a rate per second and, for messages, a count per UTC day.

The rates live in memory. The count of a day is kept in memory too, so that it is exact before the commit, and in
the store by the same commit as what was accepted, so that it outlives the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Tenant
from heliograph.policy import bucket
from heliograph.policy.bucket import Level

DAY_MS = 86_400_000
NOT_COUNTED = 0  # the day of what is counted on none

_MESSAGING, _STATUS = "messaging", "status"


class Standing(NamedTuple):
    """Where a tenant stands with the limit it will meet first; `reset` is in Unix seconds."""

    limit: int
    remaining: int
    reset: int


def day_of(now_ms: int) -> int:
    """The UTC day as days since 1970."""
    return now_ms // DAY_MS


class Limiter:
    """Takes from the limits of tenants."""

    def __init__(self, used: Iterable[tuple[str, int, int]] = ()) -> None:
        self._levels: dict[tuple[str, str], Level] = {}
        self._used: dict[tuple[str, int], int] = {}
        self._newest = 0
        self.recall(used)

    def recall(self, used: Iterable[tuple[str, int, int]]) -> None:
        """Count on from the rows `(tenant, day, destinations)` that the store has."""
        self._used = {(tenant, day): count for tenant, day, count in used}

    @staticmethod
    def free(tenant: Tenant) -> bool:
        """Whether the tenant may send as much as it likes."""
        return tenant.limits.messaging_per_second is None and tenant.limits.messaging_per_day is None

    def take_messages(self, tenant: Tenant, count: int, now_ms: int) -> int:
        """Take `count` destinations: all of them, or with `Rejected` (7020) none. The day they are counted on, for
        the store, or `NOT_COUNTED`."""
        rate, most = tenant.limits.messaging_per_second, tenant.limits.messaging_per_day
        day = NOT_COUNTED
        if most is not None:
            day = day_of(now_ms)
            if self._used.get((tenant.id, day), 0) + count > most:
                raise Rejected(keys.TRANSACTION_LIMIT)
        if rate is not None:
            self._take((_MESSAGING, tenant.id), rate, count, now_ms)
        if day:
            self._count(tenant.id, day, count)
        return day

    def give_back(self, tenant: Tenant, day: int, count: int) -> None:
        """What was counted on that day was not kept after all."""
        if day:
            self._used[tenant.id, day] -= count

    def take_query(self, tenant: Tenant, now_ms: int) -> None:
        """Take one status query; raises `Rejected` (7020)."""
        rate = tenant.limits.status_per_second
        if rate is not None:
            self._take((_STATUS, tenant.id), rate, 1, now_ms)

    def messages(self, tenant: Tenant, now_ms: int) -> Standing | None:
        """Where the tenant stands with its messages; None when it has no limit."""
        rate, most = tenant.limits.messaging_per_second, tenant.limits.messaging_per_day
        found = []
        if rate is not None:
            found.append(self._rate_standing((_MESSAGING, tenant.id), rate, now_ms))
        if most is not None:
            day = day_of(now_ms)
            left = max(0, most - self._used.get((tenant.id, day), 0))
            found.append(Standing(most, left, (day + 1) * DAY_MS // 1_000))
        return min(found, key=lambda standing: (standing.remaining, -standing.reset), default=None)

    def queries(self, tenant: Tenant, now_ms: int) -> Standing | None:
        """Where the tenant stands with its status queries; None when it has no limit."""
        rate = tenant.limits.status_per_second
        return None if rate is None else self._rate_standing((_STATUS, tenant.id), rate, now_ms)

    def _take(self, name: tuple[str, str], rate: int, count: int, now_ms: int) -> None:
        level = bucket.take(self._levels.get(name) or bucket.full(rate, now_ms), rate, count, now_ms)
        if level is None:
            raise Rejected(keys.TRANSACTION_LIMIT)
        self._levels[name] = level

    def _count(self, tenant: str, day: int, count: int) -> None:
        if day > self._newest:
            self._newest = day
            self._used = {name: used for name, used in self._used.items() if name[1] >= day - 1}
        self._used[tenant, day] = self._used.get((tenant, day), 0) + count

    def _rate_standing(self, name: tuple[str, str], rate: int, now_ms: int) -> Standing:
        level = bucket.filled(self._levels.get(name) or bucket.full(rate, now_ms), rate, now_ms)
        return Standing(rate, level.tokens, -(-bucket.full_at_ms(level, rate) // 1_000))
