"""What one process does, all know: the workspace, lists, receipts, callbacks, the live log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from heliograph.model.channel import Token
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


async def test_a_limit_is_that_of_all_nodes_together(nodes: Nodes) -> None:
    most = 200
    document = workspace(nodes[0].url)
    limited = {**document["tenants"][0], "id": "limited", "limits": {"messaging_per_day": most}}
    limited["services"] = [{**limited["services"][0], "id": "some", "keys": ["limited-key-1"]}]
    document["tenants"].append(limited)
    await nodes[0].admin("PUT", "/workspace", json=document)
    codes: list[str] = []

    async def call(node: Running, count: int) -> None:
        for number in range(count):
            body = {
                "deliverychannel": "sms",
                "channels": {"sms": {"text": "Hello"}},
                "destination": [{"msisdn": [f"4477009002{number % 100:02d}"]}],
            }
            found = (await node.send(body, "limited-key-1")).json()["response"]
            codes.append((found[0] if isinstance(found, list) else found)["code"])

    await eventually(lambda: knows(nodes[1], "limited"), SEEN_SECONDS)
    await eventually(lambda: knows(nodes[2], "limited"), SEEN_SECONDS)
    await asyncio.gather(*(call(node, 40) for node in nodes for _ in range(2)))

    assert set(codes) == {"1001", "7020"}
    assert most * 0.99 <= codes.count("1001") <= most


async def knows(node: Running, tenant: str) -> bool:
    """Whether a tenant is in force there."""
    return tenant in node.platform.workspaces.directory().tenants


async def test_receipts_that_reach_another_node_than_the_answer_are_matched(nodes: Nodes) -> None:
    """The stand-in calls the first node back; the messages go out from both workers."""
    document = workspace(nodes[0].url)
    document["tenants"][0]["apps"] = [{"id": "a_100000000000000001", "messenger": {}}]
    document["tenants"][0]["services"][0]["channels"]["fb"] = {"app": "a_100000000000000001"}
    await nodes[0].admin("PUT", "/workspace", json=document)

    async def follow() -> bool:
        return all(
            "fb" in node.platform.workspaces.directory().tenants["demo"].services[0].channels for node in nodes
        )

    await eventually(follow, SEEN_SECONDS)

    async def send(number: int) -> str:
        body = {
            "deliverychannel": "fb",
            "channels": {"OTT-Messaging": {"fb": {"text": f"Hi {number}"}}},
            "destination": [{"psid": [f"12573572976{number:05d}"]}],
        }
        return str((await nodes[number % 3].send(body)).json()["response"][0]["transid"])

    async def by_node() -> list[int]:
        return [node.platform.dispatcher.counts["submitted"] for node in nodes[:2]]

    before, transids = await by_node(), list[str]()
    for turn in range(10):
        transids += await asyncio.gather(*map(send, range(turn * 50, turn * 50 + 50)))
        if all(now > then for now, then in zip(await by_node(), before, strict=True)):
            break
    ended = [(await nodes[2].final(transid))["status"] for transid in transids]

    assert all(now > then for now, then in zip(await by_node(), before, strict=True))
    assert set(ended) <= {"delivered", "read"}

    async def all_matched() -> bool:
        found: list[Any] = (await nodes[0].admin("GET", "/receipts/unmatched")).json()["receipts"]
        return not [receipt for receipt in found if "a_100000000000000001" in receipt["connector"]]

    await eventually(all_matched, 6)


async def test_a_token_is_fetched_once_for_all_nodes(nodes: Nodes) -> None:
    fetched: list[str] = []

    async def fetch(before: Token | None) -> Token:
        fetched.append(before.value if before else "")
        await asyncio.sleep(0.05)
        return Token(f"token {len(fetched)}", nodes[0].platform.ids.next())

    tokens = [node.platform.tokens for node in nodes]
    found = await asyncio.gather(*(one.get("shared", fetch) for one in tokens))
    again = await asyncio.gather(*(one.get("shared", fetch, refused="token 1") for one in tokens))

    assert [token.value for token in [*found, *again]] == ["token 1"] * 3 + ["token 2"] * 3
    assert fetched == ["", "token 1"]


async def test_of_two_calls_with_one_key_at_two_nodes_one_is_taken(nodes: Nodes) -> None:
    """However they race: the second has the answer of the first."""
    body = {
        "deliverychannel": "sms",
        "channels": {"sms": {"text": "Once"}},
        "destination": [{"msisdn": ["447700900555"]}],
    }
    for turn in range(5):
        key = f"once-{turn}"
        answers = await asyncio.gather(*(node.send(body, **{"idempotency-key": key}) for node in nodes))

        assert len({answer.json()["response"][0]["transid"] for answer in answers}) == 1
