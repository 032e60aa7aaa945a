"""Limits that several processes share: never more than there is, and nearly all of it, whoever asks."""

from __future__ import annotations

import asyncio
from random import Random

from heliograph.duties.quotas import SharedLimiter
from heliograph.model.outcome import Rejected
from heliograph.model.workspace import Volume
from heliograph.policy.meters import Meter
from heliograph.store import Store

DAY_MS = 86_400_000
NOW_MS = 20_000 * DAY_MS + 7


class Caller:
    """Asks one process's limiter until a number of calls were made; counts what was let through."""

    def __init__(self, store: Store, volume: Volume) -> None:
        self.now_ms = NOW_MS
        self.limiter = SharedLimiter(store, lambda: self.now_ms)
        self.meters = (Meter("demo", "", volume),)
        self.taken = 0

    async def call(self, amount: int = 1) -> bool:
        """Whether a call to so many destinations is let through."""
        await self.limiter.provide_messages(self.meters, {"sms": amount}, self.now_ms)
        try:
            self.limiter.take_messages(self.meters, {"sms": amount}, self.now_ms)
        except Rejected:
            return False
        self.taken += amount
        return True


async def test_a_day_s_count_is_never_exceeded_and_used_up_but_for_a_hundredth(stores: list[Store]) -> None:
    most, rng = 5_000, Random(7)
    callers = [Caller(store, Volume(messaging_per_day=most)) for store in stores]

    async def ask(caller: Caller, share: int) -> None:
        for _ in range(share):
            await caller.call(rng.randint(1, 9))

    await asyncio.gather(*(ask(caller, share) for caller in callers for share in (400, 30, 1)))

    total = sum(caller.taken for caller in callers)
    assert most * 0.99 <= total <= most


async def test_small_counts_are_exact(stores: list[Store]) -> None:
    callers = [Caller(store, Volume(messaging_per_day=7)) for store in stores]

    answers = [await callers[number % 3].call() for number in range(12)]

    assert answers == [True] * 7 + [False] * 5


async def test_what_one_process_does_not_use_comes_back_to_the_others(stores: list[Store]) -> None:
    idle, busy = Caller(stores[0], Volume(messaging_per_day=400)), Caller(stores[1], Volume(messaging_per_day=400))
    tidying = asyncio.create_task(idle.limiter.run())
    await idle.call()
    idle.now_ms += 2_000
    await asyncio.sleep(0.2)
    answers = [await busy.call(3) for _ in range(133)]
    tidying.cancel()

    assert answers.count(True) == 133


async def test_a_call_that_could_not_be_kept_does_not_count(stores: list[Store]) -> None:
    caller = Caller(stores[0], Volume(messaging_per_day=5))
    for _ in range(2):
        await caller.limiter.provide_messages(caller.meters, {"sms": 5}, NOW_MS)
        counted = caller.limiter.take_messages(caller.meters, {"sms": 5}, NOW_MS)
        assert caller.limiter.uncounted(counted) == ()
        caller.limiter.give_back(counted)

    assert [await caller.call(5), await caller.call(1)] == [True, False]


async def test_a_rate_is_that_of_all_together(stores: list[Store]) -> None:
    rate = 200
    callers = [Caller(store, Volume(messaging_per_second=rate)) for store in stores]
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), 0

    async def hammer(caller: Caller) -> None:
        nonlocal asked
        while loop.time() - began < 1.0:
            asked += 1
            caller.now_ms = NOW_MS + round((loop.time() - began) * 1_000)
            await caller.call()
            await asyncio.sleep(0.001)

    await asyncio.gather(*(hammer(caller) for caller in callers))
    passed = loop.time() - began

    total = sum(caller.taken for caller in callers)
    least = min(rate * (1 + 1.0) * 0.95, asked * 0.8)  # a slow machine asks less
    assert least <= total <= rate * (1 + passed) * 1.01 + 1


async def test_where_a_caller_stands_is_what_all_have_used(stores: list[Store]) -> None:
    first, second = (Caller(store, Volume(messaging_per_day=100)) for store in stores[:2])
    for _ in range(5):
        await first.call(4)
    await second.call(4)

    standing = second.limiter.messages(second.meters, NOW_MS)
    assert standing is not None
    assert (standing.limit, standing.remaining) == (100, 76)
