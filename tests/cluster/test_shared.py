"""What one process does, all know: the workspace, lists, receipts, callbacks, the live log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.testing import KEY, Running, eventually, workspace
from heliograph.testing.cluster import cluster
from heliograph.testing.nats import NatsServer
from heliograph.testing.postgres import PostgresServer

Nodes = list[Running]
SEEN_SECONDS = 1.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(
    postgres_server: PostgresServer, nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Nodes]:
    """Two that do everything, and one that only takes calls."""
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(postgres_server.url(postgres_server.create()), nats_server.url, folder) as shared:
        async with shared.nodes("api,worker,simulators", "api,worker", "api") as running:
            yield running


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_one_apply_is_in_force_on_every_node(nodes: Nodes) -> None:
    document = workspace(nodes[0].url)
    document["tenants"][0]["name"] = "Seen by all"
    await nodes[2].admin("PUT", "/workspace", json=document)

    async def all_see_it() -> bool:
        found = [(await node.admin("GET", "/workspace")).json()["tenants"][0]["name"] for node in nodes]
        return set(found) == {"Seen by all"}

    await eventually(all_see_it, SEEN_SECONDS)


async def test_edits_at_two_nodes_at_once_are_both_kept(nodes: Nodes) -> None:
    async def add(node: Running, name: str) -> int:
        template = {"id": name, "channel": "sms", "text": name}
        return (await node.admin("POST", "/tenants/demo/templates", json=template)).status_code

    names = [f"at-once-{number}" for number in range(6)]
    codes = await asyncio.gather(*(add(nodes[number % 3], name) for number, name in enumerate(names)))

    async def all_there() -> bool:
        found = [(await node.admin("GET", "/tenants/demo/templates")).text for node in nodes]
        return all(name in text for name in names for text in found)

    assert set(codes) == {200}
    await eventually(all_there, SEEN_SECONDS)


async def test_an_address_that_one_node_lists_is_refused_by_another_at_once(nodes: Nodes) -> None:
    number = "447700900077"
    before = (await nodes[1].sms(number))[0]["code"]
    await nodes[0].admin("POST", "/tenants/demo/dnd", json={"address": number})
    await asyncio.sleep(0.1)

    assert (before, (await nodes[1].sms(number))[0]["code"]) == ("1001", "7109")


async def test_messages_accepted_anywhere_are_sent_and_each_callback_is_told_once(nodes: Nodes) -> None:
    numbers = [f"44770091{number:04d}" for number in range(60)]
    answers = [await nodes[number % 3].sms(number_) for number, number_ in enumerate(numbers)]
    transids = [answer[0]["transid"] for answer in answers]
    for transid in transids:
        assert (await nodes[1].final(transid))["status"] == "delivered"
    wanted = set(transids)

    async def all_told() -> Any:
        calls = (await nodes[0].client.get("/sim/bin/dr")).json()["calls"]
        told = [told_of(call) for call in calls]
        mine = [one for one in told if one[0] in wanted]
        return mine if len(mine) >= 2 * len(wanted) else None

    await eventually(all_told)
    await asyncio.sleep(1.5)  # what is told twice is told within a look at the table
    told = await all_told()
    assert len(told) == len(set(told))


def told_of(call: dict[str, Any]) -> tuple[str, str]:
    """The transaction and the code of a callback."""
    body = json.loads(call["body"])["deliveryInfoNotification"]
    return body["subtid"] or body["transid"], body["deliveryInfo"]["code"]


async def test_the_live_log_of_a_node_shows_what_happens_on_others(nodes: Nodes) -> None:
    with nodes[2].platform.tail.listen() as events:
        await asyncio.sleep(0.2)
        [answer] = await nodes[0].sms("447700910900")
        async with asyncio.timeout(10):
            while (event := await events.get()) is not None and event["transid"] != answer["transid"]:
                pass

    assert event is not None


async def test_a_status_is_read_at_any_node(nodes: Nodes) -> None:
    [answer] = await nodes[0].sms("447700910901")

    await nodes[0].final(answer["transid"])
    assert [(await node.status(answer["transid"], KEY))[0]["status"] for node in nodes] == ["delivered"] * 3


async def test_a_callback_replayed_at_a_node_that_tells_nobody_is_told(nodes: Nodes) -> None:
    [answer] = await nodes[0].sms("447700910902")
    await nodes[0].final(answer["transid"])

    async def told() -> Any:
        calls = (await nodes[2].admin("GET", f"/messages/{answer['transid']}")).json()["callbacks"]
        return calls if calls and all(call["state"] == "done" for call in calls) else None

    calls = await eventually(told)
    before = len((await nodes[0].client.get("/sim/bin/dr")).json()["calls"])
    await nodes[2].admin("POST", f"/callbacks/{calls[0]['id']}/replay", json={})
    await nodes[0].calls("dr", before + 1)
