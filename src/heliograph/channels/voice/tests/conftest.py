"""Connectors on simulators and on programs of others, and a recorder in the place of the dispatcher."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.voice import CHANNEL, SIP
from heliograph.channels.voice.settings import simulated_password
from heliograph.channels.voice.simulator import SipSimulator
from heliograph.channels.voice.trunk import SipConnector
from heliograph.model.channel import Body, Outbound, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import Receipt, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec, Tenant


def clock_ms() -> int:
    return time.time_ns() // 1_000_000


def program(name: str, package: str) -> None:
    """Skip the test, saying what is missing, unless the program is there."""
    if not shutil.which(name):
        pytest.skip(f"needs the program {name}: apt install {package}")


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that nobody has, from below those that the system gives away by itself meanwhile."""
    while True:
        port = random.randrange(10_000, 30_000, 2)
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until it holds, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class Recorder:
    """Keeps what a connector reports; `store` answers for the store."""

    def __init__(self) -> None:
        self.results: dict[int, list[Submitted | SendError]] = {}
        self.receipts: list[Receipt] = []
        self.store = True
        self.readies = 0

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        self.results.setdefault(outbound.ordinal, []).append(result)

    def ready(self) -> None:
        self.readies += 1

    def received(self, item: Receipt, stored: Callable[[bool], None]) -> None:
        if self.store:
            self.receipts.append(item)
        stored(self.store)


class Line:
    """A connector, and calls over it."""

    def __init__(self, connector: SipConnector, recorder: Recorder, tenant: Tenant) -> None:
        self.connector = connector
        self.recorder = recorder
        self._tenant = tenant
        self._numbers = itertools.count(1)

    def dial(self, to: str, *, text: str = "", sender: str = "442079460000", **fields: object) -> int:
        """Submit one call and give its ordinal."""
        parameters = fields.pop("parameters", {})
        content = Content(channel="voice", fields={"text": text, **fields}, parameters=parameters)  # type: ignore[arg-type]
        body = Body(content=content, text=text, sender=sender, attached=CHANNEL.attach(content, self._tenant))
        ordinal = next(self._numbers)
        self.connector.submit(Outbound(1, ordinal, to, body))
        return ordinal

    async def result(self, ordinal: int, seconds: float = 40.0) -> Submitted | SendError:
        """What became of it."""
        await until(lambda: ordinal in self.recorder.results, seconds)
        [result] = self.recorder.results[ordinal]
        return result

    async def call(self, to: str, **more: Any) -> Submitted | SendError:
        """Submit one call and wait for its result."""
        return await self.result(self.dial(to, **more))

    async def idle(self, seconds: float = 40.0) -> None:
        """Until no call is under way."""
        await until(lambda: self.connector.status()["in_use"] == 0, seconds)

    @property
    def last(self) -> Receipt:
        """The last receipt."""
        return self.recorder.receipts[-1]

    @property
    def record(self) -> dict[str, Any]:
        """The record of the call that the last receipt is of."""
        found: dict[str, Any] = msgspec.json.decode(self.last.raw)
        return found

    @property
    def steps(self) -> list[str]:
        """What happened in that call."""
        return [what for _, what in self.record["steps"]]


Connect = Callable[..., Awaitable[Line]]


@pytest.fixture
async def simulator() -> AsyncIterator[SipSimulator]:
    """A SIP user agent on a free port."""
    agent = SipSimulator()
    await agent.start()
    yield agent
    await agent.stop()


@pytest.fixture
async def connect(tmp_path: Path) -> AsyncIterator[Connect]:
    """Makes connectors and stops them. `tenant` is where call flows and prompts are declared; `lane` its name."""
    lines: list[Line] = []

    async def make(
        port: int, *, tenant: Tenant | None = None, lane: str = "demo/trunk", options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Line:  # fmt: skip
        defaults = {"host": "127.0.0.1", "username": "helio", "password": simulated_password("helio")}
        spec = ConnectorSpec(
            name="trunk", channel="voice", kind="sip", port=port, **(defaults | settings),
            options={"local_address": "127.0.0.1", "ring_limit": 5} | (options or {}),
        )  # fmt: skip
        assert SIP.check(spec) == []
        tools = Tools(lane, True, LocalTokens(clock_ms), clock_ms, tmp_path)
        connector, recorder = SipConnector(spec, tools), Recorder()
        await connector.start(recorder)
        line = Line(connector, recorder, tenant or Tenant(id="demo", allow_private_targets=True))
        lines.append(line)
        await until(connector.capacity)
        return line

    yield make
    for line in lines:
        await line.connector.stop(2.0)


@pytest.fixture
async def line(connect: Connect, simulator: SipSimulator) -> Line:
    """A connector on the simulator, in the sandbox's way: tones stand in for a voice that is not installed."""
    return await connect(simulator.address[1], lane="demo/trunk~sandbox")
