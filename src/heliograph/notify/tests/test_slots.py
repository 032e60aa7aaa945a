"""Slots: the total, the limit of each, and the fair round."""

import asyncio

from heliograph.notify.slots import Share, Slots


async def held(slots: Slots, share: Share, order: list[str], name: str) -> None:
    if not slots.take(share):
        await slots.wait(share)
    order.append(name)


async def test_no_endpoint_holds_more_than_its_limit() -> None:
    slots, share = Slots(10), Share(2)
    assert [slots.take(share) for _ in range(3)] == [True, True, False]


async def test_all_together_hold_no_more_than_the_total() -> None:
    slots = Slots(2)
    assert [slots.take(Share(9)) for _ in range(3)] == [True, True, False]


async def test_a_free_slot_goes_round_those_who_wait() -> None:
    slots, greedy, modest, order = Slots(1), Share(8), Share(8), []
    assert slots.take(greedy)
    tasks = [asyncio.create_task(held(slots, greedy, order, "greedy")) for _ in range(3)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(held(slots, modest, order, "modest")))
    await asyncio.sleep(0)
    slots.give(greedy)
    await asyncio.sleep(0)
    slots.give(greedy)
    await asyncio.sleep(0)
    assert order == ["greedy", "modest"]
    for task in tasks:
        task.cancel()


async def test_a_grown_limit_lets_in_who_waits() -> None:
    slots, share, order = Slots(5), Share(1), []
    assert slots.take(share)
    task = asyncio.create_task(held(slots, share, order, "second"))
    await asyncio.sleep(0)
    assert order == []
    share.limit = 2
    slots.grant(share)
    await task
    assert order == ["second"]


async def test_cancelled_waits_lose_no_slot() -> None:
    slots, share, order = Slots(1), Share(8), []
    assert slots.take(share)
    tasks = [asyncio.create_task(held(slots, share, order, str(n))) for n in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    slots.give(share)  # granted to the second
    tasks[1].cancel()  # which goes away at the same moment
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["2"]
    assert share.held == 1
