"""The simulator of X on a free port with a connector on it, and a recorder in the place of the dispatcher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.twitter import CHANNEL
from heliograph.channels.twitter.settings import PEER, account_of, made_up, sandbox
from heliograph.channels.twitter.simulator import XSimulator
from heliograph.channels.twitter.x import XConnector
from heliograph.model.channel import Body, Outbound, Report, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec

LANE = "demo/a_2~sandbox"


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def body(text: str = "Hello", **fields: object) -> Body:
    """A message as policy lets it go."""
    return Body(content=Content(channel="twitter", fields={"text": text, **fields}), text=text)


class Recorder:
    """Keeps what a connector reports."""

    def __init__(self) -> None:
        self.results: dict[int, Submitted | SendError] = {}
        self.items: list[Report] = []
        self.readies = 0

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        assert outbound.ordinal not in self.results
        self.results[outbound.ordinal] = result

    def ready(self) -> None:
        self.readies += 1

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        self.items.append(item)
        stored(True)


class Line:
    """A connector on the simulator."""

    def __init__(self, simulator: XSimulator, connector: XConnector, spec: ConnectorSpec) -> None:
        self.simulator = simulator
        self.connector = connector
        self.spec = spec
        self.recorder = Recorder()
        self._ordinal = 0

    def send(self, to: str, sent: Body | None = None) -> int:
        """Submit one message and give its ordinal."""
        self._ordinal += 1
        self.connector.submit(Outbound(1, self._ordinal, to, sent or body()))
        return self._ordinal

    async def result(self, to: str, sent: Body | None = None) -> Submitted | SendError:
        """Submit one message and wait for its result."""
        ordinal = self.send(to, sent)
        await until(lambda: ordinal in self.recorder.results)
        return self.recorder.results[ordinal]


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until it holds, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


Connect = Callable[..., Awaitable[Line]]


@pytest.fixture
async def simulator() -> AsyncIterator[XSimulator]:
    """X, with nobody to call back."""
    found = XSimulator("127.0.0.1", 0, "http://127.0.0.1:1")
    yield found
    await found.stop()


@pytest.fixture
async def connect(simulator: XSimulator) -> AsyncIterator[Connect]:
    """Starts connectors on the simulator; options over those of the sandbox."""
    peer = await simulator.start()
    tokens = LocalTokens(clock_ms)
    lines: list[Line] = []

    async def start(*, fast: bool = True, window: int = 10, **options: Any) -> Line:
        spec = ConnectorSpec(name="a_2", channel="twitter", kind="x", window=window)
        if "client_id" in options:
            spec = ConnectorSpec(name="a_2", channel="twitter", kind="x", window=window, options={"client_id": "x"})
        spec = sandbox(spec, LANE, {PEER: peer})
        spec.options.update(options | ({"client_id": made_up(LANE)["client_id"]} if "client_id" in options else {}))
        assert CHANNEL.kinds["x"].check(spec) == []
        line = Line(simulator, XConnector(spec, Tools(LANE, fast, tokens, clock_ms)), spec)
        await line.connector.start(line.recorder)
        lines.append(line)
        return line

    yield start
    for line in lines:
        await line.connector.stop(0.1)


@pytest.fixture
async def line(connect: Connect) -> Line:
    """A connector that signs by OAuth 1.0a."""
    return await connect()


@pytest.fixture
async def bearer(connect: Connect) -> Line:
    """A connector with tokens of OAuth 2."""
    found = await connect(client_id="")
    assert account_of(found.spec).bearer
    return found
