"""Receipts that speak of a person and a moment, and references of ours that a far end repeats: in any order."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.model.outcome import Receipt, Reference, State
from heliograph.receipts import references

DELIVERED, READ = (State.DELIVERED, "delivered"), (State.READ, "read")
SUBMITTED = (State.SUBMITTED, "submitted")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks are looked at again after a moment."""
    monkeypatch.setattr(references, "AGAIN_SECONDS", (0.05, 0.1))


def mark(until: int, key: str = "delivered", person: str = "p") -> Receipt:
    return Receipt("", "", key, "watermark", destination=person, until_ms=until)


def echo(reference: Reference, native_id: str, sent_ms: int = 0) -> Receipt:
    return Receipt("", native_id, "submitted", "echo", destination="p", reference=reference, sent_ms=sent_ms)


async def message(desk: Any, at: int, *natives: str, person: str = "p", **more: Any) -> Any:
    """A message that went to a person at a moment."""
    found = await desk.message(*(natives or (f"n{at}",)), **more)
    await desk.went(found, person, at, more.get("connector", "demo/smsc"))
    return found


async def test_a_mark_closes_everything_before_and_nothing_after(desk: Any) -> None:
    first, second, third = [await message(desk, at) for at in (100, 200, 300)]

    assert await desk.come(mark(200)) == [True]
    assert [await desk.state(item) for item in (first, second, third)] == [DELIVERED, DELIVERED, SUBMITTED]
    assert len(await desk.store.receipts(second.request, 0)) == 1
    assert len(desk.told) == 2


async def test_a_mark_speaks_of_one_person_and_one_connector(desk: Any) -> None:
    other = await message(desk, 100, "a", person="q")
    elsewhere = await message(desk, 100, "b", connector="demo/idle")
    await desk.come(mark(200))

    assert [await desk.state(item) for item in (other, elsewhere)] == [SUBMITTED, SUBMITTED]


async def test_a_read_closes_what_was_delivered_and_what_was_not(desk: Any) -> None:
    first, second = await message(desk, 100), await message(desk, 200)
    await desk.come(mark(100))
    await desk.come(mark(200, "read"))

    assert [await desk.state(item) for item in (first, second)] == [READ, READ]


@pytest.mark.parametrize("state", [(State.FAILED, "sim_full"), READ])
async def test_a_mark_does_not_move_what_has_ended(desk: Any, state: tuple[State, str]) -> None:
    ended = await message(desk, 100)
    await desk.settle(ended, *state)
    await desk.come(mark(200), mark(200, "read"))

    assert await desk.state(ended) == state


async def test_a_mark_moves_on_what_has_lapsed(desk: Any) -> None:
    late = await message(desk, 100)
    await desk.settle(late, State.LAPSED, "receipt_expired")
    await desk.come(mark(200))

    assert await desk.state(late) == DELIVERED


async def test_a_mark_that_comes_twice_changes_nothing_and_leaves_no_trace(desk: Any) -> None:
    once = await message(desk, 100)
    await desk.come(mark(200))
    await desk.come(mark(200), mark(150))

    assert len(await desk.store.receipts(once.request, 0)) == 1
    assert await desk.store.unmatched(0, 10) == []


async def test_a_mark_before_the_answer_is_stored_finds_its_message_later(desk: Any) -> None:
    early = await desk.message("n", known=False)
    assert await desk.come(mark(200)) == [True]
    assert await desk.state(early) == (State.SENDING, "")
    await desk.answer(early, "n")
    await desk.went(early, "p", 100)
    await desk.until(early, DELIVERED)

    assert [row.native_id for row in await desk.store.receipts(early.request, 0)] == ["p@0000000000200"]
    assert await desk.store.unmatched(0, 10) == []


async def test_a_mark_before_the_answer_in_a_thread_that_is_known(desk: Any) -> None:
    await message(desk, 50)
    await desk.come(mark(60))
    early = await desk.message("n", known=False)
    await desk.come(mark(200, "read"))
    await desk.answer(early, "n")
    await desk.went(early, "p", 100)

    await desk.until(early, READ)


async def test_a_mark_for_nobody_we_know_is_kept_and_shown(desk: Any) -> None:
    await desk.come(mark(200, person="stranger"))
    [kept] = await desk.store.unmatched(0, 10)

    assert (kept.native_id, kept.destination) == ("stranger@0000000000200", "stranger")
    assert desk.receiver.counts["unmatched"] == 1


