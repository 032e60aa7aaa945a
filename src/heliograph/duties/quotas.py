"""Limits that hold for all processes together: each takes blocks of what is left in the store, and calls from those.

Never more is given out than there is. What a process has taken and does not use goes back soon, so that at most a
block for each process is out of the others' reach; when little is left, only what is needed is given.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from heliograph.catalogue import keys
from heliograph.model.outcome import Rejected
from heliograph.model.record import Counted
from heliograph.model.workspace import Tenant
from heliograph.policy.bucket import THOUSAND, Level
from heliograph.policy.limits import EVENT, MESSAGING, PROFILE, STATUS, Counts, Limiter, Meters, count_of
from heliograph.policy.meters import PERIODS
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.cluster.quotas import CountAsk, Grant, RateAsk

log = logging.getLogger(__name__)

BLOCKS = 400  # to a count
RATE_BLOCKS = 200  # to what a bucket holds
DRY_MS = {"count": 50, "rate": 5}  # for so long nothing more is asked of a limit that could not give
IDLE_MS = {"count": 1_000, "rate": 100}  # what was not used for so long goes back
TIDY_SECONDS = 0.05

Name = tuple[str, str]
"""A scope and a period of a count; `messaging`, `status` or `profile` and a scope of a bucket."""


class Need(NamedTuple):
    """What a call takes of one limit; `until` is the end of a count's period (Unix ms), 0 for a bucket."""

    name: Name
    most: int
    amount: int
    until: int = 0


@dataclass(slots=True)
class Credit:
    """What this process has of a limit. `waiting` is what calls need that wait for more; `dry_until` when it may be
    asked again after it could not give."""

    most: int
    until: int
    left: int = 0
    waiting: int = 0
    used_ms: int = 0
    dry_until: int = 0

    @property
    def kind(self) -> str:
        """A count or a rate."""
        return "count" if self.until else "rate"


