"""Messages to users: to which devices they went, and what is told of each, once and only forwards."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.model.message import Address
from heliograph.model.outcome import State
from heliograph.model.record import Accepted, Change, DeviceRow, Notice, Settlement, device_notice_id
from heliograph.store import Store

Accept = Callable[..., Accepted]
URL, ORIGIN = "http://x/", "http://x:80"


async def went(store: Store, accepted: Accept) -> int:
    """The id of a request to a user with two devices, which has been sent."""
    call = accepted(["u1"], channel="push")
    await store.accept(call)
    request = call.request.id
    rows = [DeviceRow(request, 0, part, "ios_pushid", f"t{part}", f"d{part}") for part in range(2)]
    change = Change(request, 0, State.SUBMITTED, "submitted", 1, natives=("n0", "n1"), connector="c")
    assert await store.settle(Settlement(changes=[change], devices=rows)) == [True]
    return request


def notice(request: int, part: int, state: State) -> Notice:
    return Notice(
        device_notice_id(part, state), request, 0, 0, Address("", ""), state, state.name.lower(), "", 5, URL, ORIGIN,
        "demo", "orders",
    )  # fmt: skip


async def owe(store: Store, *notices: Notice) -> list[bool]:
    return await store.settle(Settlement(changes=[], owed=list(notices)))


async def told(store: Store) -> list[tuple[str, str]]:
    """What is owed: of which device what."""
    return sorted((one.device, one.state.name) for one in await store.due_notices(ORIGIN, 9, 99, []))


async def test_the_devices_of_a_message_are_kept_in_order(store: Store, accepted: Accept) -> None:
    request = await went(store, accepted)

    assert [(row.part, row.token, row.device) for row in await store.devices(request, 0)] == [
        (0, "t0", "d0"), (1, "t1", "d1"),
    ]  # fmt: skip
    assert await store.devices(request, 1) == []


async def test_what_is_owed_names_the_device(store: Store, accepted: Accept) -> None:
    request = await went(store, accepted)
    await owe(store, notice(request, 1, State.DELIVERED))
    [owed] = await store.due_notices(ORIGIN, 9, 99, [])

    assert (owed.address.kind, owed.address.value, owed.device) == ("ios_pushid", "t1", "d1")


async def test_each_device_moves_forward_by_itself(store: Store, accepted: Accept) -> None:
    request = await went(store, accepted)
    first = await owe(store, notice(request, 0, State.SUBMITTED), notice(request, 1, State.SUBMITTED))
    second = await owe(store, notice(request, 0, State.READ), notice(request, 1, State.FAILED))
    late = await owe(
        store, notice(request, 0, State.DELIVERED), notice(request, 1, State.DELIVERED),
        notice(request, 1, State.FAILED), notice(request, 0, State.READ),
    )  # fmt: skip

    assert (first, second, late) == ([True, True], [True, True], [False] * 4)
    assert await told(store) == [("d0", "READ"), ("d0", "SUBMITTED"), ("d1", "FAILED"), ("d1", "SUBMITTED")]


async def test_what_comes_at_once_is_told_forwards_only(store: Store, accepted: Accept) -> None:
    request = await went(store, accepted)
    kept = await owe(store, notice(request, 0, State.READ), notice(request, 0, State.DELIVERED))

    assert kept == [True, False]


async def test_changes_come_before_what_is_owed(store: Store, accepted: Accept) -> None:
    request = await went(store, accepted)
    changes = [Change(request, 0, State.DELIVERED, "delivered", 2), Change(request, 0, State.SUBMITTED, "x", 3)]
    owed = [notice(request, 0, State.DELIVERED)]

    assert await store.settle(Settlement(changes=changes, owed=owed)) == [True, False, True]
    assert await store.settle(Settlement(changes=[], owed=owed)) == [False]


async def test_who_is_forgotten_leaves_no_device(store: Store, accepted: Accept) -> None:
    request = await went(store, accepted)
    await owe(store, notice(request, 0, State.DELIVERED))
    await store.erase([(request, 0)], {})
    [owed] = await store.due_notices(ORIGIN, 9, 99, [])

    assert await store.devices(request, 0) == []
    assert owed.address.value not in ("t0", "u1")
