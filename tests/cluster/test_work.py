"""What is accepted on one process is sent by others, each message once, whatever of them and the broker goes away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from heliograph.bus.nats.connection import Connection, servers_of
from heliograph.bus.nats.work import Bundle, Work
from heliograph.dispatch.shared.publisher import chunk_of
from heliograph.dispatch.shared.routes import Routes
from heliograph.model.record import Owed
from heliograph.testing import Running, eventually, workspace
from heliograph.testing.cluster import Cluster, cluster
from heliograph.testing.nats import NatsServer, nats
from heliograph.testing.postgres import PostgresServer

APP = "AP00000001"
RESUMED_SECONDS = 5.0
WAVES = 10
QUEUED, FAILED = 10, 50


def with_push(url: str) -> dict[str, Any]:
    """The test workspace with an app for push, whose connector every worker has."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tenant["apps"] = [{"id": APP, "features": {"push": True}, "android": {}}]
    tenant["services"][0]["channels"]["push"] = {"app": APP}
    return found


async def push(api: Running, first: int, count: int, **more: Any) -> None:
    """A push to so many tokens is accepted."""
    body = {
        "deliverychannel": "push",
        "channels": {"push": {"android": {"title": "T", "text": "Hi"}}},
        "destination": [{"android_pushid": [f"tok-{number}" for number in range(first, first + count)]}],
        **more,
    }
    answer = (await api.send(body)).json()["response"]
    assert [item["code"] for item in answer] == ["1001"] * count


def numbers(first: int, count: int) -> list[str]:
    """Phone numbers."""
    return [f"4477009{number:05d}" for number in range(first, first + count)]


async def rows(api: Running) -> list[tuple[int, int, int]]:
    """State, attempts and the mark of a duplicate of every message."""
    return await api.database.rows("SELECT state, attempt, duplicate FROM transactions")


async def sent(api: Running, count: int, seconds: float = 30.0) -> list[tuple[int, int, int]]:
    """All messages, once so many went out."""

    async def check() -> Any:
        found = await rows(api)
        return found if len(found) == count and all(state >= 30 for state, *_ in found) else None

    found: list[tuple[int, int, int]] = await eventually(check, seconds)
    return found


async def nothing_owed(api: Running) -> bool:
    """Whether the outbox is empty."""
    return not await api.database.rows("SELECT 1 FROM outbox")


@pytest.fixture
def broker() -> Iterator[NatsServer]:
    """A broker that a test may stop."""
    with nats() as server:
        yield server


