"""What follows from events is done once by workers that share it, though one dies, and begun when they happen."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter
from typing import Any

from heliograph.model.events import OccurrenceState
from heliograph.rules import runner
from heliograph.testing import KEY, Running, eventually, workspace
from heliograph.testing.cluster import Cluster, Process

EVENTS, TOGETHER = 300, 10
RESUMED_SECONDS = 20.0  # of which the dead worker's leases take 8
PATH = "/resources/v1/events/externalevent"


def document(url: str) -> dict[str, Any]:
    """An event whose rule sends a message and waits for it to get there."""
    found = workspace(url, pace="real")
    tenant = found["tenants"][0]
    send = {"send": {"channel": "sms", "to": {"msisdn": "${parameters.to}"}, "content": {"text": "Shipped"}}}
    tenant["events"] = [{"id": "shipped"}]
    tenant["rules"] = [
        {
            "name": "shipped",
            "on": {"event": "shipped"},
            "then": [{**send, "within": "10m", "otherwise": [{"stop": True}]}],
        }
    ]
    return found


async def occur(api: Running, first: int, count: int) -> None:
    """So many events, each with a number of its own."""
    events = [
        {"evtid": "shipped", "correlationid": f"c{number}", "parameters": {"to": f"4477009{number:05d}"}}
        for number in range(first, first + count)
    ]
    answer = (await api.client.post(PATH, json={"events": events}, headers={"key": KEY})).json()["response"]
    assert [item["code"] for item in answer] == ["1002"] * count


async def messages(api: Running) -> list[dict[str, Any]]:
    """Every message of the tenant, as its people see them."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await api.admin("GET", f"/tenants/demo/messages?limit=200&cursor={cursor}")).json()
        found += page["messages"]
        cursor = page["cursor"]
        if not cursor:
            return found


async def ready(*processes: Process) -> None:
    """All of them are."""

    async def check() -> bool:
        return all([(await asyncio.to_thread(process.ready)).get("ok") for process in processes])

    await eventually(check, 30)


async def done(api: Running, count: int, seconds: float) -> None:
    """Everything that follows from so many events has ended well."""

    async def check() -> bool:
        rows = await api.database.rows("SELECT state FROM runs")
        return [state for (state,) in rows] == [2] * count

    await eventually(check, seconds)


async def test_each_event_has_its_message_once_though_a_worker_is_killed(shared: Cluster) -> None:
    async with shared.node("api", document, ROLES="api,simulators") as api:
        workers = [shared.process("one"), shared.process("two")]
        await ready(*workers)
        await asyncio.gather(*(occur(api, first, TOGETHER) for first in range(0, EVENTS // 2, TOGETHER)))

        async def begun() -> bool:
            return len(await api.database.rows("SELECT 1 FROM requests")) > EVENTS // 10

        await eventually(begun)
        workers[0].send(signal.SIGKILL)
        killed = time.monotonic()
        await asyncio.gather(*(occur(api, first, TOGETHER) for first in range(EVENTS // 2, EVENTS, TOGETHER)))
        await done(api, EVENTS, RESUMED_SECONDS - (time.monotonic() - killed))

        found = await messages(api)
        assert Counter(item["correlationid"] for item in found) == {f"c{number}": 1 for number in range(EVENTS)}
        assert {item["status"] for item in found} == {"delivered"}
        states = {state for (state,) in await api.database.rows("SELECT state FROM occurrences")}
        assert states == {OccurrenceState.DONE}


async def test_a_worker_begins_at_once_with_what_happens_at_another_process(
    shared: Cluster, monkeypatch: Any
) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 30.0)
    async with (
        shared.node("api", document, ROLES="api,simulators") as api,
        shared.node("worker", document, ROLES="worker") as worker,
    ):
        await eventually(lambda: _connected(api, worker))
        await occur(api, 0, 1)

        async def sent() -> bool:
            return bool(await api.database.rows("SELECT 1 FROM requests"))

        await eventually(sent, 5)


async def test_a_worker_begins_at_once_with_what_becomes_of_messages(shared: Cluster, monkeypatch: Any) -> None:
    monkeypatch.setattr(runner, "LOOK_SECONDS", 30.0)
    thanks = {"channel": "sms", "to": {"msisdn": "447700900002"}, "content": {"text": "Thanks"}}

    def thanking(url: str) -> dict[str, Any]:
        found = workspace(url)
        on = {"receipt": {"channel": "sms", "states": ["Delivered"]}}
        when = [{"field": "destination", "value": "447700900001"}]
        found["tenants"][0]["rules"] = [{"name": "thank", "on": on, "when": when, "then": [{"send": thanks}]}]
        return found

    async with (
        shared.node("api", thanking, ROLES="api,simulators") as api,
        shared.node("worker", thanking, ROLES="worker") as worker,
    ):
        await eventually(lambda: _connected(api, worker))
        [first] = await api.sms("447700900001")
        await api.final(first["transid"])

        async def sent() -> bool:
            return len(await api.database.rows("SELECT 1 FROM requests")) == 2

        await eventually(sent, 5)


async def _connected(*nodes: Running) -> bool:
    return all([(await node.client.get("/readyz")).json()["broker"] == "ok" for node in nodes])
