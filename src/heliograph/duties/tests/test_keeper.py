"""Leases: one has each, it is believed by our own clock only, shared out fairly, given back at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from heliograph.bus.signals import LocalSignals
from heliograph.duties.keeper import TTL_SECONDS, Keeper
from heliograph.duties.leases import Group
from heliograph.store import Store, StoreUnavailable
from heliograph.store.areas.cluster.duties import Claim
from heliograph.testing import eventually

PARTS = [f"part.{number}" for number in range(8)]


class Process:
    """A keeper with a clock that we move."""

    def __init__(self, store: Store, signals: LocalSignals, name: str, *groups: Group) -> None:
        self.now = 100.0
        self.keeper = Keeper(store, signals, name, lambda: self.now)
        self.keeper.groups = [Group(lambda: (f"worker.{name}",)), *groups]
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> Process:
        await self.keeper.begin()
        works: list[Coroutine[Any, Any, None]] = [self.keeper.run(), self.keeper.watch()]
        self.tasks = [asyncio.create_task(work) for work in works]
        return self

    def end(self) -> None:
        for task in self.tasks:
            task.cancel()

    def has(self, beginning: str) -> int:
        """How many duties it has whose names begin so."""
        return sum(name.startswith(beginning) for name in self.keeper.held())


def shared(**more: Any) -> Group:
    return Group(lambda: PARTS, "worker.", **more)


Start = Callable[..., Any]


@asynccontextmanager
async def processes(stores: list[Store], *groups: list[Group]) -> Any:
    """One for each list of groups, on one bus."""
    signals = LocalSignals()
    async with AsyncExitStack() as stack:
        made = []
        for number, given in enumerate(groups):
            made.append(await Process(stores[number], signals, f"p{number}", *given).begin())
            stack.callback(made[-1].end)
        yield made


async def test_of_three_one_has_each_duty_and_fair_ones_are_shared_out(stores: list[Store]) -> None:
    async with processes(stores, *([shared(fair=True)] for _ in range(3))) as three:

        async def fair() -> bool:
            return sorted(one.has("part.") for one in three) == [2, 3, 3]

        await eventually(fair, 10)
        assert len({name for one in three for name in one.keeper.held()}) == len(PARTS) + 3


async def test_what_is_given_back_is_another_s_at_once(stores: list[Store]) -> None:
    only = Group(lambda: ("only",), "worker.")
    async with processes(stores, [only], [Group(lambda: ("only",), "worker.")]) as [first, second]:
        await eventually(lambda: truth(first.keeper.holds("only")), 3)
        await first.keeper.drain()
        await first.keeper.give_back("only")
        await eventually(lambda: truth(second.keeper.holds("only")), 1)

        assert not first.keeper.holds("only")


async def truth(value: bool) -> bool:
    return value


async def test_what_is_under_way_ends_before_a_duty_goes_to_another(stores: list[Store]) -> None:
    ended = asyncio.Event()
    left: list[str] = []

    async def leaving(name: str) -> None:
        left.append(name)
        await ended.wait()

    async with processes(stores, [shared(fair=True, leaving=leaving)], [shared(fair=True)]) as [first, second]:
        await eventually(lambda: truth(len(left) == 4), 5)
        assert (first.has("part."), second.has("part.")) == (4, 0)  # not ours any more, and not theirs yet
        ended.set()
        await eventually(lambda: truth(second.has("part.") == 4), 3)


async def test_a_process_that_slept_believes_in_nothing_it_had(stores: list[Store]) -> None:
    changes: list[int] = []
    process = Process(stores[0], LocalSignals(), "p0")

    async def changed() -> None:
        changes.append(process.has("part."))

    process.keeper.groups.append(shared(changed=changed))
    await process.keeper.begin()
    held = process.has("part.")
    process.now += TTL_SECONDS

    assert (held, process.has("part.")) == (8, 0)
    watching = asyncio.create_task(process.keeper.watch())
    await eventually(lambda: truth(changes[-1:] == [0]), 3)
    watching.cancel()


async def test_a_store_that_does_not_answer_ends_what_is_held_in_time(
    stores: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(stores[0], LocalSignals(), "p0", shared())
    await process.begin()

    async def away() -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(stores[0], "leases", away)
    process.now += TTL_SECONDS - 1
    assert process.has("part.") == 8
    process.now += 1
    process.end()

    assert process.has("part.") == 0


async def test_a_lease_that_runs_is_nobody_else_s_and_one_that_ran_out_is_taken(stores: list[Store]) -> None:
    first, second, _ = stores

    assert await first.claim_leases(Claim("a", ["x", "y"], [], 200)) == {"x", "y"}
    assert await second.claim_leases(Claim("b", ["x"], [], 200)) == set()
    assert await first.claim_leases(Claim("a", [], ["y"], 0)) == set()
    assert await second.claim_leases(Claim("b", ["x", "y"], ["x"], 200)) == {"y"}
    await asyncio.sleep(0.25)
    assert await second.claim_leases(Claim("b", ["x"], [], 200)) == {"x"}
    assert await first.claim_leases(Claim("a", ["x"], ["x"], 200)) == set()
    assert {row.name: row.owner for row in await first.leases()} == {"x": "b", "y": "b"}


async def test_a_number_is_taken_once_and_the_one_used_last_comes_last(stores: list[Store]) -> None:
    numbers = ("node.0", "node.1", "node.2")
    first, second = (Process(store, LocalSignals(), name) for store, name in zip(stores, ("a", "b"), strict=False))

    assert await first.keeper.take_one(numbers) == "node.0"
    assert await second.keeper.take_one(numbers) == "node.1"
    await first.keeper.give_back("node.")
    assert await second.keeper.take_one(numbers) == "node.2"
    assert await second.keeper.take_one(numbers) == "node.0"
    assert await second.keeper.take_one(numbers) is None


async def test_what_a_process_had_that_is_gone_is_shared_out_among_the_others(
    stores: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("TTL_SECONDS", 1.6), ("EVERY_SECONDS", 0.4), ("MARGIN_SECONDS", 0.1)):
        monkeypatch.setattr(f"heliograph.duties.keeper.{name}", seconds)
    async with processes(stores, *([shared(fair=True)] for _ in range(3))) as three:

        async def fair() -> bool:
            return sorted(one.has("part.") for one in three) == [2, 3, 3]

        await eventually(fair, 10)
        three[0].end()
        assert sum(one.has("part.") for one in three[1:]) < 8

        await eventually(lambda: truth([one.has("part.") for one in three[1:]] == [4, 4]), 2.5)


async def test_workers_hear_of_another_that_ended(stores: list[Store]) -> None:
    heard: list[str] = []

    async def departed() -> None:
        heard.append("departed")

    async with processes(stores, [], []) as [first, second]:
        second.keeper.departed.append(departed)
        await eventually(lambda: truth(len(second.keeper._workers) == 2), 5)
        before = list(heard)
        first.end()
        await first.keeper.drain()
        await first.keeper.give_back("worker.")
        await eventually(lambda: truth(heard == ["departed"]), 5)

        assert before == []
