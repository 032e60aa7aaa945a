"""Bundles on a real broker: kept once under a name, one worker's at a time, again when nobody speaks of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from heliograph.bus.nats.connection import BusAway, Connection, servers_of
from heliograph.bus.nats.work import Bundle, Work, token_of
from heliograph.model.record import Chunk
from heliograph.testing import eventually
from heliograph.testing.nats import NatsServer

WAY = (token_of("sms", "demo/smsc"), 3)
WAIT = 1


def chunk(request: int) -> Chunk:
    """A chunk of one message."""
    return Chunk(request, 0, 1, 3, 0, "demo", "orders", "sms")


class Worker:
    """Takes bundles and keeps them."""

    def __init__(self, setting: str) -> None:
        self.connection = Connection(servers_of(setting))
        self.work = Work(self.connection)
        self.came: asyncio.Queue[Bundle] = asyncio.Queue()
        self.emptied = 0
        self.work.came = self.came.put_nowait
        self.work.emptied = self._count

    def _count(self) -> None:
        self.emptied += 1

    async def start(self) -> None:
        """Connect and listen."""
        await self.connection.start()
        await self.work.open()

    async def next(self, seconds: float = 5.0) -> Bundle:
        """The next bundle."""
        return await asyncio.wait_for(self.came.get(), seconds)

    async def silent(self, seconds: float) -> None:
        """Nothing comes in that time."""
        with pytest.raises(TimeoutError):
            await self.next(seconds)


@pytest.fixture
async def setting(nats_server: NatsServer) -> str:
    """A space of this test's own, where work goes to another soon."""
    return nats_server.space(ack_wait=WAIT)


@pytest.fixture
async def worker(setting: str) -> AsyncIterator[Worker]:
    """A worker."""
    made = Worker(setting)
    await made.start()
    yield made
    await made.connection.stop()


async def test_what_is_published_twice_under_a_name_comes_once(worker: Worker) -> None:
    await worker.work.publish(WAY, [chunk(1)], "1.0")
    await worker.work.publish(WAY, [chunk(1)], "1.0")
    await worker.work.ask(WAY, 2)

    bundle = await worker.next()
    assert (bundle.chunks, bundle.way, bundle.deliveries) == ([chunk(1)], WAY, 1)
    await worker.work.done([bundle])
    await worker.silent(1.5 * WAIT)


async def test_nothing_comes_that_was_not_asked_for(worker: Worker) -> None:
    for number in range(3):
        await worker.work.publish(WAY, [chunk(number)], str(number))
    await worker.silent(0.2)

    await worker.work.ask(WAY, 2)
    assert worker.work.asked(WAY) == 2
    found = [(await worker.next()).chunks[0].request for _ in range(2)]
    assert found == [0, 1]
    assert worker.work.asked(WAY) == 0


async def test_a_way_has_its_own_bundles(worker: Worker) -> None:
    other = (WAY[0], 5)
    await worker.work.publish(WAY, [chunk(1)], "1")
    await worker.work.publish(other, [chunk(2)], "2")
    await worker.work.ask(other, 1)

    assert (await worker.next()).chunks == [chunk(2)]
    assert await worker.work.waiting() == {WAY, other}


async def test_what_nobody_speaks_of_comes_again_and_what_is_alive_does_not(worker: Worker) -> None:
    await worker.work.publish(WAY, [chunk(1)], "1")
    await worker.work.ask(WAY, 2)
    bundle = await worker.next()
    for _ in range(6):
        await asyncio.sleep(WAIT / 3)
        await worker.work.alive([bundle])
    assert worker.came.empty()

    again = await worker.next(3 * WAIT)
    assert (again.number, again.deliveries) == (bundle.number, 2)


async def test_what_is_given_back_comes_to_another_at_once_or_later(worker: Worker, setting: str) -> None:
    other = Worker(setting)
    await other.start()
    await worker.work.publish(WAY, [chunk(1)], "1")
    await worker.work.ask(WAY, 1)
    bundle = await worker.next()
    await other.work.ask(WAY, 2)

    await worker.work.later([bundle])
    again = await other.next(WAIT / 2)
    began = time.monotonic()
    await other.work.later([again], 0.5)
    third = await other.next()

    assert time.monotonic() - began > 0.4
    assert (again.deliveries, third.deliveries) == (2, 3)
    await other.work.end(third)
    await other.work.ask(WAY, 1)
    await other.silent(1.5 * WAIT)
    await other.connection.stop()


async def test_what_cannot_be_read_is_dropped_and_the_next_comes(worker: Worker) -> None:
    await worker.work.ensure()
    subject = f"{worker.connection.servers.space}.send.{WAY[0]}.{WAY[1]}"
    await worker.connection.publish(subject, b"{")
    await worker.work.publish(WAY, [chunk(2)], "2")
    await worker.work.ask(WAY, 2)

    assert (await worker.next()).chunks == [chunk(2)]
    await worker.silent(1.5 * WAIT)


async def test_a_stream_that_was_lost_is_made_anew_and_that_is_said(broker: NatsServer) -> None:
    worker = Worker(broker.url)
    await worker.start()
    await worker.work.publish(WAY, [chunk(1)], "1")
    assert worker.emptied == 1
    await asyncio.to_thread(broker.stop)
    with pytest.raises(BusAway):
        await eventually(lambda: worker.work.publish(WAY, [chunk(2)], "2"))
    broker.forget()
    await asyncio.to_thread(broker.start)

    async def back() -> bool:
        return worker.connection.connected

    await eventually(back)
    await worker.work.publish(WAY, [chunk(3)], "3")
    await worker.work.ask(WAY, 2)
    assert worker.emptied == 2
    assert (await worker.next()).chunks == [chunk(3)]
    await worker.connection.stop()


def test_a_token_is_one_word_whatever_the_lane_is_called() -> None:
    tokens = {token_of("sms", "a.b >*"), token_of("sms", "ä/b"), token_of("push", "ä/b"), token_of("", "")}

    assert len(tokens) == 4
    assert all(token.isalnum() for token in tokens)


def test_the_servers_are_shown_without_secrets() -> None:
    servers = servers_of("nats://u:hidden@a:4222")

    assert "hidden" not in repr(servers)
    assert "hidden" not in repr(replace(servers, replicas=3))
