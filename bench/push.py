"""Pushes a second from the push connector to the stand-ins of FCM, APNs and a browser's push service.

    python bench/push.py [SECONDS]

The stand-ins are one other process: its CPU is shown too, since it checks tokens, sizes and (for browsers) decrypts
every message. Pushes a second of a core are those that the CPU time of our process is for, however busy the machine
is; on the clock is what came out beside everything else that ran. Beside our HTTP/2 client stands httpx, sending the
same to the same stand-in of APNs.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import ssl
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection as Pipe
from typing import NamedTuple

import httpx
import uvloop

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.push import APP
from heliograph.channels.push.far_ends.credentials import provider_key
from heliograph.channels.push.simulator import STAND_INS
from heliograph.model.channel import Body, Connector, Outbound, Peer, Report, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec

SECONDS = 3.0
WANTED = 2_000  # pushes a second of one core of ours; on the clock they share the machine with the stand-ins
AT_ONCE = 100
LANE = "bench/AP1~sandbox"
BODY = Body(
    content=Content(
        channel="push",
        fields={
            system: {
                "title": "Your order is on its way", "text": "It will be with you tomorrow between 10 and 12.",
                "platform_types": ["chrome"], "extras": {"time_to_live": "3600", "customtags": {"order": "4711"}},
            }
            for system in ("android", "ios", "web")
        },
    )
)  # fmt: skip
KINDS: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "fcm": ("android_pushid", lambda number: f"{number:0140d}-sim-7501"),
    "apns": ("ios_pushid", lambda number: f"{number:060d}7501"),
    "webpush": ("chrome_pushid", lambda number: f"{number}-sim-7501"),
}
"""By stand-in: the kind of address, and tokens whose app says nothing of what it got."""


class Figures(NamedTuple):
    """Pushes a second, microseconds of this process and of the stand-ins for each."""

    rate: float
    ours_us: float
    theirs_us: float


class Driver:
    """Submits whenever there is capacity and counts what comes back."""

    def __init__(self, connector: Connector, name: str) -> None:
        self.connector = connector
        self.submitted = self.refused = self._next = 0
        self.running = True
        self._kind, self._token = KINDS[name]

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
                self.connector.submit(Outbound(1, self._next, self._token(self._next), BODY, kind=self._kind))

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        """No token is dead here."""
        stored(True)


def serve(pipe: Pipe) -> None:
    """The stand-ins' process: sends where they listen, then its CPU seconds whenever it is asked."""

    async def main() -> None:
        peers = {}
        for kind in STAND_INS:
            peers[kind.name] = tuple(await kind.make("127.0.0.1", 0, "").start())
        pipe.send(peers)
        while await asyncio.to_thread(pipe.recv):
            pipe.send(time.process_time())

    uvloop.run(main())


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def sandboxed(peers: Mapping[str, Peer]) -> ConnectorSpec:
    """An app that goes to the stand-ins."""
    spec = ConnectorSpec(name="AP1", channel="push", kind="app", options={"features": {"push": True}})
    return APP.sandbox(spec, LANE, peers)


class Clocks:
    """The CPU of both processes over a stretch of time."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._theirs = self._asked()
        self._began, self._ours = time.perf_counter(), time.process_time()

    def _asked(self) -> float:
        self._pipe.send(True)
        found: float = self._pipe.recv()
        return found

    def figures(self, count: int) -> Figures:
        """For so many pushes since the beginning."""
        passed, ours = time.perf_counter() - self._began, time.process_time() - self._ours
        theirs = self._asked() - self._theirs
        return Figures(count / passed, ours / count * 1e6, theirs / count * 1e6)


async def measure(name: str, peers: Mapping[str, Peer], pipe: Pipe, seconds: float) -> Figures:
    """Keep the window full for some seconds."""
    connector = APP.build(sandboxed(peers), Tools(LANE, True, LocalTokens(clock_ms), clock_ms))
    driver = Driver(connector, name)
    await connector.start(driver)
    driver.ready()
    await asyncio.sleep(0.5)
    clocks, before = Clocks(pipe), driver.submitted
    await asyncio.sleep(seconds)
    found = clocks.figures(driver.submitted - before)
    driver.running = False
    await connector.stop(2.0)
    assert driver.refused == 0
    return found


async def general(peers: Mapping[str, Peer], pipe: Pipe, seconds: float) -> Figures:
    """The same to APNs by httpx."""
    options = sandboxed(peers).options["ios"]
    body = json.dumps({"aps": {"alert": {"title": "Your order", "body": "x" * 300}}}).encode()
    headers = {
        "authorization": f"bearer {provider_key(options['token']).token(time.time())}",
        "apns-topic": options["topic"], "apns-push-type": "alert", "apns-priority": "10", "apns-expiration": "0",
    }  # fmt: skip
    count, tls = 0, ssl.create_default_context(cadata=options["ca"])
    async with httpx.AsyncClient(http1=False, http2=True, verify=tls, timeout=30) as client:

        async def push(number: int) -> None:
            url, own = f"{options['endpoint']}/3/device/{number:060d}7501", {"apns-id": str(uuid.uuid4())}
            (await client.post(url, headers=headers | own, content=body)).raise_for_status()

        await push(0)
        clocks = Clocks(pipe)
        ends = time.perf_counter() + seconds

        async def caller(first: int) -> None:
            nonlocal count
            while time.perf_counter() < ends:
                await push(first)
                count += 1

        await asyncio.gather(*map(caller, range(AT_ONCE)))
        return clocks.figures(count)


def main() -> None:
    """Start the stand-ins, measure, print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    peers = {name: Peer(*where) for name, where in ours.recv().items()}
    print(f"{'far end':16} {'a core of ours':>14} {'on the clock':>12} {'ours us':>8} {'theirs us':>10}  a push")
    for name in KINDS:
        show(name, uvloop.run(measure(name, peers, ours, seconds)))
    try:
        show("apns by httpx", uvloop.run(general(peers, ours, seconds)))
    except ImportError as error:
        print(f"{'apns by httpx':16} left out: {error}")
    ours.send(False)
    process.join()


def show(name: str, found: Figures) -> None:
    """One line."""
    core = 1e6 / found.ours_us
    met = "" if name not in KINDS else f"  {WANTED} wanted: {'met' if core >= WANTED else 'MISSED'}"
    print(
        f"{name:16} {core:14,.0f} {found.rate:12,.0f} {found.ours_us:8.1f} {found.theirs_us:10.1f}{met}", flush=True
    )


if __name__ == "__main__":
    main()