@pytest.fixture
def mortal(postgres_server: PostgresServer, broker: NatsServer, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster on that broker."""
    with cluster(
        postgres_server.url(postgres_server.create()), broker.space(ack_wait=5, deliveries=3), tmp_path
    ) as made:
        yield made


@asynccontextmanager
async def api_and_worker(shared: Cluster) -> AsyncIterator[tuple[Running, Running]]:
    """One of each."""
    async with shared.node("api", ROLES="api,simulators") as api, shared.node("worker", ROLES="worker") as worker:
        yield api, worker


async def test_two_workers_share_what_is_accepted_and_each_message_goes_out_once(shared: Cluster) -> None:
    async with (
        shared.node("api", with_push, ROLES="api") as api,
        shared.node("one", ROLES="api,worker,simulators") as one,
        shared.node("two", ROLES="api,worker,simulators") as two,
    ):
        submitted, count = [0, 0], 0
        while count < WAVES * 1_000 and not min(submitted):  # one of them may begin to ask a moment later
            await asyncio.gather(
                *(push(api, count + index * 100, 100, priority=1 + index % 5) for index in range(9)),
                *(push(api, count + 900 + index, 1) for index in range(100)),
            )
            count += 1_000
            found = await sent(api, count)
            submitted = [worker.platform.dispatcher.counts["submitted"] for worker in (one, two)]

        assert {(attempt, duplicate) for _, attempt, duplicate in found} == {(1, 0)}
        assert sum(submitted) == count
        assert min(submitted) > 0
        await eventually(lambda: nothing_owed(api))
        await eventually(lambda: _idle(one, two))


async def _idle(*workers: Running) -> bool:
    return not any(worker.platform.numbers()["queue"]["chunks_held"] for worker in workers)


async def test_what_is_published_again_is_sent_once(shared: Cluster) -> None:
    async with api_and_worker(shared) as (api, worker):
        for index in range(10):
            await api.sms(*numbers(index * 100, 100))
        again = [Owed(0, row[0], 0, 100) for row in await api.database.rows("SELECT id FROM requests")]
        await api.platform.store.owe(again)
        found = await sent(api, 1_000)

        assert {(attempt, duplicate) for _, attempt, duplicate in found} == {(1, 0)}
        await eventually(lambda: nothing_owed(api))
        await eventually(lambda: _idle(worker))


async def test_without_a_broker_calls_are_accepted_and_work_goes_on_within_5_s_of_its_return(
    mortal: Cluster, broker: NatsServer
) -> None:
    async with api_and_worker(mortal) as (api, _):
        await api.sms(*numbers(0, 10))
        await sent(api, 10)
        await asyncio.to_thread(broker.stop)

        for index in range(1, 6):
            await api.sms(*numbers(index * 10, 10))
        assert (await api.client.get("/readyz")).json()["broker"] == "away"
        await asyncio.to_thread(broker.start)
        began = time.monotonic()
        found = await sent(api, 60)

        assert time.monotonic() - began < RESUMED_SECONDS
        assert {(attempt, duplicate) for _, attempt, duplicate in found} == {(1, 0)}


async def test_what_a_broker_lost_is_published_again(mortal: Cluster, broker: NatsServer) -> None:
    async with mortal.node("api", ROLES="api,simulators") as api:
        await api.sms(*numbers(0, 10))
        await eventually(lambda: nothing_owed(api))
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.forget)
        await asyncio.to_thread(broker.start)
        async with mortal.node("worker", ROLES="worker"):
            await sent(api, 10)


async def taken(work: Work, api: Running, came: asyncio.Queue[Bundle]) -> Bundle:
    """The bundle of a call that a worker takes, which does not live long."""
    await work.open()
    [request] = (await api.platform.store.requests([await _request(api)])).values()
    way = Routes(api.platform.workspaces.directory).way(chunk_of(request, Owed(0, request.id, 0)))
    await work.ask(way, 1)
    return await asyncio.wait_for(came.get(), 5)


async def _request(api: Running) -> int:
    return int((await api.database.rows("SELECT id FROM requests"))[0][0])


@asynccontextmanager
async def mayfly(shared: Cluster) -> AsyncIterator[tuple[Work, asyncio.Queue[Bundle]]]:
    """The work as a worker has it that never says that it is alive."""
    connection = Connection(servers_of(shared.bus))
    await connection.start()
    work, came = Work(connection), asyncio.Queue[Bundle]()
    work.came = came.put_nowait
    yield work, came
    await connection.stop()


async def test_what_a_dead_worker_was_sending_goes_out_again_flagged_and_the_rest_unflagged(shared: Cluster) -> None:
    async with shared.node("api", ROLES="api,simulators") as api:
        await api.sms(*numbers(0, 10))
        async with mayfly(shared) as (work, came):
            bundle = await taken(work, api, came)
            await api.platform.store.claim([(bundle.chunks[0].request, 0, 3)])
        async with shared.node("worker", ROLES="worker"):
            found = await sent(api, 10)

        assert sorted(duplicate for *_, duplicate in found) == [0] * 6 + [1] * 4


async def test_a_chunk_that_comes_too_often_is_parked_and_sent_when_somebody_says_so(shared: Cluster) -> None:
    async with shared.node("api", ROLES="api,simulators") as api:
        [transid] = [item["transid"] for item in await api.sms("447700900001")]
        async with mayfly(shared) as (work, came):
            bundle = await taken(work, api, came)
            while bundle.deliveries < work.most:
                await work.later([bundle])
                await work.ask(bundle.way, 1)
                bundle = await asyncio.wait_for(came.get(), 5)
        async with shared.node("worker", ROLES="worker"):

            async def is_parked() -> Any:
                return (await api.admin("GET", "/parked")).json()["parked"]

            [parked] = await eventually(is_parked)
            assert (parked["transid"], parked["deliveries"]) == (transid, 4)
            assert [state for state, *_ in await rows(api)] == [QUEUED]
            again = await api.admin("POST", f"/parked/{parked['id']}/retry")

            assert (again.status_code, again.json()) == (200, {"retried": 1})
            assert (await api.final(transid))["status"]
            assert (await api.admin("GET", "/parked")).json() == {"parked": []}
            assert (await api.admin("POST", f"/parked/{parked['id']}/retry")).status_code == 404
            assert (await api.admin("POST", "/parked/x/retry")).status_code == 400


async def test_what_expires_while_its_connector_stands_still_elsewhere_ends_as_expired(shared: Cluster) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    async with shared.node("api", with_push, ROLES="api,simulators") as api:
        body = {
            "deliverychannel": "sms", "channels": {"sms": {"text": "Hello"}}, "expiry": soon,
            "destination": [{"msisdn": numbers(0, 3)}],
        }  # fmt: skip
        [transid, *_] = [item["transid"] for item in (await api.send(body)).json()["response"]]
        async with mayfly(shared) as (work, came):
            bundle = await taken(work, api, came)
            async with shared.node("worker", ROLES="worker"):

                async def ended() -> Any:
                    await work.alive([bundle])
                    [row, *_] = await api.status(transid)
                    return row["status"] != "queued" and row

                row = await eventually(ended)
                assert [state for state, *_ in await rows(api)] == [FAILED] * 3
                assert "expired" in row["description"].lower()
