"""Messages a second through a Graph connector, over real HTTP to the stand-in in another process.

    python bench/graph.py [SECONDS]

The driver keeps the window full and does nothing else. The far end calls nobody back here, so that what is measured
is sending: the payload, the signed reference, the call, the answer read. CPU seconds are those of this process alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe

import uvloop

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.fb import CHANNEL as MESSENGER
from heliograph.channels.fb.simulator import MessengerStandIn
from heliograph.channels.fb.simulator import take as take_messenger
from heliograph.channels.whatsapp import CHANNEL as WHATSAPP
from heliograph.channels.whatsapp.simulator import WhatsAppStandIn
from heliograph.channels.whatsapp.simulator import take as take_whatsapp
from heliograph.model.channel import Body, Channel, Connector, Outbound, Peer, Report, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec
from heliograph.wire.graph.standin import Call, GraphStandIn, Reply

SECONDS = 3.0
RUNS = 3
LANE = "bench/a_1~sandbox"
WINDOW = 50
FIELDS: dict[str, dict[str, object]] = {"fb": {"text": "Hello"}, "whatsapp": {"text": {"body": "Hello"}}}


class Driver:
    """Submits whenever there is capacity and counts what comes back."""

    def __init__(self, connector: Connector, channel: str) -> None:
        self.connector = connector
        self.body = Body(content=Content(channel=channel, fields=FIELDS[channel]), text="Hello from the benchmark")
        self.submitted = self.refused = self._next = 0
        self.running = True

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        """One answer: one more message goes out."""
        if isinstance(result, Submitted):
            self.submitted += 1
        else:
            self.refused += 1
        self.ready()

    def ready(self) -> None:
        """Fill the window."""
        while self.running and (room := self.connector.capacity()):
            for _ in range(room):
                self._next += 1
                self.connector.submit(Outbound(1, self._next, f"4477{self._next % 10_000_000:07d}0", self.body))

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        """Nothing is reported here."""
        stored(True)


def silent(take: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """The same, without the webhooks that would follow."""
    return lambda call: take(call)._replace(first=(), then=())


def serve(pipe: Pipe) -> None:
    """The far ends' process: sends their ports through the pipe."""

    async def main() -> None:
        stand_ins: list[GraphStandIn] = [MessengerStandIn("127.0.0.1", 0, ""), WhatsAppStandIn("127.0.0.1", 0, "")]
        for stand_in, take in zip(stand_ins, (take_messenger, take_whatsapp), strict=True):
            stand_in._take = silent(take)
            pipe.send((await stand_in.start()).port)
        await asyncio.Event().wait()

    uvloop.run(main())


async def measure(channel: Channel, peer: Peer, seconds: float) -> tuple[float, float]:
    """Messages a second by the clock, and by the CPU of this process."""
    [kind] = channel.kinds.values()
    spec = ConnectorSpec(name="a_1", channel=channel.name, kind=kind.kind, window=WINDOW)
    spec = kind.sandbox(spec, LANE, {"graph": peer, "whatsapp": peer})
    tools = Tools(LANE, False, LocalTokens(lambda: 0), lambda: time.time_ns() // 1_000_000)
    connector = kind.build(spec, tools)
    driver = Driver(connector, channel.name)
    await connector.start(driver)
    driver.ready()
    await asyncio.sleep(0.3)
    driver.submitted, cpu, began = 0, time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    cpu, passed = time.process_time() - cpu, time.perf_counter() - began
    count = driver.submitted
    driver.running = False
    await connector.stop(5)
    assert not driver.refused, driver.refused
    return count / passed, count / cpu


def main() -> None:
    """Start the far ends, measure, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    ours, theirs = multiprocessing.Pipe()
    far = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    far.start()
    ports = [ours.recv(), ours.recv()]
    print(f"{'channel':10} {'a second':>10} {'a second of CPU':>16} {'CPU us each':>12}")
    for channel, port in zip((MESSENGER, WHATSAPP), ports, strict=True):
        runs = sorted(uvloop.run(measure(channel, Peer("127.0.0.1", port), seconds)) for _ in range(RUNS))
        rate, of_cpu = runs[len(runs) // 2]
        print(f"{channel.name:10} {rate:10.0f} {of_cpu:16.0f} {1e6 / of_cpu:12.0f}")
    far.terminate()


if __name__ == "__main__":
    main()
