"""The simulator of WeChat on a free port with a connector on it, and a recorder in the place of the dispatcher."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.wechat import CHANNEL
from heliograph.channels.wechat.official import OfficialAccount
from heliograph.channels.wechat.settings import PEER, sandbox
from heliograph.channels.wechat.simulator import WechatSimulator
from heliograph.model.channel import Body, Outbound, Report, Tools
from heliograph.model.message import Content
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.workspace import ConnectorSpec

LANE = "demo/a_3~sandbox"
PERSON = "oPerson"


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def body(text: str = "你好", *, private: bool = True, parameters: Any = None, **attachment: object) -> Body:
    """A message as policy lets it go, files from private addresses allowed."""
    fields: dict[str, object] = {"text": text}
    if attachment:
        fields["attachment"] = attachment
    content = Content(channel="wechat", fields=fields, parameters=parameters or {})
    return Body(content=content, text=text, attached=private)


class Recorder:
    """Keeps what a connector reports."""

    def __init__(self) -> None:
        self.results: dict[tuple[int, int], Submitted | SendError] = {}
        self.items: list[Report] = []

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        self.results[outbound.ordinal, outbound.attempt] = result

    def ready(self) -> None:
        pass

    def received(self, item: Report, stored: Callable[[bool], None]) -> None:
        self.items.append(item)
        stored(True)


class Line:
    """A connector on the simulator."""

    def __init__(self, simulator: WechatSimulator, connector: OfficialAccount, spec: ConnectorSpec) -> None:
        self.simulator = simulator
        self.connector = connector
        self.spec = spec
        self.appid: str = spec.options["appid"]
        self.recorder = Recorder()
        self._ordinal = 0

    async def result(self, to: str = PERSON, sent: Body | None = None, again: bool = False) -> Submitted | SendError:
        """Submit one message (`again`: the last one for another time) and wait for its result."""
        self._ordinal += 0 if again else 1
        identity = (self._ordinal, 2 if again else 1)
        self.connector.submit(Outbound(0x5EED, self._ordinal, to, sent or body(), attempt=identity[1]))
        await until(lambda: identity in self.recorder.results)
        return self.recorder.results[identity]

    def taken(self, index: int = -1) -> dict[str, Any]:
        """A message as it reached WeChat."""
        found: dict[str, Any] = self.simulator.taken[index]["body"]
        return found


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until it holds, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


Connect = Callable[..., Awaitable[Line]]


@pytest.fixture
async def simulator() -> AsyncIterator[WechatSimulator]:
    """WeChat, with nobody to call back."""
    found = WechatSimulator("127.0.0.1", 0, "http://127.0.0.1:1")
    yield found
    await found.stop()


@pytest.fixture
async def connect(simulator: WechatSimulator) -> AsyncIterator[Connect]:
    """Starts connectors on the simulator; options over those of the sandbox."""
    peer = await simulator.start()
    tokens = LocalTokens(clock_ms)
    lines: list[Line] = []

    async def start(*, fast: bool = True, **options: Any) -> Line:
        spec = sandbox(ConnectorSpec(name="a_3", channel="wechat", kind="wechat"), LANE, {PEER: peer})
        spec.options.update(options)
        assert CHANNEL.kinds["wechat"].check(spec) == []
        line = Line(simulator, OfficialAccount(spec, Tools(LANE, fast, tokens, clock_ms)), spec)
        await line.connector.start(line.recorder)
        lines.append(line)
        return line

    yield start
    for line in lines:
        await line.connector.stop(0.1)


@pytest.fixture
async def line(connect: Connect) -> Line:
    """A connector as the sandbox has it."""
    return await connect()
