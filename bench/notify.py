"""What one told notice costs: a POST by our client, by httpx, and a notice through the whole teller.

    python bench/notify.py [SECONDS]

The endpoint is another process, so that the CPU seconds of this one are the caller's alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from multiprocessing.connection import Connection as Pipe
from random import Random
from typing import cast

import httpx
import uvloop

from heliograph.model.message import Address, Content, Message, Request
from heliograph.model.outcome import State
from heliograph.model.record import Notice, Told
from heliograph.model.workspace import Notify, Service, Tenant
from heliograph.notify.teller import Teller
from heliograph.wire.http import Client

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
BODY = b"x" * 420
HEADERS = {"content-type": "application/json", "user-agent": "heliograph/bench", "x-hub-signature": "0" * 71}


class Endpoint(asyncio.Protocol):
    """Answers 200 as soon as a request of at least a head and a body has come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.transport.write(ANSWER)


def serve(pipe: Pipe) -> None:
    """The endpoint's process: sends its port through the pipe."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Endpoint, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


async def measure(call: Callable[[], Awaitable[object]], at_once: int, seconds: float) -> tuple[float, float]:
    """(CPU microseconds of this process, wall microseconds) for one call."""
    calls = 0
    end = time.perf_counter() + seconds

    async def caller() -> None:
        nonlocal calls
        while time.perf_counter() < end:
            await call()
            calls += 1

    await call()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return (time.process_time() - cpu) / calls * 1e6, (time.perf_counter() - wall) / calls * 1e6


async def compare(url: str, seconds: float) -> None:
    """Our client beside httpx."""
    client = Client(max_connections_per_origin=64)
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=64)) as general:
        print(f"{'client':12} {'at once':>8} {'CPU us':>8} {'wall us':>8}")
        for at_once in (1, 8):
            ours = await measure(
                lambda: client.request("POST", url, HEADERS, BODY, 10, allow_private=True), at_once, seconds
            )
            theirs = await measure(lambda: general.post(url, headers=HEADERS, content=BODY), at_once, seconds)
            print(f"{'heliograph':12} {at_once:8} {ours[0]:8.1f} {ours[1]:8.1f}")
            print(f"{'httpx':12} {at_once:8} {theirs[0]:8.1f} {theirs[1]:8.1f}")
            print(f"{'ratio':12} {at_once:8} {theirs[0] / ours[0]:8.1f} {theirs[1] / ours[1]:8.1f}")
    await client.close()


class Nothing:
    """A store without pending notices that takes outcomes at once, so that only telling counts."""

    def __init__(self, request: Request, expected: int) -> None:
        self.request = request
        self.missing = expected
        self.done = asyncio.Event()

    async def notice_origins(self, now_ms: int) -> list[str]:
        """None."""
        return []

    async def due_notices(self, origin: str, now_ms: int, limit: int, skip: Collection[int]) -> list[Notice]:
        """None."""
        return []

    async def told(self, outcomes: list[Told]) -> None:
        """Count."""
        self.missing -= len(outcomes)
        if self.missing <= 0:
            self.done.set()

    async def requests(self, ids: Collection[int]) -> dict[int, Request]:
        """The one there is."""
        return {self.request.id: self.request}


async def tell(url: str, count: int) -> None:
    """Signed notices through the whole teller, one call at a time being offered up to 1,000 ahead."""
    message = Message(content=Content(channel="sms"), addresses=(), callback_data="x" * 100)
    request = Request(id=1 << 40, nonce=1, tenant="t", service="s", accepted=0, messages=(message,))
    store = Nothing(request, count)
    found = (Tenant(id="t"), Service(id="s", sandbox=True, notify=Notify(secret="secret")))
    client = Client()
    teller = Teller(store, client, lambda *_: found, lambda: time.time_ns() // 1_000_000, Random(1))
    running = asyncio.create_task(teller.run())
    origin, to = url.removesuffix("/dr"), Address("msisdn", "447700900001")
    cpu, wall = time.process_time(), time.perf_counter()
    for ordinal in range(count):
        while teller.stats()["queued"] >= 1000:
            await asyncio.sleep(0)
        state, key = State.DELIVERED, "delivered"
        teller.offer([Notice(ordinal + 1, 1 << 40, ordinal, 0, to, state, key, "", 0, url, origin, "t", "s")])
    await store.done.wait()
    cpu, wall = (time.process_time() - cpu) / count * 1e6, (time.perf_counter() - wall) / count * 1e6
    failed = teller.stats()["failed"]
    print(f"{'teller':12} {8:8} {cpu:8.1f} {wall:8.1f}   ({1e6 / wall:.0f} notices/s, {failed} failed)")
    await teller.stop(1)
    await running
    await client.close()


def main() -> None:
    """Start the endpoint, measure, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    ours, theirs = multiprocessing.Pipe()
    endpoint = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    endpoint.start()
    url = f"http://127.0.0.1:{ours.recv()}/dr"
    uvloop.run(compare(url, seconds))
    uvloop.run(tell(url, int(seconds * 10_000)))
    endpoint.terminate()


if __name__ == "__main__":
    main()
