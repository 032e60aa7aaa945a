"""Messages for users of apps as they are kept, and who is connected."""

from __future__ import annotations

import asyncio
from typing import Any

from heliograph.store import Store
from heliograph.store.areas.inapp import Acked, Joining, Keeping, LapsedMessage, Leaving, Present

LANE = "demo/AP1"
ANN, BEN = (LANE, "ann"), (LANE, "ben")


def message(request: int, user: tuple[str, str] = ANN, *, expires: int = 9_000, most: int = 99) -> Keeping:
    """A message of a request."""
    return Keeping(*user, request, 0, 1_000, expires, f'{{"id":"{request}"}}', most)


def device(name: str, after: int | None = None, node: str = "", user: tuple[str, str] = ANN) -> Joining:
    """A device that comes."""
    return Joining(*user, name, 1_000, after, node)


def acked(seq: int, name: str = "phone", **more: Any) -> list[Acked]:
    """A device has had messages."""
    return [Acked(*ANN, name, seq, 2_000, **more)]


async def test_messages_are_numbered_by_user(store: Store) -> None:
    kept = [message(1), message(2, BEN), message(3), message(4)]
    seqs = await asyncio.gather(*(store.inapp_keep(item) for item in kept))
    later = await store.inapp_keep(message(5))

    assert (seqs, later) == ([1, 1, 2, 3], 4)
    found = await store.inapp_after(ANN, 1, 0, 2)
    assert [(item.seq, item.request, item.body) for item in found] == [(2, 3, '{"id":"3"}'), (3, 4, '{"id":"4"}')]


async def test_a_message_is_kept_once(store: Store) -> None:
    seqs = await asyncio.gather(store.inapp_keep(message(1)), store.inapp_keep(message(1)))
    again = await store.inapp_keep(message(1))

    assert (seqs, again, len(await store.inapp_after(ANN, 0, 0, 9))) == ([1, 1], 1, 1)


async def test_there_is_no_room_for_more_than_may_wait(store: Store) -> None:
    before = [await store.inapp_keep(message(number, most=2)) for number in (1, 2, 3)]
    await store.inapp_ack(acked(1))
    after = [await store.inapp_keep(message(number, most=2)) for number in (3, 4)]

    assert (before, after) == ([1, 2, 0], [3, 0])


async def test_what_has_expired_is_not_given(store: Store) -> None:
    for number, expires in ((1, 500), (2, 9_000)):
        await store.inapp_keep(message(number, expires=expires))

    assert [item.seq for item in await store.inapp_after(ANN, 0, 500, 9)] == [2]


async def test_a_device_begins_where_it_was(store: Store) -> None:
    for number in range(1, 6):
        await store.inapp_keep(message(number))
    fresh = await store.inapp_join(device("phone"))
    await store.inapp_ack(acked(3))
    await store.inapp_ack(acked(2))

    assert fresh == (0, True, 5)
    assert await store.inapp_join(device("phone")) == (3, False, 5)
    assert await store.inapp_join(device("tablet")) == (3, True, 5)  # what nobody has acknowledged


async def test_what_was_only_handed_over_moves_no_device(store: Store) -> None:
    await store.inapp_keep(message(1))
    await store.inapp_ack(acked(1, handed=True))

    assert (await store.inapp_join(device("phone"))).acked == 0


async def test_messages_are_found_by_their_numbers(store: Store) -> None:
    for number in (7, 8):
        await store.inapp_keep(message(number))

    assert await store.inapp_find(ANN, [2, 5]) == {2: (8, 0)}


async def test_what_expires_is_missed_unless_a_device_was_given_it(store: Store) -> None:
    for number in (1, 2, 3):
        await store.inapp_keep(message(number, expires=number * 1_000))
    await store.inapp_keep(message(4, BEN, expires=100))
    await store.inapp_ack(acked(1))
    await store.inapp_ack(acked(2, handed=True))
    found = await store.inapp_lapsed(3_000, 9)
    first = await store.inapp_lapsed(3_000, 1)

    assert found == [
        LapsedMessage(*BEN, 1, 4, 0, True), LapsedMessage(*ANN, 1, 1, 0, False), LapsedMessage(*ANN, 2, 2, 0, False),
        LapsedMessage(*ANN, 3, 3, 0, True),
    ]  # fmt: skip
    assert first == found[:1]
    await store.inapp_drop(found)
    assert await store.inapp_lapsed(9_000, 9) == []
    assert await store.inapp_keep(message(5, most=1)) == 4  # what went does not wait any more


async def test_what_is_erased_is_not_kept_for_an_app(store: Store) -> None:
    for number in (1, 2):
        await store.inapp_keep(message(number))
    await store.erase([(1, 0)], {})

    assert [item.request for item in await store.inapp_after(ANN, 0, 0, 9)] == [2]


async def test_it_is_known_who_was_ever_here(store: Store) -> None:
    await store.inapp_join(device("simulated"))
    await store.inapp_join(device("phone", user=BEN))

    assert [await store.inapp_registered(user) for user in (ANN, BEN)] == [False, True]


async def test_devices_that_stay_away_are_forgotten(store: Store) -> None:
    await store.inapp_join(device("phone"))
    await store.inapp_forget(1_000, 0)
    kept = await store.inapp_registered(ANN)
    await store.inapp_forget(1_001, 0)

    assert (kept, await store.inapp_registered(ANN)) == (True, False)


async def test_presence_is_what_living_nodes_say(store: Store) -> None:
    await store.inapp_beat("a", 5_000)
    await store.inapp_beat("b", 9_000)
    await store.inapp_join(device("phone", node="a"))
    await store.inapp_join(device("tablet", node="b"))
    both = await store.inapp_present(ANN, 4_000)
    later = await store.inapp_present(ANN, 6_000)
    await store.inapp_leave(Leaving(*ANN, "tablet", "a"))  # it is on another node by now
    still = await store.inapp_present(ANN, 6_000)
    await store.inapp_leave(Leaving(*ANN, "tablet", "b"))

    assert sorted(both) == [Present("phone", "a", 1_000), Present("tablet", "b", 1_000)]
    assert later == still == [Present("tablet", "b", 1_000)]
    assert await store.inapp_present(ANN, 6_000) == []


async def test_it_is_known_to_whom_a_node_owes_something(store: Store) -> None:
    await store.inapp_join(device("phone", node="a"))
    await store.inapp_join(device("tablet", node="b"))
    await store.inapp_join(device("phone", node="a", user=BEN))
    await store.inapp_keep(message(1))
    before = [await store.inapp_owed(node) for node in ("a", "b")]
    await store.inapp_ack(acked(1))

    assert before == [[ANN], [ANN]]
    assert [await store.inapp_owed(node) for node in ("a", "b")] == [[], [ANN]]


async def test_what_dead_nodes_held_is_forgotten(store: Store) -> None:
    for node, until in (("a", 5_000), ("b", 9_000)):
        await store.inapp_beat(node, until)
        await store.inapp_join(device(f"phone {node}", node=node))
    await store.inapp_forget(0, 6_000)
    await store.inapp_beat("a", 9_000)

    assert await store.inapp_present(ANN, 0) == [Present("phone b", "b", 1_000)]


async def test_a_node_that_starts_again_has_no_connections(store: Store) -> None:
    await store.inapp_beat("a", 5_000, fresh=True)
    await store.inapp_join(device("phone", node="a"))
    await store.inapp_beat("a", 6_000, fresh=True)

    assert await store.inapp_present(ANN, 0) == []
