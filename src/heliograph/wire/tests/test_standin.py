"""The HTTP server that simulators and the platform have: it ends at once, and leaves nobody hanging."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from heliograph.wire.standin import HttpStandIn

REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Says nothing much."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_it_ends_before_its_next_look_at_the_clock() -> None:
    server = HttpStandIn(app, "127.0.0.1", 0)
    await server.start()
    began = time.monotonic()
    await server.stop()

    assert time.monotonic() - began < 0.19  # of which uvicorn waits 0.1 for connections


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_connects_while_it_ends_is_not_left_hanging(turns: int) -> None:
    """Whichever turn of the loop takes the connection in: it is refused, answered, closed or reset."""
    server = HttpStandIn(app, "127.0.0.1", 0)
    peer = await server.start()
    stopping = asyncio.create_task(server.stop())
    for _ in range(turns):
        await asyncio.sleep(0)
    try:
        client = socket.create_connection((peer.host, peer.port), 1.0)
    except ConnectionRefusedError:
        await stopping
        return
    with client:
        client.sendall(REQUEST)
        await stopping
        try:
            heard = await asyncio.to_thread(client.recv, 1_000)
        except ConnectionResetError:
            heard = b""

    assert heard == b"" or heard.startswith(b"HTTP/1.1 204")
