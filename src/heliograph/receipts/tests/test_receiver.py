"""Receipts in any order, each fact once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.outcome import Receipt, State

Make = Callable[..., Receipt]

DELIVERED = (State.DELIVERED, "delivered")
SUBMITTED = (State.SUBMITTED, "submitted")


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("delivered", State.DELIVERED),
        ("read", State.READ),
        ("sim_full", State.FAILED),
        ("submitted", State.SUBMITTED),
    ],
)
async def test_a_receipt_moves_its_message(desk: Any, receipt: Make, key: str, state: State) -> None:
    message = await desk.message("n1")

    assert await desk.come(receipt("n1", key)) == [True]
    assert await desk.state(message) == (state, key)


async def test_what_changed_is_told_once(desk: Any, receipt: Make) -> None:
    await desk.message("n1")
    await desk.come(receipt("n1"), receipt("n1"))
    await desk.come(receipt("n1"))

    assert [(notice.key, notice.url) for notice in desk.told] == [("delivered", "http://caller/dr")]


async def test_duplicate_receipts_are_all_kept(desk: Any, receipt: Make) -> None:
    message = await desk.message("n1")
    await desk.come(receipt("n1"), receipt("n1"))

    assert len(await desk.store.receipts(message.request, 0)) == 2


async def test_a_failure_tells_the_native_words(desk: Any, receipt: Make) -> None:
    message = await desk.message("n1")
    await desk.come(receipt("n1", "sim_full", "072"))

    assert (await desk.row(message)).detail == "072"


async def test_a_receipt_before_the_answer_to_its_submit_waits_for_it(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    assert await desk.come(receipt("n1")) == [True]
    await desk.answer(message, "n1")
    await desk.receiver.drained()

    assert await desk.state(message) == DELIVERED
    assert await desk.store.unmatched(0, 9) == []
    assert [item.native_id for item in await desk.store.receipts(message.request, 0)] == ["n1"]


@pytest.mark.parametrize("keys", [("submitted", "delivered"), ("delivered", "submitted"), ("delivered", "delivered")])
async def test_several_receipts_before_the_answer_all_count(desk: Any, receipt: Make, keys: tuple[str, str]) -> None:
    message = await desk.message(known=False)
    for key in keys:
        await desk.come(receipt("n1", key))
    await desk.answer(message, "n1")
    await desk.receiver.drained()

    assert await desk.state(message) == DELIVERED
    assert await desk.store.unmatched(0, 9) == []


async def test_a_receipt_that_outruns_the_commit_of_the_answer_loses_nothing_of_it(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    desk.correlator.submitted("demo/smsc", ("n1", "n2"), message)
    await desk.come(receipt("n1", "sim_full"))
    await desk.settle(message, State.SUBMITTED, "submitted", ("n1", "n2"), "demo/smsc")
    row = await desk.row(message)

    assert (row.state, row.key, row.natives, row.connector) == (
        State.FAILED, "multipart_failed", '["n1","n2"]', "demo/smsc",
    )  # fmt: skip
    assert set(await desk.store.matches([("demo/smsc", "n2")])) == {("demo/smsc", "n2")}


async def test_a_receipt_for_nobody_is_kept_and_shown(desk: Any, receipt: Make) -> None:
    assert await desk.come(receipt("n9")) == [True]

    assert [item.native_id for item in await desk.store.unmatched(0, 9)] == ["n9"]
    assert (desk.told, desk.receiver.counts["unmatched"]) == ([], 1)


async def test_one_native_id_on_two_connectors_is_two_messages(desk: Any, receipt: Make) -> None:
    here, there = await desk.message("n1"), await desk.message("n1", connector="demo/idle")
    await desk.come(receipt("n1"), connector="demo/idle")

    assert (await desk.state(here), await desk.state(there)) == (SUBMITTED, DELIVERED)


async def test_a_receipt_long_after_a_restart_finds_its_message(desk: Any, receipt: Make) -> None:
    message = await desk.message("n1")
    desk.correlator.__init__()
    desk.now += 72 * 3_600_000
    await desk.come(receipt("n1"))

    assert await desk.state(message) == DELIVERED


@pytest.mark.parametrize(
    ("before", "key", "after", "told"),
    [
        ((State.LAPSED, "unknown_status"), "delivered", DELIVERED, 1),
        ((State.LAPSED, "unknown_status"), "sim_full", (State.FAILED, "sim_full"), 1),
        ((State.LAPSED, "unknown_status"), "submitted", (State.LAPSED, "unknown_status"), 0),
        ((State.FAILED, "sim_full"), "delivered", (State.FAILED, "sim_full"), 0),
        ((State.DELIVERED, "delivered"), "sim_full", DELIVERED, 0),
        ((State.DELIVERED, "delivered"), "read", (State.READ, "read"), 1),
        ((State.READ, "read"), "delivered", (State.READ, "read"), 0),
    ],
)
async def test_a_late_receipt_moves_on_only_what_may_move(
    desk: Any, receipt: Make, before: Any, key: str, after: Any, told: int
) -> None:
    message = await desk.message("n1")
    await desk.settle(message, *before)
    await desk.come(receipt("n1", key))

    assert (await desk.state(message), len(desk.told)) == (after, told)
    assert len(await desk.store.receipts(message.request, 0)) == 1


@pytest.mark.parametrize("interims", [0, 1, 2])
async def test_a_receipt_that_names_the_destination_finds_an_unanswered_submit(
    desk: Any, receipt: Make, interims: int
) -> None:
    message = await desk.message(known=False)
    desk.correlator.unanswered("demo/smsc", "447700900001", message)
    await desk.settle(message, State.LAPSED, "unknown_status")
    for _ in range(interims):
        await desk.come(receipt("n7", "submitted"))
    await desk.come(receipt("n7"))

    assert await desk.state(message) == DELIVERED
    assert len(await desk.store.receipts(message.request, 0)) == interims + 1


async def test_two_receipts_of_one_id_in_one_batch_take_one_unanswered_submit(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    desk.correlator.unanswered("demo/smsc", "447700900001", message)
    await desk.come(receipt("n7", "submitted"), receipt("n7"))

    assert await desk.state(message) == DELIVERED
    assert await desk.store.unmatched(0, 9) == []


async def test_an_unanswered_submit_is_not_taken_for_another_connector(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    desk.correlator.unanswered("demo/smsc", "447700900001", message)
    await desk.come(receipt("n7"), connector="demo/idle")

    assert len(await desk.store.unmatched(0, 9)) == 1


async def test_a_store_that_fails_gives_receipts_back_and_takes_them_again(desk: Any, receipt: Make) -> None:
    message = await desk.message("n1")
    desk.store.weak["receive"] = 1

    assert await desk.come(receipt("n1")) == [False]
    assert await desk.state(message) == SUBMITTED
    assert await desk.come(receipt("n1")) == [True]
    assert await desk.state(message) == DELIVERED
    assert len(desk.told) == 1


async def test_a_receipt_by_destination_that_could_not_be_kept_is_not_lost(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    desk.correlator.unanswered("demo/smsc", "447700900001", message)
    await desk.settle(message, State.LAPSED, "unknown_status")
    desk.store.weak["receive"] = 1

    assert [await desk.come(receipt("n7")), await desk.come(receipt("n7"))] == [[False], [True]]
    assert await desk.state(message) == DELIVERED


async def test_an_adoption_that_fails_is_tried_again(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    await desk.come(receipt("n1"))
    desk.store.weak["receive"] = 2
    await desk.answer(message, "n1")
    async with asyncio.timeout(5):
        while await desk.state(message) != DELIVERED:
            await asyncio.sleep(0.005)

    assert await desk.store.unmatched(0, 9) == []


async def test_a_receipt_that_was_given_back_is_not_counted_as_kept(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    desk.store.weak["receive"] = 1
    await desk.come(receipt("n1"))
    await desk.answer(message, "n1")
    await desk.receiver.drained()
    await desk.come(receipt("n1"))

    assert await desk.state(message) == DELIVERED
    assert len(await desk.store.receipts(message.request, 0)) == 1
    assert len(desk.told) == 1


async def test_after_a_crash_between_the_two_commits_receipts_are_matched(desk: Any, receipt: Make) -> None:
    message = await desk.message(known=False)
    await desk.come(receipt("n1"))
    await desk.settle(message, State.SUBMITTED, "submitted", ("n1",), "demo/smsc")
    assert await desk.receiver.recover() == 1
    await desk.receiver.drained()

    assert await desk.state(message) == DELIVERED


# Parts


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
async def test_a_message_in_parts_is_delivered_once_all_parts_are(
    desk: Any, receipt: Make, order: tuple[int, ...]
) -> None:
    natives = ("a", "b", "c")
    message = await desk.message(*natives)
    states = []
    for part in order:
        await desk.come(receipt(natives[part]))
        states.append(await desk.state(message))

    assert states == [SUBMITTED, SUBMITTED, DELIVERED]
    assert [notice.key for notice in desk.told] == ["delivered"]


async def test_all_parts_in_one_batch_deliver_once(desk: Any, receipt: Make) -> None:
    await desk.message("a", "b")
    await desk.come(receipt("a"), receipt("b"), receipt("a"))

    assert [notice.key for notice in desk.told] == ["delivered"]


async def test_a_part_that_is_told_twice_is_one_part(desk: Any, receipt: Make) -> None:
    message = await desk.message("a", "b")
    await desk.come(receipt("a"), receipt("a"))

    assert await desk.state(message) == SUBMITTED


async def test_one_failed_part_fails_the_message_with_its_words(desk: Any, receipt: Make) -> None:
    message = await desk.message("a", "b", "c")
    await desk.come(receipt("a"))
    await desk.come(receipt("c", "sim_full", "072"))
    await desk.come(receipt("b", "unknown_subscriber"))
    row = await desk.row(message)

    assert (row.state, row.key, row.detail) == (
        State.FAILED,
        "multipart_failed",
        "part 3 of 3: 7206 Can't deliver. Subscriber SIM Full 072",
    )


async def test_an_interim_part_is_not_a_delivered_part(desk: Any, receipt: Make) -> None:
    message = await desk.message("a", "b")
    await desk.come(receipt("a", "submitted"), receipt("b"))

    assert await desk.state(message) == SUBMITTED


async def test_parts_are_remembered_over_a_restart(desk: Any, receipt: Make) -> None:
    message = await desk.message("a", "b")
    await desk.come(receipt("a"))
    desk.correlator.__init__()
    desk.receiver._planner._parts.__init__(desk.store)
    await desk.come(receipt("b"))

    assert await desk.state(message) == DELIVERED