async def test_a_mark_that_cannot_be_kept_is_given_back(desk: Any) -> None:
    await message(desk, 100)
    desk.store.weak["sent_until"] = 1

    assert await desk.come(mark(200)) == [False]
    assert await desk.come(mark(200)) == [True]


async def test_marks_and_ids_together_close_each_message_once(desk: Any) -> None:
    first, second = await message(desk, 100, "a"), await message(desk, 200, "b")
    await desk.come(Receipt("", "b", "delivered", "delivery"), mark(200))

    assert [await desk.state(item) for item in (first, second)] == [DELIVERED, DELIVERED]
    assert len(desk.told) == 2
    assert len(await desk.store.receipts(second.request, 0)) == 1


async def test_a_failure_and_a_mark_together_are_a_failure(desk: Any) -> None:
    failed = await message(desk, 100, "a")
    await desk.come(Receipt("", "a", "sim_full", "failed"), mark(200, "read"))

    assert await desk.state(failed) == (State.FAILED, "sim_full")


# References


async def test_an_echo_settles_a_submit_whose_answer_never_came(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.come(echo(Reference(lost.request, 0), "m1", 100))

    assert await desk.state(lost) == SUBMITTED
    assert (await desk.row(lost)).natives == '["m1"]'
    assert [notice.key for notice in desk.told] == ["submitted"]
    await desk.come(Receipt("", "m1", "delivered"))
    assert await desk.state(lost) == DELIVERED


async def test_what_an_echo_settled_is_known_after_a_restart_and_by_its_moment(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.come(echo(Reference(lost.request, 0), "m1", 100))
    desk.correlator.__init__()
    await desk.come(Receipt("", "m1", "delivered"))
    assert await desk.state(lost) == DELIVERED
    await desk.come(mark(100, "read"))
    assert await desk.state(lost) == READ


async def test_a_late_end_of_waiting_does_not_undo_an_echo(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.come(echo(Reference(lost.request, 0), "m1"))
    await desk.gave_up(lost)

    assert await desk.state(lost) == SUBMITTED


async def test_an_echo_after_the_end_of_waiting_makes_the_id_known(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.gave_up(lost)
    await desk.come(echo(Reference(lost.request, 0), "m1"))
    desk.correlator.__init__()

    assert (await desk.state(lost))[0] is State.LAPSED
    await desk.come(Receipt("", "m1", "delivered"))
    assert await desk.state(lost) == DELIVERED


async def test_an_echo_of_what_was_answered_leaves_no_trace_but_the_moment(desk: Any) -> None:
    known = await desk.message("m1")
    await desk.come(echo(Reference(known.request, 0), "m1", 100))

    assert await desk.store.receipts(known.request, 0) == []
    assert len(desk.told) == 0
    await desk.come(mark(100))
    assert await desk.state(known) == DELIVERED


async def test_an_outcome_with_a_reference_finds_its_message(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.come(Receipt("", "wamid.1", "read", "read", reference=Reference(lost.request, 0)))

    assert await desk.state(lost) == READ


async def test_the_parts_of_a_message_are_settled_each_by_its_own_echo(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.come(echo(Reference(lost.request, 0, 0, 2), "a"))
    await desk.come(echo(Reference(lost.request, 0, 1, 2), "b"))
    desk.correlator.__init__()
    await desk.come(Receipt("", "a", "delivered"))
    assert await desk.state(lost) == SUBMITTED
    await desk.come(Receipt("", "b", "delivered"))
    assert await desk.state(lost) == DELIVERED


@pytest.mark.parametrize("parts", [["a", "b"], ["b", "a"]])
async def test_a_message_in_parts_is_read_when_every_part_is(desk: Any, parts: list[str]) -> None:
    both = await desk.message("a", "b")
    for part in parts:
        await desk.come(Receipt("", part, "delivered"))
    await desk.come(Receipt("", parts[0], "read"))
    assert await desk.state(both) == DELIVERED
    await desk.come(Receipt("", parts[1], "read"))
    assert await desk.state(both) == READ


async def test_nobody_speaks_of_another_tenants_messages(desk: Any) -> None:
    lost = await desk.message(known=False)
    await desk.come(echo(Reference(lost.request, 0), "m1"), connector="other/a_1")

    assert (await desk.state(lost))[0] is State.SENDING
    assert [row.native_id for row in await desk.store.unmatched(0, 10)] == ["m1"]


async def test_a_reference_to_nothing_is_kept_and_shown(desk: Any) -> None:
    await desk.come(echo(Reference(1, 2), "m1"))

    assert [row.native_id for row in await desk.store.unmatched(0, 10)] == ["m1"]
