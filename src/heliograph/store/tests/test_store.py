"""What the verbs rely on, one fact each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec import json, structs

from heliograph.model.ids import EPOCH_MS, first_id_at
from heliograph.model.outcome import State
from heliograph.model.record import (
    KEPT_MS,
    Accepted,
    Change,
    Counted,
    Delivery,
    KeptAnswer,
    Reported,
    Settlement,
    StoryLine,
    Told,
)
from heliograph.store import Store, StoreUnavailable
from heliograph.store.filters import MessageFilter
from heliograph.testing.databases import Database

Accept = Callable[..., Accepted]


def submitted(request: int, ordinal: int, *natives: str, due: int = 0, notice: int = 0) -> Change:
    """The far end took it."""
    return Change(
        request, ordinal, State.SUBMITTED, "submitted", 2_000, attempt=1, connector="demo/smsc", due=due,
        notice=notice, url="http://caller/x" if notice else "", origin="http://caller:80" if notice else "",
        natives=natives,
    )  # fmt: skip


def ended(request: int, ordinal: int, state: State, key: str, notice: int = 0) -> Change:
    """It came to an end."""
    return Change(
        request, ordinal, state, key, 3_000, notice=notice, url="http://caller/x" if notice else "",
        origin="http://caller:80" if notice else "",
    )  # fmt: skip


async def settle(store: Store, *changes: Change) -> list[bool]:
    """Apply changes in one settlement."""
    return await store.settle(Settlement(changes=list(changes)))


def receipt(number: int, request: int, ordinal: int, native: str = "n1") -> Reported:
    """A stored receipt."""
    return Reported(number, request, ordinal, 0, "demo/smsc", native, "delivered", 4_000, raw="id:n1 stat:DELIVRD")


async def test_accepted_transactions_are_queued(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)

    rows = await store.pending([call.request.id])

    assert [(row.ordinal, row.address.value, row.state) for row in rows] == [
        (0, "447700900001", State.QUEUED),
        (1, "447700900002", State.QUEUED),
        (2, "447700900003", State.QUEUED),
    ]


async def test_a_long_run_is_kept_like_a_short_one(store: Store, accepted: Accept) -> None:
    call = accepted([f"44770090{number:04d}" for number in range(1_000)])
    await store.accept(call)

    assert len(await store.transactions(call.request.id, None)) == 1_000


async def test_a_request_comes_back_as_it_was(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    store._requests.pop(call.request.id)  # read from the table, not from the cache

    assert await store.requests([call.request.id]) == {call.request.id: call.request}


async def test_what_was_decided_at_acceptance_is_kept_in_the_same_commit(store: Store, accepted: Accept) -> None:
    call = accepted()
    refused = ended(call.request.id, 1, State.FAILED, "invalid_address", notice=9)
    await store.accept(Accepted(request=call.request, runs=call.runs, changes=(refused,)))

    rows = await store.transactions(call.request.id, None)

    assert [row.key for row in rows] == ["", "invalid_address", ""]
    assert [notice.id for notice in await store.due_notices("http://caller:80", 9_999, 10, [])] == [9]


async def test_a_claim_counts_an_attempt(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await store.claim([(call.request.id, 0, 1)])

    rows = await store.transactions(call.request.id, None)

    assert [(row.state, row.attempt) for row in rows] == [(State.SENDING, 1), (State.SENDING, 1), (State.QUEUED, 0)]


@pytest.mark.parametrize(
    ("first", "second", "took"),
    [
        ((State.SUBMITTED, "submitted"), (State.DELIVERED, "delivered"), True),
        ((State.SUBMITTED, "submitted"), (State.SUBMITTED, "submitted"), False),
        ((State.DELIVERED, "delivered"), (State.SUBMITTED, "submitted"), False),
        ((State.DELIVERED, "delivered"), (State.FAILED, "sim_full"), False),
        ((State.FAILED, "sim_full"), (State.DELIVERED, "delivered"), False),
        ((State.DELIVERED, "delivered"), (State.READ, "read"), True),
        ((State.LAPSED, "unknown_status"), (State.DELIVERED, "delivered"), True),
        ((State.SUBMITTED, "submitted"), (State.QUEUED, ""), False),
    ],
)
async def test_states_only_move_forward(
    store: Store, accepted: Accept, first: tuple[State, str], second: tuple[State, str], took: bool
) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, ended(call.request.id, 0, *first))

    assert await settle(store, ended(call.request.id, 0, *second)) == [took]


async def test_what_was_being_sent_can_be_queued_again(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await store.claim([(call.request.id, 0, 0)])
    again = Change(call.request.id, 0, State.QUEUED, "failed_at_operator", 5, attempt=1, due=8_000)

    assert await settle(store, again) == [True]
    assert (await store.transactions(call.request.id, 0))[0].due == 8_000


async def test_two_changes_of_one_transaction_in_a_group_both_count(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)

    took = await settle(
        store,
        submitted(call.request.id, 0, "n1", notice=1),
        ended(call.request.id, 0, State.DELIVERED, "delivered", notice=2),
    )

    assert took == [True, True]
    assert [notice.key for notice in await store.due_notices("http://caller:80", 9_999, 10, [])] == [
        "submitted",
        "delivered",
    ]


async def test_a_change_that_does_not_take_effect_tells_nobody(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, ended(call.request.id, 0, State.DELIVERED, "delivered", notice=1))
    await settle(store, ended(call.request.id, 0, State.DELIVERED, "delivered", notice=2))

    assert [notice.id for notice in await store.due_notices("http://caller:80", 9_999, 10, [])] == [1]


async def test_changes_that_are_alike_keep_each_its_own_ids_and_notice(store: Store, accepted: Accept) -> None:
    call = accepted([f"4477009{number:05d}" for number in range(300)])
    await store.accept(call)
    await settle(store, ended(call.request.id, 7, State.DELIVERED, "delivered"))
    changes = [submitted(call.request.id, ordinal, f"a{ordinal}", "b", notice=ordinal + 1) for ordinal in range(300)]

    took = await settle(store, *changes)

    assert took == [ordinal != 7 for ordinal in range(300)]
    rows = await store.transactions(call.request.id, None)
    assert [json.decode(row.natives) for row in rows] == [[f"a{ordinal}", "b"] for ordinal in range(300)]
    told = await store.due_notices("http://caller:80", 9_999, 400, [])
    assert sorted((notice.ordinal, notice.id) for notice in told) == [
        (ordinal, ordinal + 1) for ordinal in range(300) if ordinal != 7
    ]


async def test_an_id_with_a_nul_is_kept_somehow(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)

    assert await settle(store, submitted(call.request.id, 0, "a\0b")) == [True]
    assert (await store.transactions(call.request.id, 0))[0].state is State.SUBMITTED


async def test_a_request_stays_open_until_everything_went_out(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    for ordinal in range(3):
        assert [entry.request for entry in await store.open_requests(0, 10)] == [call.request.id]
        await settle(store, submitted(call.request.id, ordinal, f"n{ordinal}"))

    assert await store.open_requests(0, 10) == []


async def test_a_native_id_finds_its_transaction_and_part(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 1, "a", "b"))

    match = (await store.matches([("demo/smsc", "b")]))["demo/smsc", "b"]

    assert (match.transaction.ordinal, match.part, match.parts) == (1, 1, 2)


async def test_a_native_id_on_another_connector_is_another(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 1, "a"))

    assert await store.matches([("demo/other", "a")]) == {}


async def test_a_native_id_used_again_belongs_to_the_later_message(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a"))
    await settle(store, submitted(call.request.id, 2, "a"))

    assert (await store.matches([("demo/smsc", "a")]))["demo/smsc", "a"].transaction.ordinal == 2


async def test_receipts_are_kept_with_what_they_change(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    delivered = ended(call.request.id, 0, State.DELIVERED, "delivered")

    took = await store.receive([receipt(5, call.request.id, 0)], Settlement(changes=[delivered]), [])

    assert took == [True]
    assert [row.raw for row in await store.receipts(call.request.id, 0)] == ["id:n1 stat:DELIVRD"]


async def test_an_unmatched_receipt_is_kept_and_can_be_adopted(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await store.receive([receipt(5, 0, 0)], Settlement(changes=[]), [])
    assert [row.id for row in await store.unmatched(0, 10)] == [5]

    await store.receive([], Settlement(changes=[]), [receipt(5, call.request.id, 2)])

    assert await store.unmatched(0, 10) == []
    assert [row.id for row in await store.receipts(call.request.id, 2)] == [5]


async def test_an_unmatched_receipt_is_found_again_once_its_submission_is_known(
    store: Store, accepted: Accept
) -> None:
    call = accepted()
    await store.accept(call)
    await store.receive([receipt(5, 0, 0)], Settlement(changes=[]), [])
    assert await store.rematched() == []

    await settle(store, submitted(call.request.id, 2, "n1"))

    assert [(row.id, match.transaction.ordinal) for row, match in await store.rematched()] == [(5, 2)]


async def test_a_window_that_is_over_shows_what_still_waits(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a", due=500), submitted(call.request.id, 1, "b", due=500))
    await settle(store, ended(call.request.id, 1, State.DELIVERED, "delivered"))

    assert await store.window_edge(499, 10) == 0
    assert await store.window_edge(500, 10) == 500
    assert [row.ordinal for row in await store.lapsed(500)] == [0]


async def test_a_told_notice_is_not_owed_any_more(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a", notice=1))

    await store.told([Told(call.request.id, 0, 1, Delivery.DONE, 1, 5, status=200)])

    assert await store.notice_origins(9_999) == []


async def test_a_retried_notice_is_owed_from_its_time_on(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a", notice=1))

    await store.told([Told(call.request.id, 0, 1, Delivery.PENDING, 1, 5, due=8_000, status=500)])

    assert await store.notice_origins(7_999) == []
    assert await store.notice_origins(8_000) == ["http://caller:80"]


async def test_a_parked_notice_can_be_replayed(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a", notice=1))
    await store.told([Told(call.request.id, 0, 1, Delivery.PARKED, 9, 5, status=500)])

    assert await store.replay((call.request.id, 0, 1), 6_000) == "http://caller:80"
    assert [notice.id for notice in await store.due_notices("http://caller:80", 6_000, 10, [])] == [1]


async def test_replaying_what_does_not_exist_says_so(store: Store) -> None:
    assert await store.replay((1, 2, 3), 6_000) is None


async def test_notices_in_flight_are_not_given_twice(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a", notice=1), submitted(call.request.id, 1, "b", notice=2))

    assert [notice.id for notice in await store.due_notices("http://caller:80", 9_999, 10, [1])] == [2]


async def test_the_story_comes_back_in_order(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    lines = [StoryLine(number, call.request.id, 0, number, "attempt", '{"a":1}') for number in (1, 2)]
    await store.settle(Settlement(changes=[], story=lines))

    assert await store.story(call.request.id, 0) == lines


async def test_old_settled_requests_are_purged_and_open_ones_are_not(store: Store, accepted: Accept) -> None:
    old, waiting, young = accepted(["1"]), accepted(["2"]), accepted(["3"])
    for call in (old, waiting, young):
        await store.accept(call)
    for call in (old, young):
        await settle(store, submitted(call.request.id, 0, f"n{call.request.id}"))

    assert await store.purge(young.request.id, 100) == 1
    assert await store.transactions(old.request.id, None) == []
    assert len(await store.transactions(waiting.request.id, None)) == 1


async def test_counts_add_up_to_what_was_accepted(store: Store, accepted: Accept) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a"))

    assert await store.counts() == {State.QUEUED: 2, State.SUBMITTED: 1}
    assert await store.pending_counts() == (2, 0, 0)


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (MessageFilter("demo"), 3),
        (MessageFilter("other"), 0),
        (MessageFilter("demo", channel="sms"), 3),
        (MessageFilter("demo", channel="voice"), 0),
        (MessageFilter("demo", keys=("submitted",)), 1),
        (MessageFilter("demo", state=State.QUEUED), 2),
        (MessageFilter("demo", destination="447700900002"), 1),
        (MessageFilter("demo", limit=2), 2),
        (MessageFilter("demo", service="orders", correlation="none"), 0),
    ],
)
async def test_messages_are_found(store: Store, accepted: Accept, chosen: MessageFilter, count: int) -> None:
    call = accepted()
    await store.accept(call)
    await settle(store, submitted(call.request.id, 0, "a"))

    assert len(await store.recent(chosen)) == count


async def test_what_was_being_sent_when_the_process_died_is_queued_and_flagged(
    database: Database, accepted: Accept
) -> None:
    call = accepted()
    store = database.store()
    await store.open()
    await store.accept(call)
    await store.claim([(call.request.id, 0, 0)])
    await store.close()

    reopened = database.store()
    await reopened.open()
    assert await reopened.release_claims() == 1
    rows = await reopened.transactions(call.request.id, None)
    await reopened.close()

    assert [(row.state, row.duplicate) for row in rows] == [
        (State.QUEUED, True),
        (State.QUEUED, False),
        (State.QUEUED, False),
    ]


async def test_a_key_of_a_caller_is_kept_once_and_its_second_call_fails_alone(store: Store, accepted: Accept) -> None:
    def named(call: Accepted) -> Accepted:
        kept = KeptAnswer(call.request.id, "demo", "orders", "k", "d", f"{call.request.id}")
        return structs.replace(call, kept=kept, counted=(Counted("demo", "d1", 2, 3),))

    first, second, third = named(accepted()), named(accepted()), accepted()
    results = await asyncio.gather(*map(store.accept, (first, second, third)), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), StoreUnavailable, type(None)]
    assert await store.transactions(second.request.id, None) == []
    kept = await store.kept_answer("demo", "orders", "k", 0)
    assert kept == first.kept
    assert await store.volumes(0) == [Counted("demo", "d1", 2, 3)]


async def test_a_key_is_free_again_after_a_day(store: Store, accepted: Accept) -> None:
    for request in (1 << 22, first_id_at(EPOCH_MS + KEPT_MS + 2)):
        call = accepted()
        kept = KeptAnswer(request, "demo", "orders", "k", "d", str(request))
        await store.accept(structs.replace(call, kept=kept))

    found = await store.kept_answer("demo", "orders", "k", EPOCH_MS + KEPT_MS + 2)
    assert found is not None
    assert found.answer == str(request)
