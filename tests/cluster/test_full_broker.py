"""A broker that is there and has no room: what is accepted waits in the outbox, is tried again at once, and goes out
by itself when there is room."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import StreamConfig

from heliograph.testing import Running, eventually
from heliograph.testing.cluster import Cluster, cluster
from heliograph.testing.nats import NatsServer, nats
from heliograph.testing.postgres import PostgresServer

ROOM = 1 << 20  # bytes of everything that the broker keeps
PIECE = bytes(8_000)
RESUMED_SECONDS = 5.0
TRIED_SECONDS = 4.0
WAITING = "SELECT due FROM outbox"


@pytest.fixture
def small() -> Iterator[NatsServer]:
    """A broker with little room."""
    with nats(config=f"jetstream {{ max_file_store: {ROOM} }}\n") as server:
        yield server


@pytest.fixture
def shared(postgres_server: PostgresServer, small: NatsServer, tmp_path: Path) -> Iterator[Cluster]:
    """A cluster on it."""
    with cluster(postgres_server.url(postgres_server.create()), small.space(ack_wait=5), tmp_path) as made:
        yield made


async def fill(client: Client) -> None:
    """Another stream takes all the room."""
    context = client.jetstream()
    await context.add_stream(StreamConfig(name="OTHER", subjects=["other"]))
    with contextlib.suppress(Error):
        while True:
            await context.publish("other", PIECE)


async def _says(api: Running, broker: str) -> bool:
    return bool((await api.client.get("/readyz")).json()["broker"] == broker)


async def _tries(api: Running) -> set[int]:
    """The moments at which the chunk that waits was due while we looked."""
    seen: set[int] = set()
    end = time.monotonic() + TRIED_SECONDS

    async def look() -> Any:
        seen.update(due for (due,) in await api.database.rows(WAITING))
        return time.monotonic() > end

    await eventually(look)
    return seen


async def test_what_a_full_broker_does_not_keep_is_tried_again_and_goes_out_when_there_is_room(
    shared: Cluster, small: NatsServer
) -> None:
    client = Client()
    await client.connect(small.url)
    async with shared.node("api", ROLES="api,simulators") as api, shared.node("worker", ROLES="worker"):
        await eventually(lambda: _says(api, "ok"))
        await fill(client)

        [accepted] = await api.sms("447700900001")
        await eventually(lambda: _says(api, "silent"))
        tries = await _tries(api)
        await client.jetstream().delete_stream("OTHER")
        began = time.monotonic()
        found = await api.final(accepted["transid"])

    await client.close()
    assert accepted["code"] == "1001"
    assert len(tries) > 3  # not every ten seconds
    assert found["status"] == "delivered"
    assert time.monotonic() - began < RESUMED_SECONDS
