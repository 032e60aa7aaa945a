"""How many messages a second the connectors of X and WeChat send to their simulators in another process.

    python bench/ott.py [SECONDS]

The simulators check everything (signatures, tokens, contents), so that they are the slower side; the CPU
microseconds of this process are the connector's alone. The reference is the bare client posting the same bytes to
the same process, which answers 404.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from typing import Any

import uvloop

from heliograph.bus.tokens import LocalTokens
from heliograph.channels import channels, stand_ins
from heliograph.model.channel import Body, Connector, Outbound, Peer, Report, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.http import Client

WINDOW = 64
LANE = "bench/a_1~sandbox"
TO = {"twitter": ("x", "9990007501"), "wechat": ("wechat", "oBench")}  # taken, and nothing is called back
BODY = b'{"text":"Hello world, this is a message of the usual length"}'


def serve(name: str, pipe: Pipe) -> None:
    """The simulator's process: sends its port through the pipe."""

    async def main() -> None:
        stand_in = stand_ins()[name].make("127.0.0.1", 0, "http://127.0.0.1:1")
        doors: Any = getattr(stand_in, "doors", None)
        if hasattr(doors, "limit"):
            doors.limit = 10**9
        pipe.send((await stand_in.start()).port)
        await asyncio.Event().wait()

    uvloop.run(main())


class Counter:
    """Takes results and keeps the window full until the time is over."""

    def __init__(self) -> None:
        self.connector: Connector | None = None
        self.outbound: Callable[[], Outbound] | None = None
        self.end = 0.0
        self.sent = self.refused = 0
        self.done = asyncio.Event()

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        """See `Events`."""
        if isinstance(result, Submitted):
            self.sent += 1
        else:
            self.refused += 1
        self.fill()

    def ready(self) -> None:
        """See `Events`."""
        self.fill()

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        """See `Events`."""
        stored(True)

    def fill(self) -> None:
        """Submit as much as is welcome."""
        assert self.connector is not None
        assert self.outbound is not None
        if time.perf_counter() >= self.end:
            self.done.set()
            return
        for _ in range(self.connector.capacity()):
            self.connector.submit(self.outbound())


async def measure(channel_name: str, peer: Peer, seconds: float) -> tuple[float, float, int]:
    """`(messages a second, CPU microseconds of this process for one, refused)`."""
    name, to = TO[channel_name]
    channel = channels()[channel_name]
    assert channel.app is not None
    kind = channel.kinds[channel.app.kind]
    spec = ConnectorSpec(name="a_1", channel=channel_name, kind=kind.kind, window=WINDOW)
    spec = kind.sandbox(spec, LANE, {name: peer})
    tools = Tools(LANE, False, LocalTokens(lambda: time.time_ns() // 1_000_000), lambda: time.time_ns() // 1_000_000)
    counter = Counter()
    counter.connector = kind.build(spec, tools)
    body = Body(content=Content(channel=channel_name, fields={"text": "Hello"}), text=BODY.decode())
    ordinals = iter(range(10**9))
    counter.outbound = lambda: Outbound(1, next(ordinals), to, body)
    await counter.connector.start(counter)
    counter.end = time.perf_counter() + seconds
    began, cpu = time.perf_counter(), time.process_time()
    counter.fill()
    await counter.done.wait()
    passed, used = time.perf_counter() - began, time.process_time() - cpu
    await counter.connector.stop(2)
    return counter.sent / passed, used / max(1, counter.sent) * 1e6, counter.refused


async def bare(peer: Peer, seconds: float) -> tuple[float, float]:
    """The same of the client alone."""
    client = Client(max_connections_per_origin=WINDOW)
    url, calls, end = f"{peer.url()}/nothing", 0, time.perf_counter() + seconds
    headers = {"content-type": "application/json", "authorization": "x" * 300}

    async def caller() -> None:
        nonlocal calls
        while time.perf_counter() < end:
            await client.request("POST", url, headers, BODY, 10, allow_private=True)
            calls += 1

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(WINDOW)))
    passed, used = time.perf_counter() - began, time.process_time() - cpu
    await client.close()
    return calls / passed, used / calls * 1e6


def main() -> None:
    """Measure both channels, each with its reference."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    print(f"window {WINDOW}, {seconds:.0f} s each, simulator in another process on loopback")
    print(f"{'channel':10} {'sends/s':>9} {'CPU us':>8} {'bare/s':>9} {'CPU us':>8} {'ratio':>6} {'refused':>8}")
    for channel, (name, _) in TO.items():
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(name, theirs), daemon=True)
        process.start()
        peer = Peer("127.0.0.1", ours.recv())
        reference, reference_cpu = uvloop.run(bare(peer, seconds))
        rate, cpu, refused = uvloop.run(measure(channel, peer, seconds))
        print(
            f"{channel:10} {rate:9.0f} {cpu:8.0f} {reference:9.0f} {reference_cpu:8.0f} {rate / reference:6.2f}"
            f" {refused:8}"
        )
        process.terminate()


if __name__ == "__main__":
    main()
