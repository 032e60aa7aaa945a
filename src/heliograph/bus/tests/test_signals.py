"""Signals: everyone who listens hears, a listener that fails keeps nothing from others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from heliograph.bus.nats.connection import Connection, servers_of
from heliograph.bus.nats.signals import GREATEST, NatsSignals
from heliograph.bus.signals import LocalSignals
from heliograph.testing import eventually
from heliograph.testing.nats import NatsServer


def test_whoever_listens_hears_until_it_has_enough() -> None:
    signals, heard = LocalSignals(), list[bytes]()
    end = signals.listen("a", heard.append)
    signals.signal("a", b"1")
    signals.signal("b", b"2")
    end()
    signals.signal("a", b"3")

    assert heard == [b"1"]
    assert not signals.heard("a")


def test_a_listener_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    signals, heard = LocalSignals(), list[bytes]()

    def fail(_: bytes) -> None:
        raise ValueError("no")

    signals.listen("a", fail)
    signals.listen("a", heard.append)
    signals.signal("a", b"1")

    assert heard == [b"1"]
    assert "a listener of the signal a failed" in caplog.text


@asynccontextmanager
async def process(server: NatsServer) -> AsyncIterator[tuple[NatsSignals, Connection]]:
    """What a process has."""
    connection = Connection(servers_of(server.url))
    signals = NatsSignals(connection)
    await connection.start()
    running = asyncio.create_task(signals.run())
    try:
        yield signals, connection
    finally:
        running.cancel()
        await connection.stop()


async def test_a_signal_is_heard_once_in_each_process(nats_server: NatsServer) -> None:
    async with process(nats_server) as (first, _), process(nats_server) as (second, _):
        heard: dict[str, list[bytes]] = {"first": [], "second": []}
        first.listen("test.once", heard["first"].append)
        second.listen("test.once", heard["second"].append)
        await asyncio.sleep(0.2)
        for number in range(100):
            first.signal("test.once", str(number).encode())

        async def all_came() -> bool:
            return len(heard["second"]) == 100

        await eventually(all_came, 5)
        await asyncio.sleep(0.1)
        assert heard["first"] == heard["second"] == [str(number).encode() for number in range(100)]


async def test_who_listens_no_more_is_left_alone(nats_server: NatsServer) -> None:
    async with process(nats_server) as (first, _), process(nats_server) as (second, _):
        heard: list[bytes] = []
        end = second.listen("test.end", heard.append)
        await asyncio.sleep(0.2)
        end()
        await asyncio.sleep(0.2)
        first.signal("test.end", b"1")
        await asyncio.sleep(0.2)

        assert heard == []


async def test_without_a_broker_signals_are_lost_and_nobody_waits(nats_server: NatsServer) -> None:
    async with process(nats_server) as (first, connection):
        heard: list[bytes] = []
        first.listen("test.away", heard.append)
        await connection.stop()
        first.signal("test.away", b"1")
        await first.flush()

        assert heard == [b"1"]


def test_a_signal_that_no_broker_would_take_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="too large"):
        NatsSignals(Connection(servers_of("nats://127.0.0.1:1"))).signal("a", bytes(GREATEST + 1))
