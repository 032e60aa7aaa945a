"""Three brokers that keep everything together, over TLS with an authority of their own and a password."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heliograph.testing import Running, eventually
from heliograph.testing.brokers import THREE, Brokers, brokers
from heliograph.testing.cluster import Cluster, cluster
from heliograph.testing.postgres import PostgresServer

RESUMED_SECONDS = 15.0  # brokers elect a leader after 4 to 9 seconds; then ours ask again, within 2
READY_SECONDS = 30.0
COUNT = 20


@pytest.fixture
def three() -> Iterator[Brokers]:
    """Brokers that a test may kill."""
    with brokers(THREE) as made:
        yield made


@pytest.fixture
def shared(postgres_server: PostgresServer, three: Brokers, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster on them."""
    with cluster(postgres_server.url(postgres_server.create()), three.space(ack_wait=5), tmp_path) as made:
        yield made


@asynccontextmanager
async def api_and_worker(shared: Cluster) -> AsyncIterator[Running]:
    """A process that accepts and one that sends, both on the brokers; the first of them."""
    async with shared.node("api", ROLES="api,simulators") as api, shared.node("worker", ROLES="worker") as worker:
        for node in (api, worker):
            await eventually(lambda node=node: _says(node, "ok"), READY_SECONDS)
        yield api


async def _says(node: Running, broker: str) -> bool:
    return bool((await node.client.get("/readyz")).json()["broker"] == broker)


async def accept(api: Running, first: int, count: int = COUNT) -> None:
    """So many SMS are accepted, each by a call of its own."""
    answers = await asyncio.gather(*(api.sms(f"4477009{first + number:05d}") for number in range(count)))
    assert [answer["code"] for [answer] in answers] == ["1001"] * count


async def delivered(api: Running, count: int, seconds: float = READY_SECONDS) -> list[tuple[int, int]]:
    """State and mark of a duplicate of all messages, once so many were delivered."""

    async def check() -> Any:
        rows = await api.database.rows("SELECT state, duplicate FROM transactions")
        return rows if [state for state, _ in rows] == [51] * count else None

    found: list[tuple[int, int]] = await eventually(check, seconds)
    return found


async def test_messages_go_out_over_three_brokers(shared: Cluster, three: Brokers) -> None:
    async with api_and_worker(shared) as api:
        await accept(api, 0)

        assert await delivered(api, COUNT) == [(51, 0)] * COUNT
        assert three.authority is not None
        assert await asyncio.to_thread(three.leader, shared.bus) in three.servers


@pytest.mark.parametrize("who", ["leader", "another"])
async def test_one_broker_that_is_killed_delays_what_is_accepted_by_seconds(
    shared: Cluster, three: Brokers, who: str
) -> None:
    async with api_and_worker(shared) as api:
        await accept(api, 0)
        await delivered(api, COUNT)
        leader = await asyncio.to_thread(three.leader, shared.bus)
        victim = leader if who == "leader" else next(server for server in three.servers if server is not leader)

        victim.stop(signal.SIGKILL)
        killed = time.monotonic()
        await accept(api, 100)
        await delivered(api, 2 * COUNT, RESUMED_SECONDS - (time.monotonic() - killed))


async def test_without_a_majority_what_is_accepted_waits_and_goes_out_when_there_is_one(
    shared: Cluster, three: Brokers
) -> None:
    async with api_and_worker(shared) as api:
        await accept(api, 0)
        await delivered(api, COUNT)
        leader = await asyncio.to_thread(three.leader, shared.bus)
        gone = [leader, next(server for server in three.servers if server is not leader)]
        for server in gone:
            server.stop(signal.SIGKILL)

        await accept(api, 100)
        await asyncio.sleep(2.0)
        waiting = await api.database.rows("SELECT state FROM transactions WHERE state < 51")
        owed = await api.database.rows("SELECT 1 FROM outbox")
        await eventually(lambda: _says(api, "silent"))
        await asyncio.to_thread(gone[0].start)

        assert waiting == [(10,)] * COUNT
        assert owed
        assert await delivered(api, 2 * COUNT) == [(51, 0)] * (2 * COUNT)
