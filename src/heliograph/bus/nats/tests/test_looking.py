"""What a look at a broker finds."""

from __future__ import annotations

import pytest

from heliograph.bus.nats.connection import BusAway, servers_of
from heliograph.bus.nats.looking import look_at
from heliograph.testing.nats import NatsServer


async def test_a_broker_that_keeps_work_is_seen_with_its_version(nats_server: NatsServer) -> None:
    seen = await look_at(servers_of(nats_server.url))

    assert seen.keeps
    assert seen.version.startswith("2.")


async def test_a_broker_that_is_not_there_is_said_to_be_away() -> None:
    with pytest.raises(BusAway, match="no connection"):
        await look_at(servers_of("nats://127.0.0.1:1"))
