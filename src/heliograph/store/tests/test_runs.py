"""Runs on either database: a step is kept once, with all it does, whoever else tries."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from heliograph.model.automation import Entry, Run, RunState
from heliograph.model.events import Occurrence, OccurrenceState
from heliograph.model.message import Address, Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.people import DndRow
from heliograph.model.record import Accepted, Notice
from heliograph.model.record import Run as Destinations
from heliograph.store import Store
from heliograph.store.areas.automation.events import Happened
from heliograph.store.areas.automation.runs import Advance, Effects, Matched

NOW = 1_800_000_000_000
TEXT = ("t", "digest", "{}")


def occurrence(number: int) -> Occurrence:
    return Occurrence(number, "t", "s", "event", "1", {"parameters": {"a": 1}}, NOW)


def run(number: int, of: int, **more: object) -> Run:
    return replace(Run(number, of, "t", "s", "rule", "digest", NOW, due=NOW + 10), **more)  # type: ignore[arg-type]


def accepted(number: int) -> Accepted:
    message = Message(content=Content(channel="sms"), addresses=())
    request = Request(id=number, nonce=1, tenant="t", service="s", accepted=NOW, messages=(message,))
    return Accepted(request=request, runs=(Destinations(0, 0, "msisdn", "", ["447700900001"]),))


async def matched(store: Store, *numbers: int) -> list[Run]:
    """An occurrence with runs."""
    await store.accept_events(Happened([occurrence(1)]))
    runs = [run(number, 1) for number in numbers]
    assert await store.match(Matched(1, OccurrenceState.MATCHED, runs, [TEXT]))
    return runs


async def state_of(store: Store) -> OccurrenceState:
    [one] = await store.occurrences([1])
    return one.state


async def test_an_occurrence_is_matched_once(store: Store) -> None:
    await matched(store, 2)
    again = await store.match(Matched(1, OccurrenceState.MATCHED, [run(3, 1)], [TEXT]))

    assert not again
    assert [one.id for one in await store.runs_of([1])] == [2]
    assert await store.rule_texts([("t", "digest")]) == {("t", "digest"): "{}"}


async def test_of_two_who_do_the_same_step_one_does_it(store: Store) -> None:
    [one] = await matched(store, 2)
    moved = replace(one, turn=1, step=1)
    results = await asyncio.gather(
        *(store.advance(Advance(moved, Effects(accepted=accepted(number)))) for number in (10, 11))
    )
    later = await store.advance(Advance(moved, Effects(accepted=accepted(12))))

    assert sorted(result.took for result in (*results, later)) == [False, False, True]
    assert len(await store.requests([10, 11, 12])) == 1


async def test_a_step_and_what_it_does_are_kept_together(store: Store) -> None:
    [one] = await matched(store, 2)
    log = [Entry(NOW, "then[0]", "send", True, "x")]
    ended = replace(one, turn=1, step=-1, state=RunState.DONE, log=log, due=0, updated=NOW)
    effects = Effects(accepted=accepted(10), dnd=[DndRow("447700900001")], occurrences=[occurrence(5)])
    moved = await store.advance(Advance(ended, effects))

    assert moved.took
    assert await store.run(2) == ended
    assert await store.has_dnd("t")
    assert len(await store.transactions(10, None)) == 1
    assert [found.id for found in await store.occurrences([5])] == [5]


async def test_an_occurrence_is_done_when_its_last_run_ends(store: Store) -> None:
    first, second = await matched(store, 2, 3)
    await store.advance(Advance(replace(first, turn=1, state=RunState.DONE)))
    between = await state_of(store)
    await store.advance(Advance(replace(second, turn=1, state=RunState.FAILED)))

    assert (between, await state_of(store)) == (OccurrenceState.MATCHED, OccurrenceState.DONE)


async def test_runs_that_end_together_end_their_occurrence(store: Store) -> None:
    runs = await matched(store, 2, 3, 4)
    await asyncio.gather(*(store.advance(Advance(replace(one, turn=1, state=RunState.DONE))) for one in runs))

    assert await state_of(store) is OccurrenceState.DONE


async def test_a_run_that_is_due_is_given_to_one_process(store: Store) -> None:
    await matched(store, 2, 3)
    due = await store.next_run_due()
    first = await store.lease_runs(NOW + 10, NOW + 100, 1)
    second = await store.lease_runs(NOW + 10, NOW + 100, 10)
    third = await store.lease_runs(NOW + 10, NOW + 100, 10)

    assert due == NOW + 10
    assert ([one.id for one in first], [one.id for one in second], third) == ([2], [3], [])


async def test_at_start_runs_under_way_are_due_and_those_that_wait_for_a_time_are_not(store: Store) -> None:
    under_way, waiting, awaiting = await matched(store, 2, 3, 4)
    await store.advance(Advance(replace(waiting, turn=1, until=NOW + 500, due=NOW + 500)))
    await store.advance(
        Advance(replace(awaiting, turn=1, state=RunState.AWAITING, awaits=9, until=NOW + 500, due=NOW + 900))
    )

    assert await store.free_runs(NOW) == 2
    assert {one.id for one in await store.lease_runs(NOW, NOW + 1, 10)} == {under_way.id, awaiting.id}


async def test_a_run_that_waits_for_a_message_is_taken_until_its_wait_is_over(store: Store) -> None:
    [one] = await matched(store, 2)
    waits = replace(one, turn=1, state=RunState.AWAITING, awaits=9, until=NOW + 500, due=NOW)
    await store.advance(Advance(waits))
    await store.lease_runs(NOW, NOW + 100, 10)

    assert await store.next_run_due() == NOW + 600


async def test_runs_that_ended_long_ago_go(store: Store) -> None:
    first, _ = await matched(store, 2, 3)
    await store.advance(Advance(replace(first, turn=1, state=RunState.DONE)))

    assert await store.purge_runs(100, 10) == 1
    assert [one.id for one in await store.runs_of([1])] == [3]
    assert await store.run_counts() == {RunState.OPEN: 1}


async def test_whoever_waits_for_the_end_is_told_once_and_whether_all_went_well(store: Store) -> None:
    runs = await matched(store, 2, 3)
    good, bad = (
        Notice(
            9,
            0,
            0,
            0,
            Address("", ""),
            State.DELIVERED,
            "inbound",
            "",
            NOW,
            "http://a/",
            "http://a:80",
            "t",
            "s",
            0,
            body,
        )
        for body in ("good", "bad")
    )
    states = (RunState.DONE, RunState.FAILED)
    moved = await asyncio.gather(
        *(
            store.advance(Advance(replace(one, turn=1, state=state), ended=(good, bad)))
            for one, state in zip(runs, states, strict=True)
        )
    )

    assert [one.owed.body for one in moved if one.owed] == ["bad"]
    assert [one.body for one in await store.due_notices("http://a:80", NOW, 10, [])] == ["bad"]
