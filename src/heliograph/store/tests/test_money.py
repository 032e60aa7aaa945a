"""Accounts: exact whatever fails, never below nothing whoever asks at once, counted together with the caps."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.money import Account, Ask, Entry, Reserve
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Release, Settlement
from heliograph.store import Store
from heliograph.testing.databases import Database

Accept = Callable[..., Accepted]
CENT = 10_000


async def opened(store: Store, opening: int) -> None:
    await store.open_account("demo", opening, 1)


async def stands(store: Store) -> Account:
    account = await store.account("demo")
    assert account is not None
    return account


def ask(accepted: Accepted, ordinal: int = 0, amount: int = CENT, slots: tuple[str, ...] = ()) -> Ask:
    return Ask(accepted.request.id, ordinal, amount, "447700900001", slots)


def asked(*asks: Ask, **members: Any) -> Reserve:
    return Reserve(tenant="demo", at=1, asks=list(asks), paid=True, **members)


async def settle(store: Store, accepted: Accepted, state: State, release: Release = Release.BY_STATE) -> None:
    await store.claim([(accepted.request.id, 0, 0)])
    change = Change(accepted.request.id, 0, state, "k", 5)
    await store.settle(Settlement(changes=[change], release=release))


ENDS: dict[str, tuple[State, Release, int, int]] = {
    "submitted": (State.SUBMITTED, Release.BY_STATE, 90, 10),
    "failed before it was taken": (State.FAILED, Release.BY_STATE, 100, 0),
    "without an answer": (State.LAPSED, Release.BY_STATE, 90, 10),
    "failed by a receipt": (State.FAILED, Release.SPENT, 90, 10),
    "delivered by a receipt": (State.DELIVERED, Release.SPENT, 90, 10),
}


@pytest.mark.parametrize(("state", "release", "balance", "spent"), ENDS.values(), ids=ENDS)
async def test_what_is_set_aside_is_spent_or_given_back(
    store: Store, accepted: Accept, state: State, release: Release, balance: int, spent: int
) -> None:
    call = accepted(["447700900001"])
    await store.accept(call)
    await opened(store, 100 * CENT)
    reserved = await store.reserve(asked(ask(call, amount=10 * CENT)))
    between = await stands(store)
    await settle(store, call, state, release)

    assert (reserved.granted, between) == ([True], Account(100 * CENT, 90 * CENT, 10 * CENT, 0))
    assert await stands(store) == Account(100 * CENT, balance * CENT, 0, spent * CENT)


async def test_a_message_that_is_tried_again_keeps_what_is_set_aside(store: Store, accepted: Accept) -> None:
    call = accepted(["447700900001"])
    await store.accept(call)
    await opened(store, 100)
    for price in (60, 70):  # the price of the first time holds
        assert (await store.reserve(asked(ask(call, amount=price)))).granted == [True]
        await store.claim([(call.request.id, 0, 0)])
        again = Change(call.request.id, 0, State.QUEUED, "", 5)
        await store.settle(Settlement(changes=[again], release=Release.BY_STATE))

    assert await stands(store) == Account(100, 40, 60, 0)


async def test_what_is_too_dear_is_refused_and_what_is_cheaper_goes(store: Store, accepted: Accept) -> None:
    call = accepted()
    await opened(store, 100)
    found = await store.reserve(asked(ask(call, 0, 60), ask(call, 1, 50), ask(call, 2, 40)))

    assert (found.granted, found.left) == ([True, False, True], 0)


async def test_an_account_that_nobody_opened_is_opened(store: Store, accepted: Accept) -> None:
    await store.reserve(asked(ask(accepted(), amount=30), opening=100))

    assert await stands(store) == Account(100, 70, 30, 0)
    assert [(entry.kind, entry.amount) for entry in await store.entries("demo", 99, 9)] == [("opening", 100)]


@pytest.mark.parametrize(("opening", "balance"), [(100, 40), (150, 90), (70, 10), (50, 0)])
async def test_another_opening_moves_the_balance_by_the_difference(
    store: Store, accepted: Accept, opening: int, balance: int
) -> None:
    await opened(store, 100)
    await store.reserve(asked(ask(accepted(), amount=60)))
    await opened(store, opening)
    await opened(store, opening)
    account = await stands(store)

    assert (account.opening, account.balance) == (opening, balance)
    assert account.balance + account.reserved == sum(entry.amount for entry in await store.entries("demo", 99, 9))


async def test_a_booking_is_kept_with_who_made_it(store: Store) -> None:
    await opened(store, 100)
    account = await store.enter("demo", Entry(7, "top-up", 50, "May", "admin"))
    entries = await store.entries("demo", 99, 9)

    assert account == Account(100, 150, 0, 0)
    assert [(entry.kind, entry.amount, entry.note, entry.actor, entry.at) for entry in entries] == [
        ("top-up", 50, "May", "admin", 7), ("opening", 100, "", "workspace", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("tenant", "amount"), [("demo", -101), ("nobody", 5)])
async def test_a_booking_that_cannot_be_is_none(store: Store, tenant: str, amount: int) -> None:
    await opened(store, 100)

    assert await store.enter(tenant, Entry(7, "correction", amount, "", "admin")) is None
    assert (await stands(store)).balance == 100


async def test_a_cap_is_counted_by_what_goes_out_and_not_by_what_fails(store: Store, accepted: Accept) -> None:
    calls = [accepted(["447700900001"]) for _ in range(4)]
    limit: dict[str, Any] = {"most": {"day@0": 2}, "until": {"day@0": 9}}
    for call in calls:
        await store.accept(call)
    found = [await store.reserve(asked(ask(call, amount=0, slots=("day@0",)), **limit)) for call in calls[:3]]
    await settle(store, calls[0], State.FAILED)
    after = await store.reserve(asked(ask(calls[3], amount=0, slots=("day@0",)), **limit))

    assert [one.granted for one in (*found, after)] == [[True], [True], [False], [True]]
    assert found[2].sent == [("day@0", "447700900001", 2)]
    assert await store.sent_to("demo", ["day@0"], ["447700900001"]) == [("day@0", "447700900001", 2)]


async def test_one_address_in_one_chunk_is_counted_each_time(store: Store, accepted: Accept) -> None:
    call = accepted()
    asks = [ask(call, ordinal, 0, ("day@0",)) for ordinal in range(3)]
    found = await store.reserve(asked(*asks, most={"day@0": 2}, until={"day@0": 9}))

    assert found.granted == [True, True, False]


async def test_what_was_left_behind_ends_as_its_message_did(store: Store, accepted: Accept) -> None:
    calls = [accepted(["447700900001"]) for _ in range(3)]
    await opened(store, 30)
    for call, state in zip(calls, (State.SUBMITTED, State.FAILED, None), strict=True):
        await store.accept(call)
        await store.reserve(asked(ask(call, amount=10)))
        if state is not None:
            await settle(store, call, state, Release.NOTHING)

    assert await store.tidy_reservations() == 2
    assert await stands(store) == Account(30, 10, 10, 10)
    assert await store.tidy_reservations() == 0


async def test_fifty_workers_never_overdraw_and_lose_no_cent(store: Store, accepted: Accept) -> None:
    """100,000 messages, prices of up to 0.5, money for about half of them, one in five fails after it was granted."""
    chance, chunk, workers, total = random.Random(7), 100, 50, 100_000
    opening = 50_000 * 250_000
    await opened(store, opening)
    calls = [accepted([f"4477{number:08d}" for number in range(chunk)]) for _ in range(total // chunk)]
    granted, spent = 0, 0
    waiting = list(calls)

    async def work() -> None:
        nonlocal granted, spent
        while waiting:
            call = waiting.pop()
            await store.accept(call)
            asks = [ask(call, ordinal, chance.randint(0, 500_000)) for ordinal in range(chunk)]
            found = await store.reserve(asked(*asks))
            assert found.left is not None
            assert found.left >= 0
            went = [one for one, may in zip(asks, found.granted, strict=True) if may]
            granted += len(went)
            await store.claim([(call.request.id, 0, chunk - 1)])
            states = [State.FAILED if chance.random() < 0.2 else State.SUBMITTED for _ in went]
            spent += sum(one.amount for one, state in zip(went, states, strict=True) if state is State.SUBMITTED)
            changes = [
                Change(call.request.id, one.ordinal, state, "k", 5) for one, state in zip(went, states, strict=True)
            ]
            await store.settle(Settlement(changes=changes, release=Release.BY_STATE))

    await asyncio.gather(*(work() for _ in range(workers)))
    account = await stands(store)

    assert (account.spent, account.reserved) == (spent, 0)
    assert account.balance + account.spent == opening
    assert 0 < granted < total


async def test_two_processes_never_spend_more_than_there_is(
    store: Store, database: Database, accepted: Accept
) -> None:
    other = database.store()
    await other.open()
    await opened(store, 30 * CENT)
    calls = [accepted(["447700900001"]) for _ in range(80)]
    for call in calls:
        await store.accept(call)

    granted = await asyncio.gather(
        *(one.reserve(asked(ask(call))) for call, one in zip(calls, [store, other] * 40, strict=True))
    )
    await other.close()

    assert sum(found.granted[0] for found in granted) == 30
    assert (await stands(store)).balance == 0
