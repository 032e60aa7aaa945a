"""The connection comes up when a server does, and comes back when it went."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from nats.aio.msg import Msg

from heliograph.bus.nats.connection import BusAway, Connection, servers_of
from heliograph.testing import eventually
from heliograph.testing.nats import NatsServer, nats

BACK_SECONDS = 5.0


def hearing(heard: list[bytes]) -> Callable[[Msg], Awaitable[None]]:
    """A handler that keeps what it is given."""

    async def handle(message: Msg) -> None:
        heard.append(message.data)

    return handle


async def up(connection: Connection) -> bool:
    """Whether it is connected."""
    return connection.connected


async def test_what_is_published_is_heard(broker: NatsServer) -> None:
    connection, heard = Connection(servers_of(broker.url)), []
    await connection.start()
    await connection.subscribe("t.>", hearing(heard))

    await connection.publish("t.a", b"1")
    await eventually(lambda: _is(heard, [b"1"]))
    await connection.stop()


async def _is(heard: list[bytes], wanted: list[bytes]) -> bool:
    return heard == wanted


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_it_comes_back_within_5_s_after_a_restart_with_what_was_subscribed(
    broker: NatsServer, how: signal.Signals
) -> None:
    connection, heard = Connection(servers_of(broker.url)), []
    await connection.start()
    await connection.subscribe("t.>", hearing(heard))
    times: list[int] = []
    connection.came.append(lambda: times.append(1))

    await asyncio.to_thread(broker.stop, how)
    with pytest.raises(BusAway):
        await eventually(lambda: _refused(connection))
    await asyncio.sleep(6.0)  # longer than a client is given to come back by itself
    await asyncio.to_thread(broker.start)
    began = time.monotonic()
    await eventually(lambda: up(connection))

    assert time.monotonic() - began < BACK_SECONDS
    assert times
    await connection.publish("t.b", b"2")
    await eventually(lambda: _is(heard, [b"2"]))
    await connection.stop()


async def _refused(connection: Connection) -> None:
    await connection.publish("t.x", b"")


async def test_a_client_that_ended_is_replaced(broker: NatsServer) -> None:
    connection, heard = Connection(servers_of(broker.url)), []
    await connection.start()
    await connection.subscribe("t.>", hearing(heard))

    await connection.client.close()
    await eventually(lambda: up(connection))
    await connection.publish("t.c", b"3")

    await eventually(lambda: _is(heard, [b"3"]))
    await connection.stop()


async def test_a_start_without_a_broker_works_once_there_is_one() -> None:
    server = NatsServer()
    connection = Connection(servers_of(server.url))
    await connection.start()

    assert not connection.connected
    try:
        await asyncio.to_thread(server.start)
        await eventually(lambda: up(connection))
        await connection.stop()
    finally:
        server.close()


@pytest.mark.parametrize(
    ("more", "credentials"),
    [(("--user", "u", "--pass", "p@ss"), "u:p%40ss"), (("--auth", "token-1"), "token-1")],
)
async def test_user_and_password_or_a_token_are_given(more: tuple[str, ...], credentials: str) -> None:
    with nats(*more, credentials=credentials) as server:
        connection = Connection(servers_of(server.url))
        await connection.start()

        assert connection.connected
        await connection.stop()


async def test_secrets_are_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    with nats("--user", "u", "--pass", "right", credentials="u:wrong-secret") as server:
        connection = Connection(servers_of(server.url))
        await connection.start()
        await connection.stop()

    assert "not there" in caplog.text
    assert "wrong-secret" not in caplog.text + repr(connection.servers)


def test_the_first_server_that_names_a_user_names_it_for_all() -> None:
    servers = servers_of("nats://a:4222,tls://u:p@b:4222?replicas=3&ca=/etc/ca.pem")

    assert servers.urls == ("nats://a:4222", "tls://b:4222")
    assert (servers.user, servers.password, servers.token) == ("u", "p", "")
    assert (servers.secured, servers.authority, servers.replicas) == (True, "/etc/ca.pem", 3)
