"""How many apps one process holds, in which memory, and how many messages a second reach them.

    python bench/realtime.py [CONNECTIONS] [MESSAGES]

A whole platform on SQLite in a process of its own, and one process of clients that speak WebSocket with a hand-made
codec, so that they cost little. Three figures: memory and processor time of connections that say nothing; messages a
second from keeping to the acknowledgement of the device (`InApp.keep`, what the connector calls); the same through
the whole ring: HTTP call, policy, queue, keeping, sending, acknowledgement, receipt, state.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import os
import resource
import struct
import sys
import tempfile
import time
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import httpx
import uvloop

from heliograph.model.inapp import Delivery
from heliograph.testing import KEY, Running, running, workspace
from heliograph.wire import jwt

APP = "AP00000001"
LANE = f"demo/{APP}~sandbox"
SECRET = b"0123456789abcdef0123456789abcdef"
AT_ONCE = 200  # handshakes
CALL = 1_000  # destinations
IDLE_SECONDS = 10.0
BODY = '{"id":"bench","at":0,"text":"Hello world, this is a message of the usual length"}'


def document(url: str) -> dict[str, Any]:
    """A sandbox service with an app in real time."""
    found = workspace(url)
    tenant = found["tenants"][0]
    tokens = [{"id": "k", "secret": base64.b64encode(SECRET).decode()}]
    tenant["apps"] = [{"id": APP, "features": {"rtm": True}, "rtm": {"tokens": tokens}}]
    tenant["services"][0] |= {"channels": {"rt": {"app": APP}}, "notify": {}}
    return found


def serve(pipe: Pipe) -> None:
    """The server's process: sends its URL, then does what it is told."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryDirectory() as folder:
            async with running(Path(folder), document, "sqlite") as live:
                pipe.send(live.url)
                while (asked := await loop.run_in_executor(None, pipe.recv)) is not None:
                    pipe.send(await _told(live, asked))

    uvloop.run(main())


async def _told(live: Running, asked: Any) -> Any:
    """`used`: memory in KiB and processor seconds; else how many messages to keep for how many users."""
    if asked == "used":
        status = Path("/proc/self/status").read_text(encoding="ascii")  # noqa: ASYNC240
        memory = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return memory, time.process_time(), live.platform.realtime.hub.count
    if asked == "states":
        return (await live.admin("GET", "/stats?by=code")).json()
    messages, users = asked
    ends, hub = int(time.time() * 1_000) + 600_000, live.platform.realtime.hub
    numbers = iter(range(messages))

    async def keep() -> None:
        for number in numbers:
            await hub.keep(Delivery(LANE, f"user-{number % users}", 1 << 40 | number, 0, ends, BODY))

    await asyncio.gather(*(keep() for _ in range(1_000)))
    return None


