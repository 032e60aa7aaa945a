"""Messages that have to wait for social hours: kept in the queue, sent when it opens, judged again on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from heliograph.model.outcome import State

Numbers = Callable[..., list[str]]


def opening(in_seconds: float, outside: str = "hold") -> dict[str, Any]:
    """A tenant that opens (to the minute) at that time from now, and closes a quarter of a day later."""
    moment = datetime.now(UTC) + timedelta(seconds=in_seconds)
    window = {"start": f"{moment:%H:%M}", "end": f"{moment + timedelta(hours=6):%H:%M}"}
    return {"social_hours": {"zone": "tenant", "windows": [window], "outside": outside}}


async def held(desk: Any, count: int) -> None:
    await desk.until(lambda: len(desk.dispatcher._rows.held) == count)


async def test_what_may_not_go_yet_waits_until_it_opens(desk: Any, some: Numbers) -> None:
    desk.declare(tenant=opening(7_200))
    request = await desk.call(*some(3))
    await held(desk, 3)
    rows = await desk.rows(request)
    desk.skew += 7_200

    await desk.reach(request, State.SUBMITTED)
    assert {row.state for row in rows} == {State.QUEUED}
    assert sorted(desk.far["a"].numbers) == some(3)


async def test_the_story_names_the_opening(desk: Any) -> None:
    desk.declare(tenant=opening(7_200))
    request = await desk.call("447700900001")
    await held(desk, 1)
    await desk.until(lambda: desk.dispatcher.settler._idle.is_set())
    [line] = await desk.store.story(request.id, 0)
    gates = {gate["gate"]: gate for gate in msgspec.json.decode(line.data)}

    assert (gates["hours"]["ok"], gates["hours"]["decided_by"]) == (True, "tenants[demo].social_hours")
    assert "held until then" in gates["hours"]["value"]


async def test_a_new_process_holds_it_again(idle: Any, some: Numbers) -> None:
    idle.declare(tenant=opening(7_200))
    await idle.dispatcher.start()
    request = await idle.call(*some(2))
    await held(idle, 2)
    await idle.dispatcher.stop(1)
    idle.begin()
    await idle.dispatcher.start()
    await idle.dispatcher.recover()
    await held(idle, 2)
    idle.skew += 7_200

    await idle.reach(request, State.SUBMITTED)
    assert sorted(idle.far["a"].numbers) == some(2)
    await idle.dispatcher.stop(1)


async def test_hours_that_are_lifted_hold_nothing(desk: Any, some: Numbers) -> None:
    desk.declare(tenant=opening(7_200))
    request = await desk.call(*some(2))
    await held(desk, 2)
    await desk.change()

    await desk.reach(request, State.SUBMITTED)
    assert len(desk.far["a"].submits) == 2


async def test_what_expires_while_it_is_held_ends(desk: Any) -> None:
    desk.declare(tenant=opening(7_200))
    request = await desk.call("447700900001", expiry=int(time.time() * 1_000) + 60_000)
    await held(desk, 1)
    desk.skew += 61
    [row] = await desk.reach(request, State.FAILED)
    desk.skew += 7_200
    await held(desk, 0)

    assert (row.key, desk.far["a"].submits) == ("request_expired", [])


async def test_a_store_that_fails_as_it_opens_loses_nothing(desk: Any, some: Numbers) -> None:
    desk.declare(tenant=opening(7_200))
    request = await desk.call(*some(3))
    await held(desk, 3)
    desk.store.weak["pending"] = 2
    desk.store.weak["requests"] = 2
    desk.skew += 7_200

    await desk.reach(request, State.SUBMITTED)
    assert sorted(desk.far["a"].numbers) == some(3)


async def test_one_call_may_be_held_until_several_openings(desk: Any) -> None:
    hours = [
        {**opening(3_600)["social_hours"], "countries": ["GB"], "zone": "tenant"},
        {**opening(10_800)["social_hours"], "countries": ["IN"], "zone": "tenant"},
    ]
    desk.declare(tenant={"social_hours": hours})
    request = await desk.call("447700900001", "918886661353", "12125550123")
    await held(desk, 2)
    desk.skew += 3_600
    await held(desk, 1)
    desk.skew += 7_200

    await desk.reach(request, State.SUBMITTED)
    assert desk.far["a"].numbers == ["12125550123", "447700900001", "918886661353"]
