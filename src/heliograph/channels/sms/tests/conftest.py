"""A simulator on a free port, and a recorder in the place of the dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from heliograph.channels.sms import CHANNEL, SMPP
from heliograph.channels.sms.simulator import Behaviour, SmscSimulator
from heliograph.channels.sms.smpp import SmppConnector
from heliograph.model.channel import Body, Outbound
from heliograph.model.message import Content
from heliograph.model.outcome import Inbound, Receipt, SendError, Submitted
from heliograph.model.workspace import ConnectorSpec

PASSWORD = "s3cr3t"


class Recorder:
    """Keeps what a connector reports. `store` answers for the store: True, False, or None for not yet."""

    def __init__(self) -> None:
        self.results: dict[int, list[Submitted | SendError]] = {}
        self.receipts: list[Receipt] = []
        self.inbound: list[Inbound] = []
        self.answers: list[Callable[[bool], None]] = []
        self.store: bool | None = True
        self.readies = 0
        self.order: list[str] = []

    def settled(self, outbound: Outbound, result: Submitted | SendError) -> None:
        self.results.setdefault(outbound.ordinal, []).append(result)
        self.order.append(type(result).__name__)

    def ready(self) -> None:
        self.readies += 1

    def received(self, item: Receipt | Inbound, stored: Callable[[bool], None]) -> None:
        (self.receipts if isinstance(item, Receipt) else self.inbound).append(item)  # type: ignore[arg-type]
        self.order.append(type(item).__name__)
        if self.store is None:
            self.answers.append(stored)
        else:
            stored(self.store)


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait until it holds, or fail."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def body(text: str = "Hello", sender: str = "HELIO", **fields: object) -> Body:
    content = Content(channel="sms", fields={"type": "text", "text": text, **fields})
    composed = CHANNEL.compose(content, text)
    parts, encoding, _ = CHANNEL.measure(content, composed)
    return Body(content=content, text=composed, sender=sender, parts=parts, encoding=encoding)


class Line:
    """A connector on a simulator."""

    def __init__(self, simulator: SmscSimulator, connector: Any, recorder: Recorder) -> None:
        self.simulator = simulator
        self.connector = connector
        self.recorder = recorder
        self._ordinal = 0

    def send(self, to: str, sent: Body | None = None, validity: int = 0) -> int:
        """Submit one message and give its ordinal."""
        self._ordinal += 1
        self.connector.submit(Outbound(1, self._ordinal, to, sent or body(), validity))
        return self._ordinal

    async def result(self, ordinal: int, seconds: float = 5.0) -> Submitted | SendError:
        """What became of it."""
        await until(lambda: ordinal in self.recorder.results, seconds)
        (result,) = self.recorder.results[ordinal]
        return result

    async def send_and_wait(self, to: str, sent: Body | None = None) -> Submitted | SendError:
        """Submit one message and wait for its result."""
        return await self.result(self.send(to, sent))


Connect = Callable[..., Awaitable[Line]]
Another = Callable[..., Awaitable[SmscSimulator]]


@pytest.fixture
async def simulator() -> AsyncIterator[SmscSimulator]:
    """An SMSC that answers at once."""
    smsc = SmscSimulator(behaviour=Behaviour(receipt_delay=0.0))
    await smsc.start()
    yield smsc
    await smsc.stop()


@pytest.fixture
async def another() -> AsyncIterator[Another]:
    """Starts further simulators and stops them."""
    started: list[SmscSimulator] = []

    async def start(*address: Any, **settings: Any) -> SmscSimulator:
        smsc = SmscSimulator(*address, **settings)
        started.append(smsc)
        await smsc.start()
        return smsc

    yield start
    for smsc in started:
        await smsc.stop()


@pytest.fixture
async def connect(simulator: SmscSimulator) -> AsyncIterator[Connect]:
    """Makes connectors on the simulator and stops them."""
    lines: list[Line] = []

    async def make(
        to: SmscSimulator | None = None, *, wait: bool = True, options: dict[str, Any] | None = None, **settings: Any
    ) -> Line:
        smsc = to or simulator
        spec = ConnectorSpec(
            name="smsc", channel="sms", kind="smpp", host="127.0.0.1", port=smsc.address[1],
            **({"system_id": "helio", "password": PASSWORD} | settings),
            options={"reconnect_after": 0.05, "refused_wait": 0.3} | (options or {}),
        )  # fmt: skip
        assert SMPP.check(spec) == []
        connector, recorder = SmppConnector(spec), Recorder()
        await connector.start(recorder)
        line = Line(smsc, connector, recorder)
        lines.append(line)
        if wait:
            await until(lambda: connector.status()["state"] == "bound")
        return line

    yield make
    for line in lines:
        await line.connector.stop(0.5)


@pytest.fixture
async def line(connect: Connect) -> Line:
    """A connector that is bound."""
    return await connect()