class Client(asyncio.Protocol):
    """A device: says hello, acknowledges what it is given."""

    def __init__(self, fleet: Fleet, user: str) -> None:
        self._fleet = fleet
        self._user = user
        self._buffer = b""
        self._shaken = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Shake hands."""
        self._transport = transport
        transport.write(
            f"GET /rt/{LANE} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Read frames."""
        self._buffer += data
        if not self._shaken:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._shaken, self._buffer = True, rest
            claims = {"iss": APP, "sub": self._user, "iat": int(time.time())}
            self._say(0x81, json.dumps({"t": "hello", "token": jwt.sign(claims, SECRET), "device": "d"}).encode())
        last = 0
        while len(self._buffer) >= 2:
            size, start = self._buffer[1] & 0x7F, 2
            if size == 126:
                if len(self._buffer) < 4:
                    break
                size, start = struct.unpack_from(">H", self._buffer, 2)[0], 4
            if len(self._buffer) < start + size:
                break
            kind, payload = self._buffer[0], self._buffer[start : start + size]
            self._buffer = self._buffer[start + size :]
            if kind == 0x89:
                self._say(0x8A, payload)
            elif payload.startswith(b'{"t":"message"'):
                last = int(payload[21 : payload.index(b",", 21)])
                self._fleet.given += 1
            elif payload.startswith(b'{"t":"welcome"'):
                self._fleet.welcomed += 1
        if last:
            self._say(0x81, b'{"t":"ack","seq":%d}' % last)
            self._fleet.look()

    def connection_lost(self, error: Exception | None) -> None:
        """It ended."""
        self._fleet.lost += 1

    def _say(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = struct.pack(">BB", kind, 0x80 | size) if size < 126 else struct.pack(">BBH", kind, 0xFE, size)
        self._transport.write(head + b"\0\0\0\0" + payload)  # a mask of nothing


class Fleet:
    """All devices."""

    def __init__(self) -> None:
        self.welcomed = self.given = self.lost = self.wanted = 0
        self.enough = asyncio.Event()

    def look(self) -> None:
        """Whether enough was given."""
        if self.given >= self.wanted:
            self.enough.set()

    def want(self, count: int) -> None:
        """Wait for so many more."""
        self.wanted = self.given + count
        self.enough.clear()


async def ask(pipe: Pipe, what: Any) -> Any:
    """Tell the server's process something; its answer."""
    pipe.send(what)
    return await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


async def _figure(pipe: Pipe, what: str, messages: int, began: float, busy: float) -> float:
    """Print how fast it was, and what it cost the server; its processor seconds by now."""
    seconds = time.perf_counter() - began
    await asyncio.sleep(2)
    _, later, _ = await ask(pipe, "used")
    each = (later - busy) / messages * 1e6
    print(f"{what}: {messages:,} in {seconds:.1f} s, {messages / seconds:,.0f}/s; {each:.0f} us of processor each")
    return float(later)


async def measure(pipe: Pipe, url: str, connections: int, messages: int) -> None:
    """All three figures."""
    fleet, loop = Fleet(), asyncio.get_running_loop()
    host, port = url.removeprefix("http://").split(":")
    before, *_ = await ask(pipe, "used")
    began = time.perf_counter()
    for number in range(connections):
        while number - fleet.welcomed >= AT_ONCE:
            await asyncio.sleep(0.001)
        await loop.create_connection(lambda user=f"user-{number}": Client(fleet, user), host, int(port))  # type: ignore[misc]
    while fleet.welcomed + fleet.lost < connections:
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    print(f"connected {fleet.welcomed:,} in {seconds:.1f} s ({fleet.welcomed / seconds:,.0f}/s), lost {fleet.lost}")
    await asyncio.sleep(1)
    after, busy, count = await ask(pipe, "used")
    await asyncio.sleep(IDLE_SECONDS)
    _, later, _ = await ask(pipe, "used")
    each, share = (after - before) / count, (later - busy) / IDLE_SECONDS
    print(f"idle: {count:,} connections in {after / 1024:,.0f} MiB, {before / 1024:,.0f} MiB without them")
    print(f"idle: {each:.1f} KiB each, {share:.1%} of one processor")

    fleet.want(messages)
    began = time.perf_counter()
    await ask(pipe, (messages, connections))
    await asyncio.wait_for(fleet.enough.wait(), 120)
    later = await _figure(pipe, "fan-out: kept, given, acknowledged", messages, began, later)

    fleet.want(messages)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        began = time.perf_counter()
        for first in range(0, messages, CALL):
            users = [f"user-{number % connections}" for number in range(first, min(first + CALL, messages))]
            body = {
                "deliverychannel": "rt", "destination": [{"userid": users}],
                "channels": {"appmessaging": {"message": {"text": "Hello world, of the usual length"}}},
            }  # fmt: skip
            answer = await client.post("/resources/v1/messaging", headers={"key": KEY}, json=body)
            assert answer.status_code == 200, answer.text
        await asyncio.wait_for(fleet.enough.wait(), 300)
    await _figure(pipe, "the ring: from HTTP to the device", messages, began, later)
    print("states:", await ask(pipe, "states"))
    print(f"lost connections: {fleet.lost}")


def main() -> None:
    """Both processes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = hard - 500
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    connections, messages = min(wanted, most), int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
    print(f"open files: {hard:,} (was {soft:,}), so {most:,} connections at most; {os.cpu_count()} processors")
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    try:
        uvloop.run(measure(ours, ours.recv(), connections, messages))
    finally:
        ours.send(None)
        process.join(30)


if __name__ == "__main__":
    main()
