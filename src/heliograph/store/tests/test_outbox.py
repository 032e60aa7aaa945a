"""The outbox, on both databases: what is owed is taken by one, and gone once it is published."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from heliograph.model.message import Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, Owed, Parked, Run, Settlement
from heliograph.store import Store
from heliograph.testing.databases import Database, PostgresDatabase
from heliograph.testing.postgres import PostgresServer

NOW = 1_000_000


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """An empty store."""
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


async def accept(store: Store, request: int, *, elements: int = 1, count: int = 3, owed: bool = True) -> None:
    """A call of `elements` messages to `count` destinations each."""
    message = Message(content=Content(channel="sms", fields={"text": "hello"}), addresses=())
    firsts = tuple(index * count for index in range(elements))
    values = [f"4477009{number:05d}" for number in range(count)]
    await store.accept(
        Accepted(
            request=Request(
                id=request, nonce=1, tenant="demo", service="orders", accepted=NOW, messages=(message,) * elements,
                firsts=firsts,
            ),
            runs=tuple(Run(index, first, "msisdn", "", values) for index, first in enumerate(firsts)),
            owed=tuple(Owed(NOW, request, index) for index in range(elements)) if owed else (),
        )
    )  # fmt: skip


async def states(store: Store, request: int) -> list[tuple[State, bool]]:
    """Where each destination stands, and whether it may be a duplicate."""
    return [(row.state, row.duplicate) for row in await store.transactions(request, None)]


async def test_a_call_owes_a_chunk_per_element_from_its_commit_on(store: Store) -> None:
    await accept(store, 1, elements=2)

    assert not await store.outbox_due(NOW - 1)
    assert await store.outbox_due(NOW)
    assert await store.take_outbox(NOW, 10, NOW + 5) == [Owed(NOW + 5, 1, 0), Owed(NOW + 5, 1, 1)]


async def test_what_one_took_no_other_takes_until_then(store: Store) -> None:
    await accept(store, 1, elements=5)

    first = await store.take_outbox(NOW, 3, NOW + 5)
    second = await store.take_outbox(NOW, 3, NOW + 5)
    third = await store.take_outbox(NOW, 3, NOW + 5)

    assert [row.element for row in first + second + third] == [0, 1, 2, 3, 4]
    assert [row.element for row in await store.take_outbox(NOW + 5, 9, NOW + 9)] == [0, 1, 2, 3, 4]


async def test_what_is_published_is_owed_no_more(store: Store) -> None:
    await accept(store, 1, elements=2)

    await store.published([Owed(NOW, 1, 0)])

    assert [row.element for row in await store.take_outbox(NOW, 9, NOW + 5)] == [1]


async def test_a_chunk_that_is_owed_twice_is_taken_once(store: Store) -> None:
    await store.owe([Owed(NOW, 1, 0), Owed(NOW - 1, 1, 0, 7, True), Owed(NOW, 1, 0)])

    assert await store.take_outbox(NOW, 9, NOW + 5) == [Owed(NOW + 5, 1, 0, 7, True)]


async def test_what_waits_for_its_moment_can_be_hastened(store: Store) -> None:
    await store.owe([Owed(NOW + 900, 1, 0), Owed(NOW + 800, 1, 0), Owed(NOW + 900, 2, 0), Owed(NOW, 3, 0)])

    await store.hasten_outbox(NOW)

    taken = await store.take_outbox(NOW, 9, NOW + 5)
    assert sorted(row.request for row in taken) == [1, 2, 3]
    assert not await store.outbox_due(NOW + 4)


async def test_everything_open_is_owed_to_a_broker_that_has_nothing(store: Store) -> None:
    await accept(store, 1, elements=2, owed=False)
    await accept(store, 2, count=1, owed=False)
    await store.settle(Settlement(changes=[Change(2, 0, State.FAILED, "expired", NOW)]))

    assert await store.refill_outbox(0, 5, NOW) == 1
    assert await store.refill_outbox(1, 5, NOW) == 0
    assert await store.take_outbox(NOW, 9, NOW + 5) == [Owed(NOW + 5, 1, 0, 6, True), Owed(NOW + 5, 1, 1, 6, True)]


async def test_the_claims_of_a_chunk_whose_worker_died_are_released_flagged_and_no_others(store: Store) -> None:
    await accept(store, 1, elements=2, count=2)
    await accept(store, 2, count=1)
    await store.claim([(1, 1, 2), (2, 0, 0)])

    assert await store.release_chunks([(1, 0)]) == 1

    queued, sending = State.QUEUED, State.SENDING
    assert await states(store, 1) == [(queued, False), (queued, True), (sending, False), (queued, False)]
    assert await states(store, 2) == [(sending, False)]


async def test_a_parked_chunk_is_listed_and_owed_again_when_somebody_says_so(store: Store) -> None:
    await store.park([Parked(1, 0, NOW, 101), Parked(2, 3, NOW + 1, 101)])

    assert [row.request for row in await store.parked(10)] == [2, 1]
    assert await store.unpark((2, 3), NOW)
    assert not await store.unpark((2, 3), NOW)
    assert [row.request for row in await store.parked(10)] == [1]
    assert await store.take_outbox(NOW, 9, NOW + 5) == [Owed(NOW + 5, 2, 3, again=True)]


async def test_of_two_processes_that_claim_the_same_each_is_told_what_is_its_own(
    postgres_server: PostgresServer,
) -> None:
    store = PostgresDatabase.made(postgres_server).store()
    await store.open()
    await accept(store, 1, count=4)

    assert await store.claim([(1, 0, 1)]) is None
    assert await store.claim([(1, 1, 3)]) == {(1, 2), (1, 3)}
    assert await store.claim([(1, 0, 3)]) == set()
    await store.close()
