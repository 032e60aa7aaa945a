"""A dispatcher over a real store, with far ends that a test scripts."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from heliograph.bus.tokens import LocalTokens
from heliograph.channels.sms import CHANNEL
from heliograph.dispatch import queue, settler, worker
from heliograph.dispatch.around import Surroundings
from heliograph.dispatch.lanes import Equipment, Lanes
from heliograph.dispatch.worker import Dispatcher
from heliograph.model.channel import Channel, ConnectorKind, Events, Outbound
from heliograph.model.ids import Ids
from heliograph.model.message import Content, Message, Request, Transaction
from heliograph.model.outcome import SendError, Submitted
from heliograph.model.record import Accepted, Notice, Run
from heliograph.model.workspace import ConnectorSpec, Document
from heliograph.policy.directory import Directory
from heliograph.store import Store, StoreUnavailable
from heliograph.store.correlator import Correlator
from heliograph.testing.databases import Database

Result = Submitted | SendError


class FarEnd:
    """A connector whose answers a test gives: at once by `script`, or one by one when `script` is None."""

    def __init__(self, spec: ConnectorSpec) -> None:
        self.name = spec.name
        self.window = spec.window
        self.up = True
        self.stopped = False
        self.script: Callable[[Outbound], Result] | None = taken
        self.submits: list[Outbound] = []
        self.open: dict[tuple[int, int], Outbound] = {}
        self.overrun = 0
        self.events: Events

    async def start(self, events: Events) -> None:
        self.events = events

    async def stop(self, grace: float) -> None:
        self.stopped = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self.open:
                    await asyncio.sleep(0.001)
        for outbound in list(self.open.values()):
            self.answer(outbound, SendError("unknown_status", "unknown"))

    def capacity(self) -> int:
        return 0 if self.stopped or not self.up else self.window - len(self.open)

    def submit(self, outbound: Outbound) -> None:
        self.overrun += self.capacity() < 1
        self.submits.append(outbound)
        self.open[outbound.request, outbound.ordinal] = outbound
        if self.script is not None:
            asyncio.get_running_loop().call_soon(self.answer, outbound, self.script(outbound))

    def answer(self, outbound: Outbound, result: Result) -> None:
        del self.open[outbound.request, outbound.ordinal]
        self.events.settled(outbound, result)

    def rise(self) -> None:
        self.up = True
        self.events.ready()

    def status(self) -> dict[str, Any]:
        return {"state": "bound" if self.up else "down"}

    def describe(self, native: bytes) -> dict[str, Any]:
        return {"native": native.hex()}

    @property
    def numbers(self) -> list[str]:
        return [outbound.to for outbound in self.submits]


def taken(outbound: Outbound) -> Submitted:
    """The far end takes it under an id that tells which message it is."""
    return Submitted((f"{outbound.request}.{outbound.ordinal}.{outbound.attempt}",))


class WeakStore:
    """The real store, but for calls that a test makes fail (`weak["claim"] = 2`: the next two) or wait (`gates`)."""

    def __init__(self, store: Store) -> None:
        self.real = store
        self.weak: dict[str, int] = {}
        self.gates: dict[str, asyncio.Event] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.real, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*args: Any) -> Any:
            if self.weak.get(name):
                self.weak[name] -= 1
                raise StoreUnavailable("disk full")
            if name in self.gates:
                await self.gates[name].wait()
            return await method(*args)

        return call


class Desk:
    """A dispatcher with what surrounds it. `skew` moves both clocks, in seconds."""

    def __init__(self, store: Store) -> None:
        self.skew = 0.0
        self.store = WeakStore(store)
        self.far: dict[str, FarEnd] = {}
        self.built: list[FarEnd] = []
        self.told: list[Notice] = []
        self.received: list[tuple[str, Any]] = []
        self.ids = Ids(self.ms)
        self.correlator = Correlator()
        self.window = 10
        kind = ConnectorKind(
            "fake", lambda spec: [], lambda spec, tools: self._build(spec), lambda spec, lane, peers: spec
        )
        self.channels: dict[str, Channel] = {"sms": changed(CHANNEL, kinds={"fake": kind})}
        self.version = 0
        self.directory = Directory(Document(), self.channels)
        self.declare()
        self.begin()

    def begin(self) -> None:
        """A dispatcher that knows nothing, as in a new process."""
        self.lanes = Lanes(lambda: self.directory, {}, Equipment(LocalTokens(self.ms)), self.monotonic, self.ms)
        around = Surroundings(
            self.store, lambda: self.directory, self.correlator, self.ids, self.told.extend,
            lambda name, item, stored: self.received.append((name, item)), self.ms, self.monotonic, lambda: 0.5,
        )  # type: ignore[arg-type]  # fmt: skip
        self.dispatcher = Dispatcher(around, self.lanes)

    def _build(self, spec: ConnectorSpec) -> FarEnd:
        made = FarEnd(spec)
        self.far[spec.name] = made
        self.built.append(made)
        return made

    def ms(self) -> int:
        return int((time.time() + self.skew) * 1000)

    def monotonic(self) -> float:
        return time.monotonic() + self.skew

    def declare(
        self,
        *,
        connector: str = "a",
        service: dict[str, Any] | None = None,
        tenant: dict[str, Any] | None = None,
        **spec: Any,
    ) -> None:
        """Another workspace is in force from now on; members of its tenant in `tenant`."""
        connectors = [
            {"name": name, "channel": "sms", "kind": "fake", "window": self.window, **spec} for name in ("a", "b")
        ]
        members = service if service is not None else {}
        channels = {"sms": {"connector": connector, "sender": "HELIO"}}
        services = [
            {"id": "orders", "notify": {"url": "http://caller/dr"}, "channels": channels, **members},
            {"id": "spare", "channels": {"sms": {"connector": "b", "sender": "HELIO"}}},
        ]
        whole = {
            **(tenant or {}), "id": "demo", "senders": [{"id": "HELIO", "channel": "sms"}], "connectors": connectors,
            "services": [item for item in services if item["id"] != members.get("without")],
        }  # fmt: skip
        services[0].pop("without", None)
        self.version += 1
        document = msgspec.convert({"tenants": [whole]}, Document)
        self.directory = Directory(document, self.channels, self.version)

    async def change(self, **declared: Any) -> None:
        """Another workspace, and the dispatcher follows."""
        self.declare(**declared)
        await self.dispatcher.reconfigure()

    async def call(
        self, *numbers: str, priority: int = 3, expiry: int = 0, elements: int = 1, service: str = "orders"
    ) -> Request:
        """A call is accepted and offered; several elements share the numbers evenly."""
        message = Message(
            content=Content(channel="sms", fields={"text": "hello"}), addresses=(), priority=priority, expiry=expiry
        )
        size = len(numbers) // elements
        firsts = tuple(range(0, len(numbers), size))
        request = Request(
            id=self.ids.next(), nonce=1, tenant="demo", service=service, accepted=self.ms(),
            messages=(message,) * elements, firsts=firsts,
        )  # fmt: skip
        runs = tuple(
            Run(index, first, "msisdn", "", list(numbers[first : first + size])) for index, first in enumerate(firsts)
        )
        accepted = Accepted(request=request, runs=runs)
        await self.store.accept(accepted)
        self.dispatcher.offer(accepted)
        return request

    async def rows(self, request: Request) -> list[Transaction]:
        return list(await self.store.real.transactions(request.id, None))

    async def row(self, request: Request) -> Transaction:
        return (await self.rows(request))[0]

    async def until(self, holds: Callable[[], Any], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.002)

    async def reach(self, request: Request, state: int, seconds: float = 5) -> list[Transaction]:
        """Every transaction of the request stands there."""
        async with asyncio.timeout(seconds):
            while True:
                rows = await self.rows(request)
                if all(row.state == state for row in rows):
                    return rows
                await asyncio.sleep(0.002)


def changed(channel: Channel, **members: Any) -> Channel:
    """The channel with other members."""
    values = {name: getattr(channel, name) for name in Channel.__dataclass_fields__}
    return Channel(**{**values, **members})


def numbers(count: int, start: int = 0) -> list[str]:
    return [f"4477009{number:05d}" for number in range(start, start + count)]


@pytest.fixture
def some() -> Callable[..., list[str]]:
    """Phone numbers: `some(3)`."""
    return numbers


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses after failures and between looks at the clock are short."""
    monkeypatch.setattr(worker, "ERROR_PAUSE", 0.01)
    monkeypatch.setattr(settler, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(queue, "TIDY_SECONDS", 0.02)


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """An empty store."""
    opened = database.store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def idle(store: Store, quick: None) -> Desk:
    """A desk whose dispatcher is not started."""
    return Desk(store)


@pytest.fixture
async def desk(idle: Desk) -> AsyncIterator[Desk]:
    """A desk whose dispatcher runs."""
    await idle.dispatcher.start()
    yield idle
    idle.store.weak.clear()
    for far in idle.built:
        far.script = far.script or taken
        for outbound in list(far.open.values()):
            far.answer(outbound, taken(outbound))
    await idle.dispatcher.stop(0.2)
