"""What becomes of a message on its way out, one fact each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.model.outcome import SendError, State, Submitted

Numbers = Callable[..., list[str]]
SOON = SendError("failed_at_operator", "soon", "ESME_RSYSERR", "busy")
WAITING = SendError("gcm_server_error", "wait", after=5.0)
THROTTLED = SendError("failed_at_operator", "free", "ESME_RTHROTTLED")


async def test_what_is_taken_is_submitted_under_the_far_ends_id(desk: Any) -> None:
    request = await desk.call("447700900001")
    [row] = await desk.reach(request, State.SUBMITTED)

    assert (row.key, row.attempt, row.connector, row.natives) == (
        "submitted", 1, "demo/a", f'["{request.id}.0.1"]',
    )  # fmt: skip


async def test_everybody_is_told_after_the_commit(desk: Any, some: Numbers) -> None:
    request = await desk.call(*some(30))
    await desk.reach(request, State.SUBMITTED)
    await desk.until(lambda: len(desk.told) == 30)

    assert {(notice.key, notice.ordinal) for notice in desk.told} == {("submitted", ordinal) for ordinal in range(30)}


@pytest.mark.parametrize("elements", [1, 5])
async def test_a_class_is_sent_in_the_order_of_acceptance(desk: Any, some: Numbers, elements: int) -> None:
    calls = [await desk.call(*some(10, start), elements=elements) for start in range(0, 100, 10)]
    for call in calls:
        await desk.reach(call, State.SUBMITTED)

    assert desk.far["a"].numbers == some(100)


async def test_a_higher_priority_overtakes_what_is_not_claimed(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.up = False
    low = await desk.call(*some(20), priority=1)
    high = await desk.call(*some(20, 50), priority=5)
    far.rise()
    await desk.reach(low, State.SUBMITTED)
    await desk.reach(high, State.SUBMITTED)

    assert far.numbers == some(20, 50) + some(20)


async def test_the_window_is_never_exceeded(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(60))
    most = 0
    while len(far.submits) < 60 or far.open:
        await desk.until(lambda: far.open)
        most = max(most, len(far.open))
        for outbound in list(far.open.values())[:3]:
            far.answer(outbound, Submitted((str(outbound.ordinal),)))
        await asyncio.sleep(0)
    await desk.reach(request, State.SUBMITTED)

    assert (most, far.overrun) == (desk.window, 0)


@pytest.mark.parametrize(
    ("result", "state", "key"),
    [
        (SendError("sim_full", "no", "72", "full"), State.FAILED, "sim_full"),
        (SendError("unknown_status", "unknown"), State.LAPSED, "unknown_status"),
    ],
)
async def test_what_may_not_be_sent_again_is_sent_once(desk: Any, result: SendError, state: State, key: str) -> None:
    desk.far["a"].script = lambda outbound: result
    request = await desk.call("447700900001")
    [row] = await desk.reach(request, state)

    assert (row.key, row.attempt, len(desk.far["a"].submits)) == (key, 1, 1)


async def test_a_refusal_keeps_the_native_words(desk: Any) -> None:
    desk.far["a"].script = lambda outbound: SendError("sim_full", "no", "72", "full")
    request = await desk.call("447700900001")

    assert [row.detail for row in await desk.reach(request, State.FAILED)] == ["72 full"]


async def test_a_failed_attempt_waits_for_its_delay(desk: Any) -> None:
    desk.far["a"].script = lambda outbound: SOON
    request = await desk.call("447700900001")
    started = desk.ms()
    await desk.until(lambda: desk.dispatcher.counts["retried"])
    [row] = await desk.reach(request, State.QUEUED)

    assert (row.attempt, row.key, 900 <= row.due - started <= 1_200) == (1, "failed_at_operator", True)


async def test_there_are_no_more_tries_than_the_class_has(desk: Any) -> None:
    far = desk.far["a"]
    far.script = lambda outbound: SOON
    request = await desk.call("447700900001")
    for tries in range(1, 5):
        await desk.until(lambda wanted=tries: desk.dispatcher.counts["retried"] == wanted)
        desk.skew += 100
    [row] = await desk.reach(request, State.FAILED)

    assert (row.attempt, [outbound.attempt for outbound in far.submits]) == (5, [1, 2, 3, 4, 5])


async def test_the_sandbox_tries_three_times_within_a_second(idle: Any) -> None:
    idle.declare(service={"sandbox": True})
    await idle.dispatcher.start()
    far = idle.far["a"]
    far.script = lambda outbound: SOON
    request = await idle.call("447700900001")
    [row] = await idle.reach(request, State.FAILED, 1.5)
    await idle.dispatcher.stop(0.1)

    assert (row.attempt, len(far.submits)) == (3, 3)


async def test_throttling_is_no_attempt_and_slows_the_lane(desk: Any) -> None:
    far = desk.far["a"]
    answers = iter([THROTTLED, THROTTLED])
    far.script = lambda outbound: next(answers, Submitted(("n",)))
    request = await desk.call("447700900001")
    for submits in (1, 2):
        await desk.until(lambda wanted=submits: len(far.submits) == wanted)
        lane = desk.lanes.lane(request, 0)
        await desk.until(lambda lane=lane: not lane.under_way)
        assert lane.bucket.available(desk.monotonic()) == 0
        desk.skew += 1.1
    [row] = await desk.reach(request, State.SUBMITTED)

    assert (row.attempt, [outbound.attempt for outbound in far.submits]) == (1, [1, 1, 1])


async def test_waiting_is_no_attempt_and_slows_nobody(desk: Any) -> None:
    far = desk.far["a"]
    answers = iter([WAITING, WAITING])
    far.script = lambda outbound: next(answers, Submitted(("n",)))
    request = await desk.call("447700900001")
    for submits in (1, 2):
        await desk.until(lambda wanted=submits: len(far.submits) == wanted)
        lane = desk.lanes.lane(request, 0)
        await desk.until(lambda lane=lane: not lane.under_way)
        assert lane.bucket.wait(desk.monotonic()) == 0
        desk.skew += WAITING.after + 0.1
    [row] = await desk.reach(request, State.SUBMITTED)

    assert (row.attempt, [outbound.attempt for outbound in far.submits]) == (1, [1, 1, 1])


async def test_a_far_end_is_left_alone_as_long_as_it_asks(desk: Any) -> None:
    far = desk.far["a"]
    patience = SendError("too_many_requests_for_app", "soon", "429", after=500.0)
    far.script = lambda outbound: patience if outbound.attempt == 1 else Submitted(("n",))
    request = await desk.call("447700900001")
    await desk.until(lambda: len(far.submits) == 1)
    await desk.until(lambda: not desk.lanes.lane(request, 0).under_way)
    desk.skew += 100
    await asyncio.sleep(0.3)
    assert len(far.submits) == 1
    desk.skew += 401
    await desk.reach(request, State.SUBMITTED)

    assert [outbound.attempt for outbound in far.submits] == [1, 2]


async def test_throttling_in_the_sandbox_ends_for_the_viewer(idle: Any) -> None:
    idle.declare(service={"sandbox": True})
    await idle.dispatcher.start()
    idle.far["a"].script = lambda outbound: THROTTLED
    request = await idle.call("447700900001")
    [row] = await idle.reach(request, State.FAILED)
    await idle.dispatcher.stop(0.1)

    assert row.attempt == 10


async def test_a_rate_is_kept(idle: Any, some: Numbers) -> None:
    idle.declare(throughput=50)
    await idle.dispatcher.start()
    await idle.call(*some(200))
    await asyncio.sleep(0.5)
    sent = len(idle.far["a"].submits)
    await idle.dispatcher.stop(0.1)

    assert 15 <= sent <= 31


async def test_two_destinations_with_one_retry_moment_are_both_sent_again(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = lambda outbound: SOON if outbound.attempt == 1 else Submitted((str(outbound.ordinal),))
    request = await desk.call(*some(10))
    await desk.until(lambda: desk.dispatcher.counts["retried"] == 10)
    desk.skew += 5
    await desk.reach(request, State.SUBMITTED)

    assert len(far.submits) == 20


async def test_what_is_sent_again_keeps_its_order(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = lambda outbound: SOON if outbound.attempt == 1 else Submitted((str(outbound.ordinal),))
    request = await desk.call(*some(10))
    await desk.until(lambda: desk.dispatcher.counts["retried"] == 10)
    await desk.reach(request, State.QUEUED)
    desk.skew += 5
    await desk.reach(request, State.SUBMITTED)

    assert far.numbers[10:] == some(10)


async def test_a_connector_that_goes_down_gives_its_stock_back(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(40))
    await desk.until(lambda: len(far.open) == desk.window)
    far.up = False
    for outbound in list(far.open.values()):
        far.answer(outbound, Submitted((str(outbound.ordinal),)))

    async def given_back() -> bool:
        rows = await desk.rows(request)
        return [row.state for row in rows] == [State.SUBMITTED] * 10 + [State.QUEUED] * 30

    async with asyncio.timeout(5):
        while not await given_back():
            await asyncio.sleep(0.005)
    rows = (await desk.rows(request))[10:]

    assert {(row.attempt, row.duplicate, row.due) for row in rows} == {(0, False, 0)}


async def test_what_was_given_back_is_sent_in_order_once_the_connector_is_up(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(40))
    await desk.until(lambda: len(far.open) == desk.window)
    far.up = False
    for outbound in list(far.open.values()):
        far.answer(outbound, Submitted((str(outbound.ordinal),)))
    lane = desk.lanes.lane(request, 0)
    await desk.until(lambda: not lane.stock and len(lane.queue) == 30)
    far.script = lambda outbound: Submitted((str(outbound.ordinal),))
    far.rise()
    rows = await desk.reach(request, State.SUBMITTED)

    assert (far.numbers, {row.attempt for row in rows}) == (some(40), {1})


async def test_a_message_that_expires_while_its_lane_stands_still_is_told_so(desk: Any) -> None:
    desk.far["a"].up = False
    request = await desk.call("447700900001", expiry=desk.ms() + 60)
    [row] = await desk.reach(request, State.FAILED)
    await desk.until(lambda: desk.told)

    assert (row.key, [notice.key for notice in desk.told]) == ("request_expired", ["request_expired"])


async def test_what_expired_is_not_sent_when_the_connector_comes_up(desk: Any) -> None:
    far = desk.far["a"]
    far.up = False
    request = await desk.call("447700900001", expiry=desk.ms() + 40)
    await desk.reach(request, State.FAILED)
    far.rise()
    other = await desk.call("447700900002")
    await desk.reach(other, State.SUBMITTED)

    assert far.numbers == ["447700900002"]
    assert [notice.key for notice in desk.told].count("request_expired") == 1


async def test_a_message_judged_just_before_it_expired_is_still_told(desk: Any, some: Numbers) -> None:
    far = desk.far["a"]
    far.script = None
    request = await desk.call(*some(20), expiry=desk.ms() + 300)
    await desk.until(lambda: len(far.open) == desk.window)
    far.up = False
    for outbound in list(far.open.values()):
        far.answer(outbound, SendError("sim_full", "no"))
    rows = await desk.reach(request, State.FAILED)

    assert [row.key for row in rows] == ["sim_full"] * 10 + ["request_expired"] * 10


async def test_a_message_that_expires_between_two_attempts_ends_expired(desk: Any) -> None:
    desk.far["a"].script = lambda outbound: SOON
    request = await desk.call("447700900001", expiry=desk.ms() + 200)
    [row] = await desk.reach(request, State.FAILED)

    assert (row.key, len(desk.far["a"].submits)) == ("request_expired", 1)


async def test_a_message_that_expires_while_it_is_claimed_is_either_sent_or_told(desk: Any) -> None:
    desk.store.gates["claim"] = asyncio.Event()
    request = await desk.call("447700900001", expiry=desk.ms() + 60)
    await asyncio.sleep(0.15)
    desk.store.gates.pop("claim").set()
    await desk.until(lambda: desk.told)
    await asyncio.sleep(0.1)

    assert (len(desk.far["a"].submits), [notice.key for notice in desk.told]) == (1, ["submitted"])
    assert (await desk.row(request)).state is State.SUBMITTED


async def test_an_answer_that_comes_twice_changes_nothing(desk: Any) -> None:
    far = desk.far["a"]
    request = await desk.call("447700900001")
    await desk.reach(request, State.SUBMITTED)
    with pytest.raises(KeyError):
        far.events.settled(far.submits[0], SendError("sim_full", "no"))

    assert (await desk.row(request)).state is State.SUBMITTED
    assert desk.dispatcher.counts["submitted"] == 1


async def test_the_validity_left_goes_with_the_message(desk: Any) -> None:
    request = await desk.call("447700900001", expiry=desk.ms() + 60_500)
    await desk.reach(request, State.SUBMITTED)

    assert desk.far["a"].submits[0].validity in (59, 60)


async def test_a_submit_without_answer_is_found_by_its_destination(desk: Any) -> None:
    desk.far["a"].script = lambda outbound: SendError("unknown_status", "unknown")
    request = await desk.call("447700900001")
    await desk.reach(request, State.LAPSED)

    assert desk.correlator.claim_unanswered("demo/a", "447700900001").request == request.id


async def test_more_rows_than_are_kept_at_hand_are_read_again(
    desk: Any, some: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph.dispatch.rows.HOT_DESTINATIONS", 20)
    desk.far["a"].up = False
    calls = [await desk.call(*some(10, start)) for start in range(0, 80, 10)]
    desk.far["a"].rise()
    for call in calls:
        await desk.reach(call, State.SUBMITTED)

    assert desk.far["a"].numbers == some(80)


async def test_attempts_and_gates_of_a_failure_are_in_its_story(desk: Any) -> None:
    desk.far["a"].script = lambda outbound: SendError("sim_full", "no")
    request = await desk.call("447700900001")
    await desk.reach(request, State.FAILED)

    assert [line.step for line in await desk.store.story(request.id, 0)] == ["gates", "attempt"]
