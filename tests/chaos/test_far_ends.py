"""Far ends that go away, hang up in the middle, talk nonsense or do not answer."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

import farend
from heliograph.testing import KEY, OTHER_KEY, Running, eventually, running

COUNT = 20
SOON = 3.0  # seconds in which a caller is told although another one's endpoint hangs


class World:
    """A platform whose SMSC and callback endpoints are ours, in this process."""

    def __init__(self) -> None:
        self.smsc = farend.Smsc()
        self.sink = farend.Sink(self.smsc, keep=True)
        self.smsc_port = self.sink_port = self.hung_port = 0
        self.server: Any = None

    async def begin(self) -> None:
        """Listen."""
        self.server, self.smsc_port = await self.smsc.start(self.smsc_port)

    async def vanish(self) -> None:
        """The SMSC's machine is gone: no listener, every line cut."""
        self.server.close()
        for link in tuple(self.smsc.links):
            link.transport.abort()

    def document(self, _: str) -> dict[str, Any]:
        """Two services on one SMSC; the callback endpoint of `hung` never answers."""
        binding = {"sms": {"connector": "smsc", "sender": "HELIO"}}
        connector = {
            "name": "smsc", "channel": "sms", "kind": "smpp", "host": "127.0.0.1", "port": self.smsc_port,
            "system_id": "t", "password": "t", "window": 10,
            "options": {"reconnect_after": 0.05, "reconnect_at_most": 0.2},
        }  # fmt: skip
        services = [
            {"id": name, "keys": [key], "notify": {"url": url, "secret": "s"}, "channels": binding}
            for name, key, url in (
                ("orders", KEY, f"http://127.0.0.1:{self.sink_port}/dr"),
                ("hung", OTHER_KEY, f"http://127.0.0.1:{self.hung_port}/hang"),
            )
        ]
        tenant = {
            "id": "demo", "allow_private_targets": True, "senders": [{"id": "HELIO", "channel": "sms"}],
            "connectors": [connector], "services": services,
        }  # fmt: skip
        return {"tenants": [tenant]}


@asynccontextmanager
async def _world(data: Path) -> AsyncIterator[tuple[World, Running]]:
    world = World()
    await world.begin()
    sink, world.sink_port = await world.sink.start()
    hung, world.hung_port = await world.sink.start()
    async with running(data, world.document) as live:
        await eventually(_bound(world, 1))
        yield world, live
    for server in (world.server, sink, hung):
        server.close()


@pytest_asyncio.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[World, Running]]:
    """The far ends and the platform."""
    async with _world(tmp_path) as pair:
        yield pair


def _bound(world: World, times: int) -> Any:
    async def check() -> bool:
        return world.smsc.binds >= times

    return check


async def _send(live: Running, first: int, key: str = KEY) -> list[str]:
    """A call to some numbers; their transids."""
    numbers = [f"447{number:09d}" for number in range(first, first + COUNT)]
    body = {"deliverychannel": "sms", "channels": {"sms": {"text": "Hi"}}, "destination": [{"msisdn": numbers}]}
    answer = (await live.send(body, key)).json()["response"]
    assert [element["code"] for element in answer] == ["1001"] * COUNT
    return [element["transid"] for element in answer]


async def _ends(live: Running, transids: list[str]) -> set[str]:
    return {(await live.final(transid))["status"] for transid in transids}


async def test_messages_wait_for_an_smsc_that_is_gone_and_go_out_when_it_is_back(both: tuple[World, Running]) -> None:
    world, live = both
    await world.vanish()
    transids = await _send(live, 100_000_000)

    await world.begin()

    assert await _ends(live, transids) == {"delivered"}
    assert world.smsc.submits == COUNT


@pytest.mark.parametrize("mood", ["cut", "garbage"])
async def test_an_smsc_that_spoils_an_answer_gets_no_message_twice(both: tuple[World, Running], mood: str) -> None:
    world, live = both
    world.smsc.mood = mood

    transids = await _send(live, 100_000_000)

    async def delivered() -> bool:  # an unanswered submit is 7200 until a receipt names its destination
        rows = await live.status(transids[0])
        return {row["status"] for row in rows} == {"delivered"}

    assert await eventually(delivered)
    assert world.smsc.submits == COUNT
    assert world.smsc.binds == 2


async def test_after_a_spoilt_answer_the_next_messages_go_out(both: tuple[World, Running]) -> None:
    world, live = both
    world.smsc.mood = "garbage"
    await _send(live, 100_000_000)

    assert await _ends(live, await _send(live, 200_000_000)) == {"delivered"}


async def test_an_endpoint_that_hangs_keeps_no_other_caller_waiting(both: tuple[World, Running]) -> None:
    world, live = both
    for number in range(10):
        await _send(live, 500_000_000 + number * COUNT, OTHER_KEY)
    began = time.monotonic()
    await _send(live, 100_000_000)

    async def told() -> bool:
        return sum(1 for entry in world.sink.told if entry.endswith("7500")) >= COUNT

    await eventually(told)

    assert time.monotonic() - began < SOON