class SharedLimiter(Limiter):
    """A `Limiter` whose limits are those of all processes on the store."""

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        super().__init__()
        self._store = store
        self._clock_ms = clock_ms
        self._credits: dict[Name, Credit] = {}
        self._asking = asyncio.Lock()

    async def provide_messages(self, meters: Meters, counts: Counts, now_ms: int) -> None:
        """See `Limiter`."""
        await self._provide(list(_needs(meters, counts, now_ms)))

    async def provide_query(self, tenant: Tenant, now_ms: int) -> None:
        """See `Limiter`."""
        await self._provide(_call(STATUS, tenant, tenant.limits.status_per_second))

    async def provide_profile(self, tenant: Tenant, now_ms: int) -> None:
        """See `Limiter`."""
        await self._provide(_call(PROFILE, tenant, tenant.limits.profile_per_second))

    async def provide_events(self, tenant: Tenant, count: int, now_ms: int) -> None:
        """See `Limiter`."""
        await self._provide(_call(EVENT, tenant, tenant.limits.event_per_second, count))

    def take_messages(self, meters: Meters, counts: Counts, now_ms: int) -> tuple[Counted, ...]:
        """See `Limiter`."""
        needs = list(_needs(meters, counts, now_ms))
        self._take(needs)
        return tuple(Counted(*need.name, need.until, need.amount) for need in needs if need.until)

    def uncounted(self, counted: tuple[Counted, ...]) -> tuple[Counted, ...]:
        """Nothing: the store counted it when it gave it."""
        return ()

    def give_back(self, counted: Iterable[Counted]) -> None:
        """See `Limiter`."""
        for item in counted:
            name = (item.scope, item.period)
            if name in self._credits:
                self._credits[name].left += item.count
                self._used[name] -= item.count

    def take_query(self, tenant: Tenant, now_ms: int) -> None:
        """See `Limiter`."""
        self._take(_call(STATUS, tenant, tenant.limits.status_per_second))

    def take_profile(self, tenant: Tenant, now_ms: int) -> None:
        """See `Limiter`."""
        self._take(_call(PROFILE, tenant, tenant.limits.profile_per_second))

    def take_events(self, tenant: Tenant, count: int, now_ms: int) -> None:
        """See `Limiter`."""
        self._take(_call(EVENT, tenant, tenant.limits.event_per_second, count))

    async def run(self) -> None:
        """Give back what is not used, for ever; ends by cancellation."""
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            now_ms = self._clock_ms()
            idle = {
                name: credit
                for name, credit in self._credits.items()
                if credit.left and now_ms - credit.used_ms >= IDLE_MS[credit.kind]
            }
            if idle:
                await self._give_back(idle)

    async def close(self) -> None:
        """Give back everything."""
        if left := {name: credit for name, credit in self._credits.items() if credit.left}:
            await self._give_back(left)

    def _take(self, needs: list[Need]) -> None:
        """All of it or, with `Rejected` (7020), nothing."""
        now_ms = self._clock_ms()
        if any(self._credit(need).left < need.amount for need in needs):
            for need in needs:
                self._credit(need).used_ms = 0  # what this call could not use is for others
            raise Rejected(keys.TRANSACTION_LIMIT)
        for need in needs:
            credit = self._credit(need)
            credit.left -= need.amount
            credit.used_ms = now_ms
            self._used_up(need.name, need.amount, now_ms, rate=not need.until)

    def _used_up(self, name: Name, count: int, now_ms: int, *, rate: bool) -> None:
        """What `Limiter` says of where a caller stands."""
        if rate:
            level = self._levels.get(name)
            if level is not None:
                self._levels[name] = level._replace(thousandths=max(0, level.thousandths - count * THOUSAND))
        else:
            self._used[name] = self._used.get(name, 0) + count

    async def _provide(self, needs: list[Need]) -> None:
        """Ask the store once where there is not enough for a call. Raises `StoreUnavailable`."""
        if all(self._credit(need).left >= need.amount for need in needs):
            return
        for need in needs:
            self._credit(need).waiting += need.amount
        try:
            async with self._asking:
                now_ms = self._clock_ms()
                lacking = [need for need in needs if self._credit(need).left < need.amount]
                if any(now_ms < self._credit(need).dry_until for need in lacking):
                    return
                if lacking:
                    await self._ask(lacking)
        finally:
            for need in needs:
                self._credit(need).waiting -= need.amount

    async def _ask(self, needs: list[Need]) -> None:
        """One question for all that wait for these limits. Raises `StoreUnavailable`."""
        taken = {need.name: self._credit(need) for need in needs}
        wanted = {name: credit.waiting - credit.left for name, credit in taken.items()}
        await self._exchange(taken, wanted)
        for credit in taken.values():
            credit.used_ms = self._clock_ms()

    async def _give_back(self, taken: Mapping[Name, Credit]) -> None:
        given = {name: credit.left for name, credit in taken.items()}
        for credit in taken.values():
            credit.left = 0
        try:
            await self._exchange(taken, {name: -count for name, count in given.items()})
        except StoreUnavailable as error:
            log.debug("what is left of limits cannot be given back: %s", error)

    async def _exchange(self, taken: Mapping[Name, Credit], wanted: Mapping[Name, int]) -> None:
        """Take from the store, or give back what is wanted below 0."""
        counts = [name for name, credit in taken.items() if credit.until]
        rates = [name for name, credit in taken.items() if not credit.until]
        count_asks = [
            CountAsk(*name, taken[name].until, taken[name].most, wanted[name], max(1, taken[name].most // BLOCKS))
            for name in counts
        ]
        rate_asks = [
            RateAsk(".".join(name), taken[name].most, wanted[name], max(1, taken[name].most // RATE_BLOCKS))
            for name in rates
        ]
        found = await self._store.take_quotas(count_asks, rate_asks)
        now_ms = self._clock_ms()
        for name, grant in zip(counts, found[0], strict=True):
            credit = self._taken(taken[name], wanted[name], grant, now_ms)
            self._used[name], self._until[name] = grant.stands - credit.left, credit.until
        for name, grant in zip(rates, found[1], strict=True):
            credit = self._taken(taken[name], wanted[name], grant, now_ms)
            self._levels[name] = Level(grant.stands + credit.left * THOUSAND, now_ms)
        self._forget(now_ms)

    @staticmethod
    def _taken(credit: Credit, wanted: int, grant: Grant, now_ms: int) -> Credit:
        if wanted > 0:
            credit.left += grant.given
            if grant.given < wanted:
                credit.dry_until = now_ms + DRY_MS[credit.kind]
        return credit

    def _credit(self, need: Need) -> Credit:
        credit = self._credits.get(need.name)
        if credit is None:
            credit = self._credits[need.name] = Credit(need.most, need.until)
        credit.most = need.most
        return credit

    def _forget(self, now_ms: int) -> None:
        self._sweep(now_ms)
        for name in [name for name, credit in self._credits.items() if credit.until and credit.until < now_ms]:
            if not self._credits[name].waiting:
                del self._credits[name]


def _needs(meters: Meters, counts: Counts, now_ms: int) -> Iterator[Need]:
    for meter in meters:
        count = count_of(meter, counts)
        if not count:
            continue
        rate = meter.volume.messaging_per_second
        if rate is not None:
            yield Need((MESSAGING, meter.scope), rate, count)
        for name, span in PERIODS.items():
            most: int | None = getattr(meter.volume, name)
            if most is not None:
                period = span(now_ms)
                yield Need((meter.scope, period.name), most, count, period.until_ms)


def _call(kind: str, tenant: Tenant, rate: int | None, count: int = 1) -> list[Need]:
    return [] if rate is None else [Need((kind, tenant.id), rate, count)]
